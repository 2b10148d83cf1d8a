#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "web/http/site.h"
#include "web/metrics.h"
#include "web/routes/badge.h"
#include "web/routes/mail.h"
#include "web/sources.h"

namespace web {

// The JSON API, the page and the operational paths, by the table of routes. Every reply carries the
// security headers.
class Api {
 public:
  Api(Sources sources, Guard guard) : sources_(std::move(sources)), guard_(std::move(guard)) {}
  [[nodiscard]] Reply answer(const Request& request) const;

  enum class Who {
    everybody,
    everybody_with_badges,  // once there are public badges; readers otherwise
    readers,
    operators,
  };
  // What a handler is asked.
  struct Call {
    const Request& request;
    std::string name;  // what stands where the pattern has {…}
  };
  struct Route {
    std::string_view method;   // GET is HEAD, too
    std::string_view pattern;  // {…} is one segment of the path, not empty
    Who who;
    Reply (Api::*answer)(const Call& call) const;
    std::vector<std::string_view> parameters = {};  // of the query
    std::string_view label = {};                    // in the metrics; empty: the pattern
    bool takes_no_body = false;  // of a POST: nothing to say, so no Content-Type is needed

    [[nodiscard]] std::string_view handler() const { return label.empty() ? pattern : label; }
  };
  // All there are. The first that fits answers.
  [[nodiscard]] static const std::vector<Route>& routes();

 private:
  [[nodiscard]] Reply route(const Request& request) const;
  [[nodiscard]] std::optional<Reply> refuse(const Request& request, const Route* found) const;

  // The agent
  [[nodiscard]] Reply healthy(const Call& call) const;
  [[nodiscard]] Reply ready(const Call& call) const;
  [[nodiscard]] Reply reload(const Call& call) const;
  [[nodiscard]] Reply metrics(const Call& call) const;
  [[nodiscard]] Reply status(const Call& call) const;
  [[nodiscard]] Reply events(const Call& call) const;
  [[nodiscard]] Reply document(const Call& call) const;
  [[nodiscard]] Vitals vitals() const;
  [[nodiscard]] nlohmann::ordered_json held_up_lately(const Counts& counts, config::Time now) const;

  // Domains
  [[nodiscard]] Reply domains(const Call& call) const;
  [[nodiscard]] Reply domain(const Call& call) const;
  [[nodiscard]] Reply history(const Call& call) const;
  [[nodiscard]] Reply findings(const Call& call) const;
  [[nodiscard]] Reply deadlines(const Call& call) const;
  [[nodiscard]] Reply check_now(const Call& call) const;
  [[nodiscard]] Reply make_exception(const Call& call) const;
  [[nodiscard]] Reply end_exception(const Call& call) const;
  [[nodiscard]] std::map<std::string, config::Time> since_of(
      const std::map<std::string, probes::Delivery>& now) const;

  // MX hosts
  [[nodiscard]] Reply host(const Call& call) const;
  [[nodiscard]] Reply timeline(const Call& call) const;
  [[nodiscard]] Reply gate(const Call& call) const;
  [[nodiscard]] Reply tlsa(const Call& call) const;
  [[nodiscard]] std::optional<config::Time> host_since(const agent::Snapshot& snapshot,
                                                       const HostMail& mail,
                                                       const std::string& host) const;

  // Alerts
  [[nodiscard]] Reply alerts(const Call& call) const;
  [[nodiscard]] Reply alert(const Call& call) const;
  [[nodiscard]] Reply acknowledge(const Call& call) const;
  [[nodiscard]] Reply take_back(const Call& call) const;
  [[nodiscard]] Reply silences(const Call& call) const;
  [[nodiscard]] Reply preview(const Call& call) const;
  [[nodiscard]] Reply silence(const Call& call) const;
  [[nodiscard]] Reply end_silence(const Call& call) const;

  // Pages
  [[nodiscard]] Reply page(const Call& call) const;
  [[nodiscard]] Reply script(const Call& call) const;
  [[nodiscard]] Reply style(const Call& call) const;
  [[nodiscard]] Reply finding(const Call& call) const;
  [[nodiscard]] Reply public_html(const Call& call) const;
  [[nodiscard]] Reply public_list(const Call& call) const;
  [[nodiscard]] Reply badge_picture(const Call& call) const;
  [[nodiscard]] Reply badge_object(const Call& call) const;
  [[nodiscard]] std::vector<storage::DomainRow> public_rows() const;
  [[nodiscard]] std::optional<Badge> public_badge(const std::string& domain) const;

  Sources sources_;
  Guard guard_;
};

// What a server of these sources serves.
[[nodiscard]] MakeSite site_of(Sources sources);

}  // namespace web

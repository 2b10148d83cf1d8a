#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "web/access.h"
#include "web/http.h"
#include "web/mail.h"
#include "web/metrics.h"
#include "web/sources.h"

namespace web {

// Who may ask what. The name they used protects from pages that rebind a name of theirs to our
// address.
struct Guard {
  std::vector<std::string> hosts;        // accepted in the Host header, without port, lower case
  bool takes_any_address = false;        // also addresses, which nobody can rebind
  std::shared_ptr<const Access> access;  // null: everybody may do everything
  std::set<std::string> badges;          // domains whose badges everybody may see
  std::map<std::string, std::string> headers;  // the operator's own, of every reply
};

// The routes of the JSON API, the page and the operational paths. Every reply carries the security
// headers. Open to all are only /-/healthy, /-/ready, and what the operator allowed: badges, and
// the public page of the same domains.
class Api {
 public:
  Api(Sources sources, Guard guard) : sources_(std::move(sources)), guard_(std::move(guard)) {}
  [[nodiscard]] Reply answer(const Request& request) const;

 private:
  [[nodiscard]] Reply route(const Request& request) const;
  [[nodiscard]] std::optional<Reply> open_to_all(const Request& request) const;
  [[nodiscard]] Reply ready(const std::string& path) const;
  [[nodiscard]] Reply public_status(bool is_page) const;
  [[nodiscard]] Reply badge(const std::string& domain, bool is_picture) const;
  [[nodiscard]] Reply get(const Request& request) const;
  [[nodiscard]] Reply change(const Request& request) const;
  [[nodiscard]] Vitals vitals() const;
  [[nodiscard]] Reply status() const;
  [[nodiscard]] nlohmann::ordered_json held_up_lately(const Counts& counts, config::Time now) const;
  [[nodiscard]] std::map<std::string, config::Time> since_of(
      const std::map<std::string, probes::Delivery>& now) const;
  [[nodiscard]] std::optional<config::Time> host_since(const agent::Snapshot& snapshot,
                                                       const HostMail& mail,
                                                       const std::string& host) const;
  [[nodiscard]] Reply domains(const Request& request) const;
  [[nodiscard]] Reply domain(const std::string& name) const;
  [[nodiscard]] Reply history(const std::string& domain, const Request& request) const;
  [[nodiscard]] Reply host(const std::string& name) const;
  [[nodiscard]] Reply gate(const std::string& host, const Request& request) const;
  [[nodiscard]] Reply timeline(const std::string& host, const Request& request) const;
  [[nodiscard]] Reply alerts(const Request& request) const;
  [[nodiscard]] Reply alert(const std::string& id) const;
  [[nodiscard]] Reply silences() const;
  [[nodiscard]] Reply preview(const Request& request) const;
  [[nodiscard]] Reply deadlines(const Request& request) const;
  [[nodiscard]] Reply findings(const Request& request) const;
  [[nodiscard]] Reply events(const Request& request) const;

  Sources sources_;
  Guard guard_;
};

}  // namespace web

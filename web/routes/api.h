#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "web/backend.h"
#include "web/http/site.h"
#include "web/metrics.h"
#include "web/routes/badge.h"
#include "web/routes/mail.h"
#include "web/routes/public_page.h"
#include "web/routes/remembered.h"
#include "web/routes/view.h"

namespace web {

// The JSON API, the page and the operational paths, by the table of routes. Every reply carries the
// security headers.
class Api {
 public:
  Api(Backend backend, Guard guard) : backend_(std::move(backend)), guard_(std::move(guard)) {}
  [[nodiscard]] Reply answer(const Request& request) const;

  enum class Who {
    everybody,
    everybody_with_badges,  // once there are public badges; readers otherwise
    readers,
    // The same, and who knows a token: calendars and feed readers can only be given an address. A
    // token that may operate has no place in one.
    readers_by_address,
    reporters,  // who may hand in reports of senders: operators, and tokens for nothing else
    operators,
  };
  // What somebody gets who sees only what belongs to the domains of some groups (theirs.h).
  enum class Reach {
    free,      // the same as everybody: it is about no domain, or for everybody's eyes
    narrowed,  // what is theirs
    whole,     // nothing: it is about everything at once
  };
  // What a handler is asked.
  struct Call {
    const Request& request;
    std::string name;  // what stands where the pattern has {…}
    Auth::LoginAnswer client = {.right =
                                    config::Right::operate};  // who asks; known to be allowed to

    // Whom an act is put down to: the login, or without one what the client calls itself.
    [[nodiscard]] std::string by(std::string called) const {
      return client.login == Auth::Login::none ? std::move(called) : client.name;
    }
  };
  struct Route {
    std::string_view method;   // GET is HEAD, too
    std::string_view pattern;  // {…} is one segment of the path, not empty
    Who who;
    Reach reach;
    Reply (Api::*answer)(const Call& call) const;
    std::vector<std::string_view> parameters = {};  // of the query
    std::string_view label = {};                    // in the metrics; empty: the pattern
    bool takes_no_body = false;  // of a POST: nothing to say, so no Content-Type is needed
    std::vector<std::string_view> content_types = {};  // of a POST, where it is not JSON
    // What is put down of those who may not; empty: it is no act. And what the name in the pattern
    // is one of.
    std::string_view act = {}, subject_kind = {};

    [[nodiscard]] std::string_view handler() const { return label.empty() ? pattern : label; }
    // About this agent, also while another leads.
    [[nodiscard]] bool is_own() const {
      return pattern.starts_with("/-/") || pattern == "/metrics";
    }
  };
  // All there are. The first that fits answers.
  [[nodiscard]] static const std::vector<Route>& routes();

 private:
  [[nodiscard]] Reply route(const Request& request) const;
  // Or else who asks.
  [[nodiscard]] std::optional<Reply> refuse(const Request& request, const Route* found,
                                            Auth::LoginAnswer& client) const;
  // Puts down that somebody may not do it.
  void note_refusal(const Call& call, const Route& route, const Reply& refusal) const;

  // The agent
  [[nodiscard]] Reply healthy(const Call& call) const;
  [[nodiscard]] Reply ready(const Call& call) const;
  [[nodiscard]] Reply reload(const Call& call) const;
  [[nodiscard]] Reply metrics(const Call& call) const;
  [[nodiscard]] Reply status(const Call& call) const;
  [[nodiscard]] Reply agents(const Call& call) const;
  [[nodiscard]] Reply events(const Call& call) const;
  [[nodiscard]] Reply document(const Call& call) const;
  [[nodiscard]] Vitals vitals() const;
  [[nodiscard]] nlohmann::ordered_json held_up_lately(config::Time now) const;

  // Domains
  [[nodiscard]] Reply domains(const Call& call) const;
  [[nodiscard]] LastLooks last_looks(const agent::Snapshot& snapshot) const;
  [[nodiscard]] std::shared_ptr<const RecordedBriefs> recorded_briefs(
      const agent::Snapshot& snapshot) const;
  [[nodiscard]] Reply domain(const Call& call) const;
  [[nodiscard]] Reply history(const Call& call) const;
  [[nodiscard]] Reply findings(const Call& call) const;
  [[nodiscard]] Reply deadlines(const Call& call) const;
  [[nodiscard]] Reply check_now(const Call& call) const;
  [[nodiscard]] Reply make_exception(const Call& call) const;
  [[nodiscard]] Reply end_exception(const Call& call) const;
  [[nodiscard]] std::map<std::string, config::Time> since_of(
      const std::map<std::string, probes::Delivery>& now,
      storage::Whose whose = storage::Whose::domains) const;

  // Our own Postfix
  [[nodiscard]] Reply deliveries(const Call& call) const;
  [[nodiscard]] Reply disagreements(const Call& call) const;
  [[nodiscard]] Reply domain_deliveries(const Call& call) const;
  [[nodiscard]] Reply host_deliveries(const Call& call) const;
  [[nodiscard]] Reply exceptions(const Call& call) const;
  [[nodiscard]] Reply proposed_partners(const Call& call) const;

  // MX hosts
  [[nodiscard]] Reply hosts(const Call& call) const;
  [[nodiscard]] Reply host(const Call& call) const;
  [[nodiscard]] Reply timeline(const Call& call) const;
  [[nodiscard]] Reply gate(const Call& call) const;
  // The MX host as it was known last, where nothing is known of it now: since a start while danelaw
  // cannot see, it is only remembered.
  [[nodiscard]] std::optional<LastKnownHost> remembered(const agent::Snapshot& snapshot,
                                                        const std::string& host) const;
  [[nodiscard]] Reply tlsa(const Call& call) const;

  // Senders
  [[nodiscard]] Reply take_tlsrpt(const Call& call) const;
  [[nodiscard]] Reply domain_senders(const Call& call) const;
  [[nodiscard]] Reply host_senders(const Call& call) const;

  // Certificates to come
  [[nodiscard]] Reply certificates(const Call& call) const;
  [[nodiscard]] Reply take_certificate(const Call& call) const;
  [[nodiscard]] Reply set_not_for_mail(const Call& call) const;
  [[nodiscard]] Reply set_for_mail(const Call& call) const;

  // Alerts
  [[nodiscard]] Reply alerts(const Call& call) const;
  [[nodiscard]] Reply alert(const Call& call) const;
  [[nodiscard]] Reply evidence(const Call& call) const;
  [[nodiscard]] Reply explanation(const Call& call) const;
  [[nodiscard]] Reply acknowledge(const Call& call) const;
  [[nodiscard]] Reply take_back(const Call& call) const;
  [[nodiscard]] Reply silences(const Call& call) const;
  [[nodiscard]] Reply preview(const Call& call) const;
  [[nodiscard]] Reply silence(const Call& call) const;
  [[nodiscard]] Reply end_silence(const Call& call) const;

  // The past
  [[nodiscard]] Reply domain_days(const Call& call) const;
  [[nodiscard]] Reply host_days(const Call& call) const;
  [[nodiscard]] Reply days(const Call& call) const;
  [[nodiscard]] Reply groups(const Call& call) const;
  [[nodiscard]] Reply event_log(const Call& call) const;
  [[nodiscard]] Reply report(const Call& call) const;

  [[nodiscard]] Reply calendar(const Call& call) const;
  [[nodiscard]] Reply alert_feed(const Call& call) const;
  [[nodiscard]] Reply change_feed(const Call& call) const;
  [[nodiscard]] Reply feed(const std::string& name,
                           std::function<bool(storage::LogEvent::Kind)> has_kind) const;

  // People
  [[nodiscard]] Reply whoami(const Call& call) const;
  [[nodiscard]] Reply acts(const Call& call) const;
  [[nodiscard]] Reply test_notifiers(const Call& call) const;
  [[nodiscard]] Reply check_once(const Call& call) const;
  [[nodiscard]] Reply once_checked(const Call& call) const;
  [[nodiscard]] Reply watch(const Call& call) const;
  [[nodiscard]] Reply accept_list(const Call& call) const;
  struct Deed {
    std::string what;
    std::string subject_kind, subject;
    std::string called{};   // what the client calls itself
    std::string comment{};  // its own words
  };
  // Puts down who did it; `reply`: what came of it, which is given back.
  [[nodiscard]] Reply noted(const Call& call, Deed deed, Reply reply) const;

  // Pages
  [[nodiscard]] Reply page(const Call& call) const;
  [[nodiscard]] Reply script(const Call& call) const;
  [[nodiscard]] Reply style(const Call& call) const;
  [[nodiscard]] Reply finding(const Call& call) const;
  [[nodiscard]] Reply public_html(const Call& call) const;
  [[nodiscard]] Reply public_list(const Call& call) const;
  [[nodiscard]] Reply badge_picture(const Call& call) const;
  [[nodiscard]] Reply badge_object(const Call& call) const;
  [[nodiscard]] PublicView public_view() const;
  [[nodiscard]] std::optional<Badge> public_badge(const std::string& domain) const;

  // The same for somebody of these groups.
  [[nodiscard]] Api narrowed_to(const Groups& groups) const;
  [[nodiscard]] Reply called(const Route& route, const Call& call) const;
  // Why an act may not be done: 404 where they may not see what it is about, 403 where others have
  // a part in it; nothing where they may.
  [[nodiscard]] std::optional<Reply> refuse_alert(const std::string& id) const;
  [[nodiscard]] std::optional<Reply> refuse_silence(const std::string& id) const;
  [[nodiscard]] std::optional<Reply> refuse_key(const std::string& key) const;

  Backend backend_;
  Guard guard_;
  std::shared_ptr<const View> view_;  // null: everything; else the backend is narrowed to it
  std::shared_ptr<Remembered> remembered_ = std::make_shared<Remembered>();
};

// What a server of these backend serves.
[[nodiscard]] MakeSite site_of(Backend backend);

}  // namespace web

#include <algorithm>
#include <set>

#include "agent/alerts/alert_json.h"
#include "config/name.h"
#include "probes/explain.h"
#include "web/routes/api.h"
#include "web/routes/parts.h"
#include "web/routes/query.h"

// What our own Postfix' deliveries say, and the exceptions that it is told.
namespace web {
namespace {

using Json = nlohmann::ordered_json;

Json host_json(const agent::HostDeliveries& host) {
  Json sent = Json::object();
  for (const auto& [level, at] : host.last_sent)
    sent[std::string(wire_name(level))] = config::rfc3339(at);
  return {
      {"last_sent", sent},
      {"deferred_since", time_or_null(host.deferred_since)},
      {"setback", host.setback == probes::reports::Setback::none ? Json(nullptr)
                                                                 : Json(wire_name(host.setback))}};
}

void add_waiting(Json& out, const agent::DomainDeliveries::Queue& waiting) {
  out["waiting"] = waiting.messages;
  out["oldest_waiting_since"] = time_or_null(waiting.oldest);
}

Json domain_json(const agent::DomainDeliveries& domain, config::Time at) {
  auto out = host_json(domain);
  const bool is_seen = domain.last_at != config::Time{};
  out["last_at"] = is_seen ? Json(config::rfc3339(domain.last_at)) : Json(nullptr);
  out["messages_a_month"] = domain.messages_a_month(at);
  add_waiting(out, {.messages = domain.waiting.size(), .oldest = domain.oldest_waiting()});
  Json hosts = Json::array();
  for (const auto& [name, host] : domain.hosts) {
    auto item = host_json(host);
    item["host"] = name;
    add_waiting(item, domain.waiting_at(name));
    hosts.push_back(std::move(item));
  }
  out["hosts"] = std::move(hosts);
  Json days = Json::array();
  for (const auto& [day, counts] : domain.days) {
    Json sent = Json::object(), held = Json::object();
    for (const auto& [level, count] : counts.sent) sent[std::string(wire_name(level))] = count;
    for (const auto& [setback, count] : counts.held_up)
      held[std::string(wire_name(setback))] = count;
    days.push_back({{"day", config::rfc3339(config::Time{std::chrono::days{day}}).substr(0, 10)},
                    {"messages", counts.messages},
                    {"sent", sent},
                    {"held_up", held}});
  }
  out["days"] = std::move(days);
  return out;
}

Json disagreement_json(const agent::Disagreement& one) {
  return {
      {"at", config::rfc3339(one.at)},
      {"domain", one.domain},
      {"host", one.host.empty() ? Json(nullptr) : Json(one.host)},
      {"verdict", wire_name(one.verdict)},
      {"looked_at", config::rfc3339(one.looked_at)},
      {"status", wire_name(one.status)},
      {"level", wire_name(one.level)},
      {"setback", one.setback == probes::reports::Setback::none ? Json(nullptr)
                                                                : Json(wire_name(one.setback))}};
}

Reply not_followed() {
  return problem(404, "not found", "no log is followed: see `postfix.log` in the configuration");
}

// What waits for domains of theirs, and how their exceptions were asked for. How well verdicts
// foretold deliveries is counted for all together: of one's own nobody counted it.
void narrow(agent::PostfixWatch::View& view, const agent::PostfixWatch& postfix,
            const Theirs& theirs) {
  view.agreement = {};
  view.totals =
      postfix.waiting_of([&](const std::string& name) { return theirs.has_domain(name); });
  view.answered_ok = view.answered_not_found = 0;
  for (const auto& [domain, asked] : view.asked) {
    if (theirs.has_domain(domain)) view.answered_ok += asked.times;
  }
}

}  // namespace

Reply Api::deliveries(const Call& /*call*/) const {
  if (backend_.postfix == nullptr) return not_followed();
  auto view = backend_.postfix->view();
  if (view_) narrow(view, *backend_.postfix, view_->theirs());
  const auto& agreement = view.agreement;
  return json(
      {{"follows_log", view.follows_log},
       {"log_fault", view.log_fault ? Json(probes::printable(*view.log_fault)) : Json(nullptr)},
       {"last_line_at", time_or_null(view.last_line_at)},
       {"agreement",
        {{"compared", agreement.compared},
         {"foretold", agreement.foretold},
         {"ratio", agreement.compared == 0 ? Json(nullptr)
                                           : Json(static_cast<double>(agreement.foretold) /
                                                  static_cast<double>(agreement.compared))}}},
       {"waiting", view.totals.waiting},
       {"oldest_waiting_since", time_or_null(view.totals.oldest_waiting)},
       {"policy",
        {{"served", view.serves_policy},
         {"answered_ok", view.answered_ok},
         {"answered_not_found", view.answered_not_found}}}});
}

Reply Api::disagreements(const Call& call) const {
  Query query(call.request);
  const auto part = query.part(kMostItems);
  if (auto fault = query.fault()) return *std::move(fault);
  auto all =
      backend_.postfix ? backend_.postfix->disagreements() : std::vector<agent::Disagreement>{};
  if (view_) {
    std::erase_if(all, [&](const agent::Disagreement& one) {
      return !view_->theirs().has_domain(one.domain);
    });
  }
  Json items = Json::array();
  for (auto i = part.offset; i < std::min(all.size(), part.offset + part.limit); ++i)
    items.push_back(disagreement_json(all[i]));
  return page_of(std::move(items), part.offset, all.size());
}

Reply Api::domain_deliveries(const Call& call) const {
  const auto name = config::normal_domain(call.name).value_or(call.name);
  const bool is_theirs = !view_ || backend_.domain(name);
  auto found = backend_.postfix && is_theirs ? backend_.postfix->domain(name) : std::nullopt;
  if (!found && backend_.domain(name)) found.emplace();  // no mail yet, or no log is followed
  if (!found) return problem(404, "not found", "no mail of ours to that domain was seen");
  return json(domain_json(*found, backend_.snapshot()->now));
}

Reply Api::host_deliveries(const Call& call) const {
  constexpr std::size_t kMostShown = 100;
  const auto name = config::normal_domain(call.name).value_or(call.name);
  Json items = Json::array();
  if (backend_.postfix != nullptr) {
    for (const auto& [domain, host] : backend_.postfix->host(name)) {
      if (items.size() == kMostShown) break;
      if (view_ && !view_->theirs().has_domain(domain)) continue;
      auto item = host_json(host.deliveries);
      item["domain"] = domain;
      add_waiting(item, host.waiting);
      items.push_back(std::move(item));
    }
  }
  return json({{"items", items}, {"next", nullptr}});
}

// What Postfix is answered, and how often it asked.
Reply Api::exceptions(const Call& /*call*/) const {
  const auto snapshot = backend_.snapshot();
  const auto view = backend_.postfix ? backend_.postfix->view() : agent::PostfixWatch::View{};
  Json items = Json::array();
  for (const auto& made : snapshot->exceptions) {
    auto item = agent::to_json(made);
    const auto asked = view.asked.find(made.domain);
    const bool is_known = view.serves_policy && asked != view.asked.end();
    const bool is_served =
        view.serves_policy && made.level == "encrypt" && snapshot->now < made.until;
    item["answer"] = is_served ? "OK " + made.level : "NOTFOUND ";
    item["asked"] = is_known ? asked->second.times : 0;
    item["last_asked_at"] = time_or_null(is_known ? asked->second.last_at : std::nullopt);
    items.push_back(std::move(item));
  }
  return json({{"items", items}, {"next", nullptr}, {"served", view.serves_policy}});
}

// Domains that mail goes to and that nobody watches.
Reply Api::proposed_partners(const Call& call) const {
  Query query(call.request);
  const auto part = query.part(kMostItems, 20);
  if (auto fault = query.fault()) return *std::move(fault);
  Json items = Json::array();
  // Whose correspondents they are cannot be told: they are nobody's of some groups.
  if (backend_.postfix != nullptr && !view_) {
    std::set<std::string> watched;
    const auto snapshot = backend_.snapshot();
    for (const auto& state : snapshot->domains) watched.insert(state.configured->name);
    const auto all = backend_.postfix->proposals(
        [&](const std::string& name) { return watched.contains(name); }, part.limit);
    for (const auto& one : all)
      items.push_back(
          {{"domain", one.domain}, {"messages_a_month", one.messages}, {"dane", one.has_dane}});
  }
  return json({{"items", items}, {"next", nullptr}});
}

}  // namespace web

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "agent/history/recorded_past.h"
#include "agent/rollover/gate_decision.h"
#include "agent/watch/configured.h"
#include "probes/dane/tlsa.h"
#include "probes/explain.h"
#include "probes/judge.h"
#include "storage/facts.h"
#include "web/rollover.h"
#include "web/routes/api.h"
#include "web/routes/parts.h"
#include "web/routes/previews.h"
#include "web/routes/query.h"

namespace web {
namespace {

using Json = nlohmann::ordered_json;

// The times of which nothing was recorded, in order.
storage::Queries::OrFault<Json> gaps_between(storage::Queries& queries, config::Time from,
                                             config::Time until) {
  auto events = queries.history({.names = {storage::kOurselves}, .until = until, .limit = 1000});
  if (!events) return config::Failure<std::string>(events.error());
  std::ranges::reverse(*events);
  Json out = Json::array();
  for (const auto& event : *events) {
    if (event.kind == "gap" && event.last_seen >= from)
      out.push_back(
          {{"from", config::rfc3339(event.at)}, {"until", config::rfc3339(event.last_seen)}});
  }
  return out;
}

// The domains whose MX host it is.
std::vector<std::string> users_of(const agent::Snapshot& snapshot, const probes::dns::Name& host) {
  std::vector<std::string> out;
  FindHost find_host{host};
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i) {
    if (find_host(snapshot.domains, i) != nullptr)
      out.push_back(snapshot.domains[i].configured->name);
  }
  return out;
}

// When the CAs suggest to renew what the host presents; of those that were asked.
Json renewals_json(const agent::Snapshot& snapshot, const probes::HostObservation& seen) {
  Json out = Json::array();
  if (!snapshot.renewals) return out;
  std::set<std::string> told;
  for (const auto& session : seen.sessions) {
    if (!session.tls || session.tls->chain.empty()) continue;
    const auto& leaf = *session.tls->chain.front();
    const auto* advice = agent::advice_on(*snapshot.renewals, leaf);
    if (advice == nullptr || !told.insert(advice->certificate).second) continue;
    const auto& window = advice->window;
    const auto text_or_null = [](const std::string& text) {
      return text.empty() ? Json(nullptr) : Json(probes::printable(text));
    };
    out.push_back(
        {{"certificate", advice->certificate},
         {"not_after", config::rfc3339(leaf.not_after)},
         {"from", window ? Json(config::rfc3339(window->start)) : Json(nullptr)},
         {"until", window ? Json(config::rfc3339(window->end)) : Json(nullptr)},
         {"explanation", text_or_null(window ? window->explanation : "")},
         {"told_at", window ? Json(config::rfc3339(advice->told_at)) : Json(nullptr)},
         {"moved_from",
          advice->moved_from ? Json(config::rfc3339(advice->moved_from->start)) : Json(nullptr)},
         {"urgent", agent::is_urgent(*advice, leaf, snapshot.now)},
         {"fault", text_or_null(advice->fault)}});
  }
  return out;
}

// What each place of the fleet saw, endpoint by endpoint; none where there is but one place.
Json places_json(const agent::Snapshot& snapshot, const probes::HostObservation& seen) {
  Json out = Json::array();
  for (const auto& places : snapshot.places) {
    if (places.empty() || places.front().host->host != seen.host) continue;
    for (const auto& place : places) {
      Json endpoints = Json::array();
      for (const auto& host : probes::judge_alone(place.host, snapshot.now).hosts) {
        for (const auto& one : host.endpoints) {
          const auto& session = place.host->sessions[one.session];
          const bool has_key = session.tls && !session.tls->chain.empty();
          endpoints.push_back(
              {{"address", session.address},
               {"key_type", wire_name(session.key_type)},
               {"verdict", wire_name(one.verdict)},
               {"reason", wire_name(one.reason)},
               {"stage", wire_name(session.stage)},
               {"starttls", session.offers_starttls},
               {"spki_sha256",
                has_key ? Json(probes::dane::to_hex(session.tls->chain.front()->spki_sha256))
                        : Json(nullptr)}});
        }
      }
      out.push_back({{"vantage", place.vantage},
                     {"agent", place.agent},
                     {"observed_at", config::rfc3339(place.host->observed_at)},
                     {"verdict", wire_name(place.verdict)},
                     {"endpoints", std::move(endpoints)}});
    }
  }
  return out;
}

Json seen_json(const agent::Snapshot& snapshot, const probes::HostObservation& seen) {
  const bool has_records = seen.tlsa.outcome == probes::dns::Outcome::answer;
  return {{"observed_at", config::rfc3339(seen.observed_at)},
          {"addresses", seen.addresses},
          {"tlsa",
           {{"owner", tlsa_owner_of(seen)},
            {"ttl", has_records ? Json(seen.tlsa.ttl.count()) : Json(nullptr)}}},
          {"renewals", renewals_json(snapshot, seen)},
          {"vantages", places_json(snapshot, seen)}};
}

// The same of a host that was not looked at since the start.
Json remembered_json(const LastKnownHost& known) {
  return {{"observed_at", config::rfc3339(known.at)},
          {"addresses", known.host.addresses},
          {"tlsa", known.host.tlsa},
          {"renewals", Json::array()},
          {"vantages", Json::array()}};
}

}  // namespace

std::optional<LastKnownHost> Api::remembered(const agent::Snapshot& snapshot,
                                             const std::string& host) const {
  const auto name = probes::dns::Name::parse(host);
  return name ? last_known_host(last_looks(snapshot), name->text()) : std::nullopt;
}

Reply Api::host(const Call& call) const {
  const auto& name = call.name;
  const auto snapshot = backend_.snapshot();
  const auto parsed = probes::dns::Name::parse(name);
  const auto host = parsed ? parsed->text() : name;
  const auto* seen = host_seen(*snapshot, name);
  auto known = remembered(*snapshot, name);
  if (seen == nullptr && !known) return no_such_host(name);
  const auto mail =
      seen != nullptr ? mail_through(*snapshot, *seen) : HostMail{.domains = known->domains};
  if (!known && mail.delivery == probes::Delivery::unknown) {
    constexpr std::size_t kEnough = 100;
    auto users = mail.domains;
    users.resize(std::min(users.size(), kEnough));
    known = last_known_host(read_last_looks(users, *backend_.queries), host);
  }
  Json alerts = Json::array();
  const auto domains = configured(*snapshot);
  for (const auto* alert : alerts_of(*snapshot, host))
    alerts.push_back(short_alert_json(*alert, *snapshot, domains));
  const auto since = since_of({{host, mail.delivery}}, storage::Whose::hosts);
  Json out{{"host", host},
           {"verdict", mail.verdict ? Json(wire_name(*mail.verdict)) : Json(nullptr)},
           {"delivery", wire_name(mail.delivery)},
           {"delivery_since", since_json(since, host)},
           {"last_known", nullptr},
           {"domains_count", mail.domains.size()},
           {"held_up", mail.held_up.size()},
           {"certificate_seen", mail.has_shown_certificate},
           {"worst_finding", worst_json(mail.worst)},
           {"alerts", alerts},
           {"domains", mail.domains}};
  if (mail.delivery == probes::Delivery::unknown && known) {
    const auto& then = known->host;
    out["last_known"] = {{"stale", true},
                         {"observed_at", config::rfc3339(known->at)},
                         {"verdict", then.verdict ? Json(wire_name(*then.verdict)) : Json(nullptr)},
                         {"delivery", wire_name(then.delivery)},
                         {"domains_count", known->domains.size()}};
  }
  out.update(seen != nullptr ? seen_json(*snapshot, *seen) : remembered_json(*known));
  // What is remembered of a host tells nothing of its keys.
  if (seen != nullptr) out["rollover"] = rollover_json(find_host(*snapshot, name), snapshot->now);
  return json(out);
}

Reply Api::timeline(const Call& call) const {
  const auto& name = call.name;
  constexpr config::Seconds kBefore = std::chrono::hours{24 * 7};
  constexpr config::Seconds kLookBack = std::chrono::hours{24 * 400};
  const auto snapshot = backend_.snapshot();
  const auto* followed = find_host(*snapshot, name);
  if (followed == nullptr)
    return problem(404, "not found", fmt::format("{} has no TLSA records to follow", name));
  auto past = backend_.queries->host_history(followed->host->host, snapshot->now - kLookBack);
  if (!past) return storage_failed(past.error());
  end_by(*past, snapshot->now);
  Query query(call.request);
  const auto from = query.moment("from").value_or(snapshot->now - kBefore);
  const auto until = query.moment("to").value_or(snapshot->now + kBefore);
  if (auto fault = query.fault()) return *std::move(fault);
  auto out = timeline_json(*followed, *past, snapshot->now, from, until);
  const auto gaps = gaps_between(*backend_.queries, from, until);
  if (!gaps) return storage_failed(gaps.error());
  out["gaps"] = *gaps;
  const auto spans = backend_.queries->delivery_spans(
      {.of = storage::Whose::hosts,
       .domains = {followed->host->host.text()},
       .from = from,
       .until = std::min(until, snapshot->now),
       .longest_silence = storage::longest_silence(snapshot->schedule.interval)});
  if (!spans) return storage_failed(spans.error());
  out["mail"] = Json::array();
  for (const auto& [host, all] : *spans) {
    for (const auto& one : all)
      out["mail"].push_back({{"from", config::rfc3339(one.from)},
                             {"until", config::rfc3339(one.until)},
                             {"delivery", wire_name(one.delivery)}});
  }
  return json(out);
}

Reply Api::gate(const Call& call) const {
  const auto chain = chain_from_json(call.request.body);
  if (!chain) return problem(400, "no certificate", chain.error());
  const auto snapshot = backend_.snapshot();
  const auto* seen = host_seen(*snapshot, call.name);
  const auto known = seen != nullptr ? std::nullopt : remembered(*snapshot, call.name);
  if (seen == nullptr && !known) return no_such_host(call.name);
  Json said;
  if (seen != nullptr) {
    auto past =
        backend_.queries->host_history(seen->host, snapshot->now - agent::kClearanceLookBack);
    if (!past) return storage_failed(past.error());
    end_by(*past, snapshot->now);
    said = gate_json(*past, *chain, *seen, users_of(*snapshot, seen->host), snapshot->now);
  } else {
    said = gate_json_of_remembered(known->at);
  }
  said["shown"] = shown_json(*snapshot, *chain);
  return json(said);
}

Reply Api::tlsa(const Call& call) const {
  const auto chain = chain_from_json(call.request.body);
  return chain ? json({{"items", fitting_records(*chain)}, {"next", nullptr}})
               : problem(400, "no certificate", chain.error());
}

}  // namespace web

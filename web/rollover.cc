#include "web/rollover.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "probes/dane/tlsa.h"
#include "probes/dane/verify.h"
#include "probes/explain.h"
#include "probes/service.h"

namespace web {
namespace {

using Json = nlohmann::ordered_json;
using agent::kNever;
using config::Time;

Json time_or_null(const std::optional<Time>& time) {
  return time && *time != kNever ? Json(config::rfc3339(*time)) : Json(nullptr);
}

// Shares and exposures with as many digits as mean something.
Json number_or_null(const std::optional<double>& value, double digits) {
  return value ? Json(std::round(*value * digits) / digits) : Json(nullptr);
}

Json window_json(const agent::Window& window) {
  return {{"from", config::rfc3339(window.from)}, {"until", time_or_null(window.until)}};
}

Json seconds_or_null(const std::optional<config::Seconds>& seconds) {
  return seconds ? Json(seconds->count()) : Json(nullptr);
}

Json graded_json(const std::vector<agent::Rollover>& rollovers) {
  Json out = Json::array();
  for (const auto& one : rollovers) {
    out.push_back(
        {{"from", one.from},
         {"to", one.to},
         {"grade", wire_name(one.grade)},
         {"lead", {seconds_or_null(one.lead_at_least), seconds_or_null(one.lead_at_most)}},
         {"exposure_seconds", number_or_null(one.exposure_seconds, 10)},
         {"deployed_at", config::rfc3339(one.deployed_at)}});
  }
  return out;
}

// A time something was there, and until when caches may have held it after that.
struct Span {
  Time from;
  Time until;         // kNever: it lasts
  Time cached_until;  // the same
};

bool touches(Time from, Time until, Time begin, Time end) {
  return from <= end && begin < until;
}

// What overlaps or meets becomes one.
std::vector<Span> merged(std::vector<Span> spans) {
  std::ranges::sort(spans, {}, &Span::from);
  std::vector<Span> out;
  for (const auto& span : spans) {
    if (!out.empty() && span.from <= out.back().until) {
      out.back().until = std::max(out.back().until, span.until);
      out.back().cached_until = std::max(out.back().cached_until, span.cached_until);
    } else {
      out.push_back(span);
    }
  }
  return out;
}

// While which one server gave the record.
std::vector<Span> spans_at(const agent::History& history, std::size_t server, std::size_t record) {
  std::vector<Span> out;
  const auto& versions = history.servers[server];
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const auto& given = versions[i];
    if (given.fails || !contains(history.sets[given.set], record)) continue;
    const auto until = i + 1 < versions.size() ? versions[i + 1].began.by : kNever;
    // A cache that still holds the alias asks again for what it leads to.
    const bool stays_alias = i + 1 < versions.size() && versions[i + 1].alias == given.alias;
    const auto ttl = stays_alias ? given.ttl : std::max(given.ttl, given.alias_ttl);
    const auto held = until == kNever ? kNever
                                      : std::min(until + given.believed_for + ttl,
                                                 given.expires_at.value_or(kNever));
    out.push_back({given.began.by, until, std::max(held, until)});
  }
  return merged(std::move(out));
}

std::vector<Span> spans_of(const agent::History& history, std::size_t record) {
  std::vector<Span> out;
  for (std::size_t i = 0; i < history.servers.size(); ++i) {
    const auto mine = spans_at(history, i, record);
    out.insert(out.end(), mine.begin(), mine.end());
  }
  return merged(std::move(out));
}

Json spans_json(const std::vector<Span>& spans, Time from, Time until) {
  Json out = Json::array();
  for (const auto& span : spans) {
    if (touches(from, until, span.from, span.cached_until))
      out.push_back({{"from", config::rfc3339(span.from)},
                     {"until", time_or_null(span.until)},
                     {"cached_until", time_or_null(span.cached_until)}});
  }
  return out;
}

// The same of each server by name, where they differ; none where all gave it at the same times.
Json servers_json(const agent::History& history, std::size_t record, Time from, Time until) {
  Json out = Json::array();
  bool differ = false;
  std::vector<Span> of_all;  // given while no server was known by name
  for (std::size_t i = 0; i < history.server_names.size(); ++i) {
    if (history.server_names[i] == agent::kAllServers) of_all = spans_at(history, i, record);
  }
  for (std::size_t i = 0; i < history.server_names.size(); ++i) {
    if (history.server_names[i] == agent::kAllServers) continue;
    auto spans = spans_at(history, i, record);
    spans.insert(spans.end(), of_all.begin(), of_all.end());
    auto shown = spans_json(merged(std::move(spans)), from, until);
    differ = differ || (!out.empty() && out.front()["spans"] != shown);
    out.push_back(
        {{"server", probes::printable(history.server_names[i])}, {"spans", std::move(shown)}});
  }
  return differ ? out : Json::array();
}

Json records_json(const agent::History& history, Time from, Time until) {
  Json out = Json::array();
  for (std::size_t i = 0; i < history.records.size(); ++i) {
    auto spans = spans_json(spans_of(history, i), from, until);
    if (spans.empty()) continue;
    const auto& record = history.records[i];
    out.push_back({{"usage", record.usage},
                   {"selector", record.selector},
                   {"matching_type", record.matching_type},
                   {"data", probes::dane::to_hex(record.data)},
                   {"spans", std::move(spans)},
                   {"servers", servers_json(history, i, from, until)}});
  }
  return out;
}

// How a key fared with what was published at `at`, caches aside: "yes" and "no" by every name
// server that answered, "some" where they differed, "not-asked" where nothing was demanded of it,
// "unknown" where none answered.
const char* acceptance(const agent::History& history, std::size_t chain, Time at) {
  const auto given = agent::served(history, at);
  const auto count = [&](agent::Demand wanted) {
    return static_cast<std::size_t>(std::ranges::count_if(
        given,
        [&](const agent::Publication* one) { return demand(history, one->set, chain) == wanted; }));
  };
  const auto refused = count(agent::Demand::refused);
  if (given.empty()) return "unknown";
  if (refused == given.size()) return "no";
  if (refused > 0) return "some";
  return count(agent::Demand::met) > 0 ? "yes" : "not-asked";
}

// The records published at `at` that fit.
Json matching_json(const agent::History& history, std::size_t chain, Time at) {
  Json out = Json::array();
  const auto given = agent::served(history, at);
  for (std::size_t record = 0; record < history.records.size(); ++record) {
    const bool is_published = std::ranges::any_of(given, [&](const agent::Publication* one) {
      return contains(history.sets[one->set], record);
    });
    if (is_published && history.fits[record][chain])
      out.push_back(probes::dane::to_text(history.records[record]));
  }
  return out;
}

// A key's time, cut wherever what was published then began to fare otherwise with it.
Json acceptance_json(const agent::History& history, std::size_t chain, Time began, Time end,
                     Time now) {
  std::vector<Time> cuts{began};
  for (const auto at : publication_times(history)) {
    if (began < at && at < std::min(end, now)) cuts.push_back(at);
  }
  Json out = Json::array();
  for (const auto at : cuts) {
    const Json accepted = acceptance(history, chain, at);
    const auto fits = matching_json(history, chain, at);
    if (!out.empty() && out.back()["accepted"] == accepted && out.back()["matched_by"] == fits)
      continue;
    if (!out.empty()) out.back()["until"] = config::rfc3339(at);
    out.push_back({{"from", config::rfc3339(at)},
                   {"until", time_or_null(end)},
                   {"accepted", accepted},
                   {"matched_by", fits}});
  }
  return out;
}

// When endpoints last showed a key, where the last look got to see none: what they have now is not
// known, and how it fares neither.
std::map<std::string, Time> out_of_sight(const agent::HostHistory& past,
                                         const probes::HostObservation& last) {
  const auto sample = agent::sample_of(last);
  std::map<std::string, Time> out;
  for (const auto& [name, versions] : past.endpoints) {
    const auto now = sample.endpoints.find(name);
    const bool is_seen = now != sample.endpoints.end() && now->second;
    if (!is_seen && !versions.empty()) out.emplace(name, versions.back().last_seen);
  }
  return out;
}

// From then on it was not seen.
void lose_sight(Json& acceptance, Time seen_until) {
  const auto at = config::rfc3339(seen_until);
  while (acceptance.size() > 1 && acceptance.back()["from"] >= at)
    acceptance.erase(acceptance.size() - 1);
  acceptance.back()["until"] = at;
  acceptance.push_back(
      {{"from", at}, {"until", nullptr}, {"accepted", "not-seen"}, {"matched_by", Json::array()}});
}

// The history with the endpoints that are no more, which is how it was: what decides passes over
// them, and the past must not be drawn anew for that.
struct Drawn {
  agent::History history;
  std::map<std::string, Time> gone_at;  // endpoints, and when they were seen to be gone
};
Drawn with_gone(agent::History history, const agent::HostHistory& past,
                const probes::HostObservation& host) {
  Drawn out{.history = std::move(history), .gone_at = {}};
  const std::vector<std::string> names{host.base_domain.text(),
                                       probes::dns_name_of(host.host).text()};
  const auto place_of = [&](const agent::Chain& chain, Time seen) {
    auto& keys = out.history.chains.emplace_back();
    for (const auto& certificate : chain)
      keys.push_back(probes::dane::to_hex(certificate->spki_sha256));
    for (std::size_t record = 0; record < out.history.records.size(); ++record) {
      const auto& one = out.history.records[record];
      out.history.fits[record].push_back(
          probes::dane::verify({.records = {one}, .names = names}, chain, seen).match.has_value());
    }
    return out.history.chains.size() - 1;
  };
  for (const auto& [name, versions] : past.endpoints) {
    if (versions.empty() || !versions.back().what.empty()) continue;
    agent::Endpoint endpoint{.name = name};
    for (std::size_t i = 0; i < versions.size(); ++i) {
      const auto& version = versions[i];
      if (version.what.empty()) continue;
      endpoint.presented.push_back(
          {{i == 0 ? agent::kEver : versions[i - 1].last_seen, version.first_seen},
           place_of(version.what, version.first_seen)});
    }
    out.history.endpoints.push_back(std::move(endpoint));
    out.gone_at.emplace(name, versions.back().first_seen);
  }
  return out;
}

Json endpoints_json(const Drawn& drawn, const std::map<std::string, Time>& unseen, Time now,
                    Time from, Time until) {
  const auto& history = drawn.history;
  Json out = Json::array();
  for (const auto& endpoint : history.endpoints) {
    Json keys = Json::array();
    const auto lost = unseen.find(endpoint.name);
    const auto gone = drawn.gone_at.find(endpoint.name);
    const auto lasts_until = gone == drawn.gone_at.end() ? kNever : gone->second;
    for (std::size_t i = 0; i < endpoint.presented.size(); ++i) {
      const auto& shown = endpoint.presented[i];
      const auto end =
          i + 1 < endpoint.presented.size() ? endpoint.presented[i + 1].began.by : lasts_until;
      if (!touches(from, until, shown.began.by, end)) continue;
      Json fits = Json::array();
      for (std::size_t record = 0; record < history.records.size(); ++record) {
        if (history.fits[record][shown.chain])
          fits.push_back(probes::dane::to_text(history.records[record]));
      }
      auto acceptance = acceptance_json(history, shown.chain, shown.began.by, end, now);
      if (end == kNever && lost != unseen.end()) lose_sight(acceptance, lost->second);
      keys.push_back({{"spki_sha256", history.chains[shown.chain].front()},
                      {"from", config::rfc3339(shown.began.by)},
                      {"until", time_or_null(end)},
                      {"matched_by", fits},
                      {"acceptance", std::move(acceptance)}});
    }
    out.push_back({{"endpoint", endpoint.name}, {"keys", keys}});
  }
  return out;
}

// Every key that was ever served, in the order of first sight: what a key is called by must not
// depend on the range that is looked at. One that only a record names was never seen, and has no
// place until it is.
Json keys_json(const agent::History& history) {
  std::map<std::string, Time> seen;
  for (const auto& endpoint : history.endpoints) {
    for (const auto& shown : endpoint.presented) {
      const auto& key = history.chains[shown.chain].front();
      const auto [known, is_new] = seen.emplace(key, shown.began.by);
      if (!is_new) known->second = std::min(known->second, shown.began.by);
    }
  }
  std::vector<std::pair<Time, std::string>> order;
  for (const auto& [key, at] : seen) order.emplace_back(at, key);
  std::ranges::sort(order);
  Json out = Json::array();
  for (const auto& [at, key] : order) out.push_back(key);
  return out;
}

// When records or keys changed last, by `now`; none while all is as the first look found it.
std::optional<Time> changed_last(const agent::History& history, Time now) {
  std::optional<Time> out;
  const auto take = [&](const auto& item) {
    if (item.began.after != agent::kEver && item.began.by <= now)
      out = std::max(out.value_or(item.began.by), item.began.by);
  };
  for (const auto& server : history.servers) std::ranges::for_each(server, take);
  for (const auto& endpoint : history.endpoints) std::ranges::for_each(endpoint.presented, take);
  return out;
}

}  // namespace

int rank(agent::RolloverState state) {
  using State = agent::RolloverState;
  constexpr std::array kCalmFirst{State::no_dane,    State::steady,    State::prepub_wait,
                                  State::prepub_ok,  State::ready,     State::switching,
                                  State::rolled,     State::withdrawn, State::fallback,
                                  State::stale_risk, State::dns_fail,  State::partial_mismatch,
                                  State::mismatch,   State::unknown};
  return static_cast<int>(std::ranges::find(kCalmFirst, state) - kCalmFirst.begin());
}

std::string tlsa_owner_of(const probes::HostObservation& host) {
  if (host.tlsa.outcome != probes::dns::Outcome::not_queried)
    return (host.tlsa.aliases.empty() ? host.tlsa.name : host.tlsa.final_name).text();
  if (const auto service = probes::service_in(host.host))
    return probes::dns::tlsa_owner(service->host, service->port).value_or(service->host).text();
  constexpr std::uint16_t kSmtp = 25;
  const auto port = host.sessions.empty() ? kSmtp : host.sessions.front().port;
  return probes::dns::tlsa_owner(host.host, port).value_or(host.host).text();
}

namespace {

// Of several hosts the worst stands for the domain; what is unknown may be as bad as what caches
// are known to refuse.
int badness(agent::RolloverState state) {
  using State = agent::RolloverState;
  return 2 * (state == State::unknown ? rank(State::withdrawn) : rank(state)) +
         (state == State::unknown ? 1 : 0);
}

}  // namespace

// What a name server lacks, now, that others give; the records of keys in use first. Those known by
// name only.
Json differences_json(const agent::History& history, Time at) {
  std::vector<Json> in_use;
  std::vector<Json> others;
  const auto keys = agent::presented(history, at);
  for (std::size_t record = 0; record < history.records.size(); ++record) {
    Json has = Json::array();
    std::vector<std::string> lacking;
    for (std::size_t i = 0; i < history.server_names.size(); ++i) {
      const auto& name = history.server_names[i];
      const auto* now = agent::item_at(history.servers[i], at);
      if (name == agent::kAllServers || now == nullptr || now->fails) continue;
      if (!contains(history.sets[now->set], record)) {
        lacking.push_back(name);
      } else {
        has.push_back({{"server", probes::printable(name)},
                       {"since", config::rfc3339(spans_at(history, i, record).back().from)}});
      }
    }
    if (has.empty()) continue;
    const bool is_in_use =
        std::ranges::any_of(keys, [&](std::size_t chain) { return history.fits[record][chain]; });
    for (const auto& name : lacking)
      (is_in_use ? in_use : others)
          .push_back({{"server", probes::printable(name)},
                      {"lacks", probes::dane::to_text(history.records[record])},
                      {"in_use", is_in_use},
                      {"given_by", has}});
  }
  in_use.insert(in_use.end(), others.begin(), others.end());
  return in_use;
}

// Where nothing is known of what caches hold, nothing is known of this either.
std::optional<double> held_share(const agent::RolloverStanding& standing) {
  return standing.failing_share ? std::optional{standing.held_share} : std::nullopt;
}

Json rollover_json(const agent::Snapshot::Followed* followed, Time at) {
  if (followed == nullptr) return nullptr;
  const auto standing = followed->rollovers->at(at);
  return {{"host", followed->host->host.text()},
          {"owner", tlsa_owner_of(*followed->host)},
          {"state", wire_name(standing.state)},
          {"failing_share", number_or_null(standing.failing_share, 1000)},
          {"held_share", number_or_null(held_share(standing), 1000)},
          {"window", standing.window ? window_json(*standing.window) : Json(nullptr)},
          {"safe_to_switch_at", time_or_null(standing.safe_to_switch_at)},
          {"recommended_switch_at", time_or_null(standing.recommended_switch_at)},
          {"safe_to_remove_at", time_or_null(standing.safe_to_remove_at)},
          {"differences", differences_json(followed->rollovers->history(), at)},
          {"rollovers", graded_json(followed->rollovers->graded())}};
}

Json rollover_json(const std::vector<const agent::Snapshot::Followed*>& followed, Time at) {
  Json hosts = Json::array();
  const agent::Snapshot::Followed* worst = nullptr;
  int worst_rank = -1;
  for (const auto* one : followed) {
    hosts.push_back(rollover_json(one, at));
    const int mine = badness(one->rollovers->at(at).state);
    if (mine > worst_rank) worst = one;
    worst_rank = std::max(worst_rank, mine);
  }
  auto out = rollover_json(worst, at);
  if (worst != nullptr) out["hosts"] = hosts;
  return out;
}

// `is_looked_up`: the last look got an answer; else what was seen last is lost to senders, too.
Json signatures_json(const decltype(agent::HostHistory::signatures)& signatures, bool is_looked_up,
                     Time from, Time until) {
  Json out = Json::array();
  for (const auto& [server, versions] : signatures) {
    for (const auto& one : versions) {
      if (!one.what) continue;
      const auto end = ends_at(*one.what, one.last_seen);
      if (!touches(from, until, one.first_seen, end)) continue;
      const bool is_common = server == agent::kAllServers;
      const bool is_lost = !is_looked_up && &one == &versions.back();
      out.push_back({{"server", is_common ? Json(nullptr) : Json(probes::printable(server))},
                     {"from", config::rfc3339(one.first_seen)},
                     {"last_seen_at", config::rfc3339(one.last_seen)},
                     {"inception_at", time_or_null(one.what->inception)},
                     {"expires_at", config::rfc3339(end)},
                     {"is_lost", is_lost},
                     {"signed_per_answer", one.what->slides_from.has_value()}});
    }
  }
  return out;
}

Json timeline_json(const agent::Snapshot::Followed& followed, const agent::HostHistory& past,
                   Time at, Time from, Time until) {
  const auto& history = followed.rollovers->history();
  auto out = rollover_json(&followed, at);
  out["now"] = config::rfc3339(at);
  out["from"] = config::rfc3339(from);
  out["until"] = config::rfc3339(until);
  out["last_change_at"] = time_or_null(changed_last(history, at));
  const auto drawn = with_gone(history, past, *followed.host);
  out["keys"] = keys_json(drawn.history);
  out["records"] = records_json(history, from, until);
  out["endpoints"] = endpoints_json(drawn, out_of_sight(past, *followed.host), at, from, until);
  const bool is_looked_up = followed.host->tlsa.outcome != probes::dns::Outcome::failed;
  out["signatures"] = signatures_json(past.signatures, is_looked_up, from, until);
  Json red = Json::array();
  for (const auto& window : followed.rollovers->windows()) {
    if (touches(from, until, window.from, window.until.value_or(kNever)))
      red.push_back(window_json(window));
  }
  out["failing"] = red;
  return out;
}

}  // namespace web

#include "agent/watch/recollection.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "agent/hindsight/history_findings.h"
#include "agent/history/next_ds.h"
#include "agent/history/recorded_past.h"

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using probes::dns::Name;

// No cache keeps DS or DNSKEY records longer (RFC 8767 §4 has TTLs capped at a week).
constexpr Seconds kKeysLookBack = std::chrono::hours{24 * 8};
// How far back the past is read: habits show in several renewals, and some renew once a year. As
// long as history is kept by default.
constexpr Seconds kLookBack = std::chrono::hours{24 * 400};

// More is not kept at hand (half a kilobyte each): it is read again when it is next asked for. Of
// more than that hardly one is met again before its turn is over, so that few are kept from then
// on.
constexpr std::size_t kMostKept = 200'000;
constexpr std::size_t kFewKept = 10'000;

// Makes room for one more.
template <class Kept>
void bound(Kept& kept, std::size_t& most) {
  if (kept.size() < most) return;
  kept.clear();
  most = kFewKept;
}

template <class What>
void restate_versions(std::vector<Version<What>>& versions, const ClockStep& step) {
  for (auto& version : versions) {
    version.first_seen = restated(version.first_seen, step);
    version.last_seen = restated(version.last_seen, step);
  }
}

}  // namespace

Recollection::Recollection(Recorder& recorder)
    : recorder_(recorder), most_zones_(kMostKept), most_mx_signatures_(kMostKept) {}

void Recollection::expect(std::size_t domains) {
  most_zones_ = most_mx_signatures_ = domains <= kMostKept ? kMostKept : kFewKept;
}

std::vector<std::string> Recollection::take_faults() {
  return std::exchange(faults_, {});
}

std::optional<HostHistory> Recollection::history_of(const Name& host, Time at) {
  auto kept = recorder_.host_history(host, at - kLookBack);
  if (!kept) {
    faults_.push_back(kept.error().detail);
    return std::nullopt;
  }
  end_by(*kept, at);
  return std::move(*kept);
}

std::map<std::string, Time> Recollection::protected_domains(Time at) {
  auto known = recorder_.protected_domains(at - kLossTold);
  if (!known) {
    faults_.push_back(known.error().detail);
    return {};
  }
  for (auto& [domain, until] : *known) until = std::min(until, at);
  return std::move(*known);
}

// Null when it cannot be read now: it is not forgotten for that.
ZonePast* Recollection::past_of(const Name& zone, Time at) {
  const auto known = zones_.find(zone);
  if (known != zones_.end()) return &known->second;
  auto kept = recorder_.zone_past(zone, at - kKeysLookBack);
  if (!kept) {
    faults_.push_back(kept.error().detail);
    return nullptr;
  }
  end_by(*kept, at);
  bound(zones_, most_zones_);
  return &zones_.emplace(zone, std::move(*kept)).first->second;
}

std::vector<ZoneNews> Recollection::take_zones(
    const std::vector<const probes::dns::Answer*>& answers, Time at) {
  std::vector<ZoneNews> out;
  for (const auto* answer : answers) {
    if (!answer->key_sets) continue;
    auto* past = past_of(answer->key_sets->zone, at);
    if (past == nullptr) continue;
    if (const auto news = record_key_set(*past, answer->key_sets)) out.push_back(*news);
  }
  return out;
}

void Recollection::take_serials(const std::vector<probes::dns::ZoneSerials>& seen) {
  if (servers_.size() > kMostKept)
    std::erase_if(servers_, [](const auto& one) { return one.second.lagging.by_server.empty(); });
  for (const auto& serials : seen) {
    auto& known = servers_[serials.zone];
    if (serials.asked_at < known.serials.asked_at) continue;  // another worker's is newer
    const auto before = std::exchange(known.serials, serials).wanted;
    auto& wanted = known.serials.wanted;
    // What cannot be learned now has not changed for that.
    if (wanted.wish == probes::dns::WantedDs::Wish::unknown) wanted = before;
    record_serials(known.lagging, serials);
  }
}

std::optional<Signature> Recollection::take_mx_signature(const probes::DomainObservation& seen,
                                                         Time at) {
  auto* known = signatures_of(seen.domain, at);
  const auto window = mx_window(seen);
  if (known == nullptr || !window) return std::nullopt;
  const auto last = known->empty() ? std::nullopt : std::optional{known->back()};
  const auto out = recognised(last, *window, seen.observed_at);
  note_version(*known, out, {seen.observed_at, seen.observed_at}, std::equal_to<>());
  return out;
}

Signatures* Recollection::signatures_of(const Name& domain, Time at) {
  const auto entry = mx_signatures_.find(domain);
  if (entry != mx_signatures_.end()) return &entry->second;
  auto kept = recorder_.mx_signatures(domain, at - kLookBack);
  if (!kept) {
    faults_.push_back(kept.error().detail);
    return nullptr;
  }
  end_by(*kept, at);
  bound(mx_signatures_, most_mx_signatures_);
  return &mx_signatures_.emplace(domain, std::move(*kept)).first->second;
}

const Signatures* Recollection::mx_signatures(const Name& domain, Time at) {
  return signatures_of(domain, at);
}

std::vector<probes::Finding> Recollection::zone_findings(
    const probes::Subject& subject, const std::vector<const probes::dns::Answer*>& answers,
    Time at) {
  std::vector<probes::Finding> out;
  for (const auto& zone : vouching_for(answers)) {
    const auto* past = past_of(zone, at);
    const auto stale = past == nullptr ? std::nullopt : stale_link(*past, at);
    if (stale) out.push_back(finding_of(*stale, zone.text(), subject));
    const auto mine = servers_.find(zone);
    if (mine == servers_.end()) continue;
    const auto lagging = find_lagging(mine->second.lagging, mine->second.serials, subject);
    if (lagging) out.push_back(*lagging);
    const auto& wanted = mine->second.serials.wanted;
    auto next =
        past == nullptr ? std::nullopt : find_next_ds(*past, wanted, zone.text(), subject, at);
    if (next) out.push_back(std::move(*next));
  }
  return out;
}

Seconds Recollection::delegation_ttl(const std::vector<Name>& names, Time at) {
  const auto past = [&](const Name& zone) {
    const auto* known = past_of(zone, at);
    return known == nullptr ? ZonePast{} : *known;
  };
  Seconds out{0};
  for (const auto& name : names) out = std::max(out, agent::delegation_ttl(name, past));
  return out;
}

void Recollection::restate(const ClockStep& step) {
  servers_.clear();
  for (auto& [name, zone] : zones_) {
    restate_versions(zone.ds, step);
    restate_versions(zone.dnskey, step);
  }
  for (auto& [name, signatures] : mx_signatures_) restate_versions(signatures, step);
}

std::vector<const probes::dns::Answer*> answers_about(const probes::HostObservation& host) {
  return {&host.a, &host.aaaa, &host.tlsa};
}

std::set<Name> vouching_for(const std::vector<const probes::dns::Answer*>& answers) {
  std::set<Name> out;
  for (const auto* answer : answers) {
    if (answer->key_sets) out.insert(answer->key_sets->zone);
  }
  return out;
}

void restate(HostHistory& history, const ClockStep& step) {
  for (auto& [server, versions] : history.servers) restate_versions(versions, step);
  for (auto& [endpoint, versions] : history.endpoints) restate_versions(versions, step);
  for (auto& [server, versions] : history.signatures) restate_versions(versions, step);
  if (history.forgotten_until != kEver) history.forgotten_until += step.by;
}

}  // namespace agent

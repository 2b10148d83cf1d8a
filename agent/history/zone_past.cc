#include "agent/history/zone_past.h"

#include <algorithm>

namespace agent {
namespace {

using config::Time;
using probes::dns::KeySet;

using Versions = std::vector<Version<KeySet>>;

constexpr std::size_t kMost = 20;  // the oldest are forgotten first

bool note_one(Versions& versions, const KeySet& set, Time given_at) {
  if (versions.empty()) {
    versions.push_back({given_at, given_at, set});
    return true;
  }
  auto& last = versions.back();
  const bool is_newer = given_at > last.last_seen;
  if (last.what == set) {
    last.last_seen = std::max(last.last_seen, given_at);
    return is_newer;
  }
  // Some cache before us still held what was there before.
  if (!is_newer) return false;
  if (versions.size() >= kMost) versions.erase(versions.begin());
  versions.push_back({given_at, given_at, set});
  return true;
}

bool fit(const KeySet& ds, const KeySet& dnskey) {
  return std::ranges::any_of(ds.keys, [&](const auto& key) { return dnskey.keys.contains(key); });
}

Time held_until(const Versions& versions, std::size_t i) {
  if (i + 1 == versions.size()) return Time::max();
  return versions[i].last_seen + versions[i].what.ttl;
}

}  // namespace

std::optional<ZoneNews> record_key_set(ZonePast& past, const probes::dns::KeySetsPtr& seen) {
  const ZoneNews news{.seen = seen,
                      .has_ds = note_one(past.ds, seen->ds, seen->ds_given_at),
                      .has_dnskey = note_one(past.dnskey, seen->dnskey, seen->dnskey_given_at)};
  return news.has_ds || news.has_dnskey ? std::optional{news} : std::nullopt;
}

std::optional<StaleLink> stale_link(const ZonePast& past, Time at) {
  std::optional<StaleLink> out;
  for (std::size_t d = 0; d < past.ds.size(); ++d) {
    for (std::size_t k = 0; k < past.dnskey.size(); ++k) {
      const auto ds_until = held_until(past.ds, d);
      const auto keys_until = held_until(past.dnskey, k);
      const auto until = std::min(ds_until, keys_until);
      // What is published now is judged by the look itself.
      if (until == Time::max() || until <= at) continue;
      if (fit(past.ds[d].what, past.dnskey[k].what)) continue;
      if (!out || until > out->until) out = {.until = until, .is_ds_old = ds_until < keys_until};
    }
  }
  return out;
}

config::Seconds delegation_ttl(const probes::dns::Name& name,
                               const std::function<ZonePast(const probes::dns::Name&)>& past_of) {
  for (auto zone = name; zone != zone.parent(); zone = zone.parent()) {
    const auto past = past_of(zone);
    if (past.ds.empty()) continue;
    config::Seconds out{0};
    for (const auto& version : past.ds) out = std::max(out, version.what.ttl);
    return out;
  }
  return config::Seconds{0};
}

probes::Finding finding_of(const StaleLink& stale, const std::string& zone,
                           const probes::Subject& subject) {
  return {.code = probes::Code::ds_stale,
          .severity = probes::Severity::critical,
          .subject = subject,
          .evidence = {{"zone", zone},
                       {"still-cached", stale.is_ds_old ? "DS records of a key that no longer signs"
                                                        : "keys that the DS records do not name"},
                       {"until", config::rfc3339(stale.until)}},
          .root = probes::Subject{.kind = probes::Subject::Kind::zone, .name = zone}};
}

}  // namespace agent

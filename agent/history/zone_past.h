#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/history/host_history.h"
#include "probes/dns/key_sets.h"
#include "probes/verdict.h"

// PURE
// What caches may hold of the DS and DNSKEY RRsets of one zone, and whether all of it fits together
// (RFC 6781 §4.1.2, RFC 7583 §3.3).
namespace agent {

// Versions of both RRsets, as far as looks can prove: a version was given from `first_seen` to
// `last_seen` at least. Of each list the last is what holds.
struct ZonePast {
  std::vector<Version<probes::dns::KeySet>> ds, dnskey;
};

// What a look learned of a zone that is to be recorded: of each RRset a version that is new, or was
// given later than was known.
struct ZoneNews {
  probes::dns::KeySetsPtr seen;
  bool has_ds = false;
  bool has_dnskey = false;
};
// Takes up what a look learned; nothing when all of it is older than what is known.
[[nodiscard]] std::optional<ZoneNews> record_key_set(ZonePast& past,
                                                     const probes::dns::KeySetsPtr& seen);

// A resolver may hold an older one of one RRset with the newer one of the other, and no DS record
// of the one names a key that signs the other: it takes the zone for forged, until `until` at the
// latest. Only what is certain is told: a version may have been given longer than it was seen.
struct StaleLink {
  config::Time until;
  bool is_ds_old = false;  // the old one is the DS RRset; else the DNSKEY RRset
};
[[nodiscard]] std::optional<StaleLink> stale_link(const ZonePast& past, config::Time at);

// How long caches hold the DS records that protect, or used to protect, the name: those of the
// closest zone above it that ever had any, so far as `past_of` knows; else zero.
[[nodiscard]] config::Seconds delegation_ttl(
    const probes::dns::Name& name,
    const std::function<ZonePast(const probes::dns::Name& zone)>& past_of);

// What it means for who depends on the zone.
[[nodiscard]] probes::Finding finding_of(const StaleLink& stale, const std::string& zone,
                                         const probes::Subject& subject);

}  // namespace agent

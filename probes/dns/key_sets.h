#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <utility>

#include "config/time.h"
#include "probes/dns/message.h"

// PURE
// What ties a zone to its parent: the DS RRset above and the DNSKEY RRset in it. Caches keep the
// two apart, each for its own TTL (RFC 7583 §3.3), so that a rollover may fit in one cache and not
// in another.
namespace probes::dns {

// A key by the fields that both RRsets have of it.
struct KeyId {
  std::uint8_t algorithm = 0;
  std::uint16_t tag = 0;
  auto operator<=>(const KeyId&) const = default;
  bool operator==(const KeyId&) const = default;
};

// One of the two RRsets.
struct KeySet {
  std::set<KeyId> keys;    // named by the DS records; or those that sign the DNSKEY RRset
  config::Seconds ttl{0};  // as published
  bool operator==(const KeySet&) const = default;
};

struct KeySets {
  Name zone;
  KeySet ds, dnskey;
  // When an authoritative server gave it at the latest, judged by what was left of its TTL. A cache
  // that shortens TTLs makes it look older than it is.
  config::Time ds_given_at, dnskey_given_at;
};
using KeySetsPtr = std::shared_ptr<const KeySets>;

// Of a reply to a DS or DNSKEY question that came at `at`, proven by somebody else.
[[nodiscard]] std::pair<KeySet, config::Time> key_set_of(const Message& reply, config::Time at);

}  // namespace probes::dns

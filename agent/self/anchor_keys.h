#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "config/time.h"
#include "probes/dns/message.h"

// PURE
// The key signing keys of the trust anchor's zone as looks see them, look after look: what they are
// to a validator that follows RFC 5011, and so from when on one may sign alone.
namespace agent {

struct AnchorKey {
  probes::dns::Name zone;
  probes::dns::Bytes key;   // data of its DNSKEY record, as it is while it is not revoked
  config::Time first_seen;  // since then without a break
  config::Time last_seen;
  // It was published after that: the zone was seen without it. Null: it was there when the zone was
  // first looked at.
  std::optional<config::Time> published_after;
  std::optional<config::Time> revoked_at;  // seen so first; for good (RFC 5011 §2.1)
  bool operator==(const AnchorKey&) const = default;
};

// RFC 5011 §4.2. `start` and `removed` are of keys that are not there, and that nobody names.
enum class AnchorState { add_pend, valid, missing, revoked };
[[nodiscard]] std::string_view wire_name(AnchorState state);  // as the RFC writes them

// RFC 5011 §2.4.1: for so long validators wait before they trust a new key.
inline constexpr config::Seconds kAddHoldDown = std::chrono::hours{24 * 30};

// More are not remembered: those that went longest ago are forgotten first. The root has two or
// three.
inline constexpr std::size_t kMostAnchorKeys = 64;

// `is_named`: by our trust anchor. `is_there`: when its zone was looked at last. Of a key that is
// not named, and of which nobody knows when it was published, add_pend says that it may be.
[[nodiscard]] AnchorState state_of(const AnchorKey& key, bool is_named, bool is_there,
                                   config::Time at);

class AnchorKeys {
 public:
  AnchorKeys() = default;
  explicit AnchorKeys(std::vector<AnchorKey> known) : known_(std::move(known)) {}

  // Takes up the DNSKEY RRset of the zone, which is proven, and caches hold for `ttl`. What of it
  // is to be remembered: what is new, and once an hour that it is still so. An older answer than
  // one before says nothing.
  std::vector<AnchorKey> take(const probes::dns::Name& zone,
                              const std::vector<probes::dns::Bytes>& keys, config::Seconds ttl,
                              config::Time at);
  [[nodiscard]] const std::vector<AnchorKey>& all() const { return known_; }
  // When the zone was last looked at; null: never.
  [[nodiscard]] std::optional<config::Time> looked_at(const probes::dns::Name& zone) const;

 private:
  void forget_false_future(config::Time at);
  std::vector<AnchorKey> known_;
  std::map<probes::dns::Bytes, config::Time> told_at_;  // by key: to be remembered last
};

}  // namespace agent

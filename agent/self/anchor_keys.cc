#include "agent/self/anchor_keys.h"

#include <algorithm>

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using probes::dns::Bytes;
using std::chrono::hours;

constexpr unsigned kZoneKey = 0x0100;
constexpr unsigned kSecureEntryPoint = 0x0001;  // RFC 4034 §2.1.1
constexpr unsigned kRevoked = 0x0080;           // RFC 5011 §2.1
constexpr std::size_t kKeyHead = 4;             // flags, protocol, algorithm

constexpr Seconds kToldEvery = hours{1};
// One resolver's cache is older than another's; a clock that was an hour fast was wrong.
constexpr Seconds kDisorder = hours{1};
// A key that is gone for longer than caches hold what was there before has really gone.
constexpr Seconds kLeastBreak = hours{48};

unsigned flags_of(const Bytes& key) {
  return static_cast<unsigned>(key[0]) << 8U | key[1];
}

bool signs_keys(const Bytes& key) {
  constexpr auto both = kZoneKey | kSecureEntryPoint;
  return key.size() > kKeyHead && (flags_of(key) & both) == both;
}

// As it was before it was revoked: the bit changes its tag and its digest (RFC 5011 §2.1).
Bytes unrevoked(Bytes key) {
  key[1] = static_cast<std::uint8_t>(key[1] & ~kRevoked);
  return key;
}

}  // namespace

std::string_view wire_name(AnchorState state) {
  switch (state) {
    case AnchorState::add_pend:
      return "AddPend";
    case AnchorState::valid:
      return "Valid";
    case AnchorState::missing:
      return "Missing";
    case AnchorState::revoked:
      return "Revoked";
  }
  return "";
}

AnchorState state_of(const AnchorKey& key, bool is_named, bool is_there, Time at) {
  if (key.revoked_at) return AnchorState::revoked;
  if (!is_there) return AnchorState::missing;
  return is_named || at - key.first_seen >= kAddHoldDown ? AnchorState::valid
                                                         : AnchorState::add_pend;
}

std::optional<Time> AnchorKeys::looked_at(const probes::dns::Name& zone) const {
  std::optional<Time> out;
  for (const auto& key : known_)
    if (key.zone == zone) out = std::max(out.value_or(key.last_seen), key.last_seen);
  return out;
}

void AnchorKeys::forget_false_future(Time at) {
  for (auto& key : known_) {
    key.first_seen = std::min(key.first_seen, at);
    key.last_seen = std::min(key.last_seen, at);
    if (key.published_after) key.published_after = std::min(*key.published_after, at);
    if (key.revoked_at) key.revoked_at = std::min(*key.revoked_at, at);
  }
  told_at_.clear();
}

std::vector<AnchorKey> AnchorKeys::take(const probes::dns::Name& zone,
                                        const std::vector<Bytes>& keys, Seconds ttl, Time at) {
  std::vector<AnchorKey> out;
  auto before = looked_at(zone);
  if (before && *before > at + kDisorder) {
    forget_false_future(at);
    before = at;
  }
  if (before && *before > at) return out;
  const auto published_after = before ? std::optional{*before - ttl} : std::nullopt;
  for (const auto& data : keys) {
    if (!signs_keys(data)) continue;
    const auto key = unrevoked(data);
    auto known = std::ranges::find_if(
        known_, [&](const AnchorKey& one) { return one.zone == zone && one.key == key; });
    const bool is_back =
        known != known_.end() && *before - known->last_seen > std::max(ttl, kLeastBreak);
    if (known == known_.end()) {
      known_.push_back({.zone = zone, .key = key});
      known = known_.end() - 1;
    }
    const bool is_new = known->last_seen == Time{} || is_back;
    if (is_new) {
      known->first_seen = at;
      known->published_after = published_after;
    }
    known->last_seen = at;
    const bool is_revoked_now = !known->revoked_at && (flags_of(data) & kRevoked) != 0;
    if (is_revoked_now) known->revoked_at = at;
    const auto told = told_at_.find(key);
    if (!is_new && !is_revoked_now && told != told_at_.end() && at - told->second < kToldEvery)
      continue;
    told_at_[key] = at;
    out.push_back(*known);
  }
  while (known_.size() > kMostAnchorKeys) {
    const auto oldest = std::ranges::min_element(known_, {}, &AnchorKey::last_seen);
    told_at_.erase(oldest->key);
    known_.erase(oldest);
  }
  return out;
}

}  // namespace agent

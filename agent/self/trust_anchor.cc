#include "agent/self/trust_anchor.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/dns/wanted_ds.h"

namespace agent {
namespace {

using config::Time;
using probes::dns::Bytes;
using probes::dns::key_id_of;
using probes::dns::Record;

constexpr std::size_t kDsHead = 4;  // tag, algorithm, digest type
constexpr std::size_t kMostTold = 4;

bool names(const Record& anchor, const Bytes& key) {
  const auto& data = anchor.data;
  if (anchor.type == probes::dns::type::dnskey) return data == key;
  if (anchor.type != probes::dns::type::ds || data.size() <= kDsHead) return false;
  const auto id = key_id_of(key);
  if (data[0] != id.tag >> 8U || data[1] != (id.tag & 0xffU) || data[2] != id.algorithm)
    return false;
  const auto digest = probes::dns::ds_digest(anchor.owner, key, data[3]);
  // Of one that we do not know no key is at fault.
  return !digest || std::equal(digest->begin(), digest->end(), data.begin() + kDsHead, data.end());
}

std::string date(Time time) {
  return config::rfc3339(time).substr(0, 10);
}

// "the trust anchor file, written 2025-01-08 (690 days ago),"
std::string file_of(const TrustAnchor& anchor, Time at) {
  if (!anchor.written_at) return "the trust anchor file";
  const auto age = std::chrono::floor<std::chrono::days>(at - *anchor.written_at).count();
  return fmt::format("the trust anchor file, written {}{},", date(*anchor.written_at),
                     age < 1    ? std::string()
                     : age == 1 ? std::string(" (a day ago)")
                                : fmt::format(" ({} days ago)", age));
}

std::string when_alone(const AnchorKey& key, Time at) {
  if (!key.published_after && at - key.first_seen < kAddHoldDown)
    return "it was there before danelaw first saw it, and may sign alone at any time";
  const auto earliest = key.published_after.value_or(key.first_seen) + kAddHoldDown;
  return fmt::format("it may sign alone {} {}{}", earliest > at ? "from" : "since", date(earliest),
                     earliest > at ? " at the earliest" : "");
}

std::string words_of(const AnchorKey& key, AnchorState state, Time at) {
  const auto id = key_id_of(key.key);
  return fmt::format("tag {}, algorithm {}, seen since {}, {} by RFC 5011: {}", id.tag,
                     id.algorithm, date(key.first_seen), wire_name(state), when_alone(key, at));
}

}  // namespace

std::optional<std::string> fault_of_anchors(const TrustAnchor& anchor, const AnchorKeys& keys,
                                            Time at) {
  const auto looked_at = keys.looked_at(anchor.zone);
  bool any_good = false, any_revoked = false;
  std::string unnamed;
  std::size_t count = 0;
  for (const auto& key : keys.all()) {
    if (key.zone != anchor.zone) continue;
    const bool is_named = std::ranges::any_of(
        anchor.records, [&](const Record& record) { return names(record, key.key); });
    const auto state = state_of(key, is_named, key.last_seen == looked_at, at);
    if (state == AnchorState::missing) continue;
    if (state == AnchorState::revoked) {
      any_revoked = any_revoked || (is_named && key.last_seen == looked_at);
    } else if (is_named) {
      any_good = true;
    } else if (++count <= kMostTold) {
      unnamed += fmt::format("{}({})", unnamed.empty() ? "" : ", ", words_of(key, state, at));
    }
  }
  if (any_revoked && !any_good)
    return fmt::format(
        "the keys that {} names are revoked: update it (dns-root-data) now, before "
        "every domain turns bogus",
        file_of(anchor, at));
  if (unnamed.empty()) return std::nullopt;
  return fmt::format(
      "{} does not name a further key signing key of its zone {} {}: update it "
      "(dns-root-data) before that key signs alone, and every domain turns bogus",
      file_of(anchor, at), anchor.zone.text(), unnamed);
}

}  // namespace agent

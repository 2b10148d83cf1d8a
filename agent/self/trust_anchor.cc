#include "agent/self/trust_anchor.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/dns/wanted_ds.h"

namespace agent {
namespace {

using probes::dns::Bytes;
using probes::dns::key_id_of;
using probes::dns::KeyId;
using probes::dns::Record;

constexpr unsigned kZoneKey = 0x0100;
constexpr unsigned kSecureEntryPoint = 0x0001;  // RFC 4034 §2.1.1
constexpr unsigned kRevoked = 0x0080;           // RFC 5011 §2.1
constexpr std::size_t kKeyHead = 4;             // flags, protocol, algorithm
constexpr std::size_t kDsHead = 4;              // tag, algorithm, digest type

unsigned flags_of(const Bytes& key) {
  return static_cast<unsigned>(key[0]) << 8U | key[1];
}

// As it was before it was revoked: the bit changes its tag and its digest (RFC 5011 §2.1).
Bytes unrevoked(Bytes key) {
  key[1] = static_cast<std::uint8_t>(key[1] & ~kRevoked);
  return key;
}

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

}  // namespace

std::optional<std::string> fault_of_anchors(const std::vector<Record>& anchors,
                                            const std::vector<Bytes>& keys) {
  const auto is_named = [&](const Bytes& key) {
    return std::ranges::any_of(anchors, [&](const Record& anchor) { return names(anchor, key); });
  };
  bool any_good = false, any_revoked = false;
  std::optional<KeyId> unnamed;
  for (const auto& key : keys) {
    if (key.size() <= kKeyHead) continue;
    const auto flags = flags_of(key);
    if ((flags & kZoneKey) == 0 || (flags & kSecureEntryPoint) == 0) continue;
    if ((flags & kRevoked) != 0) {
      any_revoked = any_revoked || is_named(unrevoked(key));
    } else if (is_named(key)) {
      any_good = true;
    } else {
      unnamed = key_id_of(key);
    }
  }
  if (any_revoked && !any_good)
    return "the keys that the trust anchor file names are revoked: update it (dns-root-data) now, "
           "before every domain turns bogus";
  if (!unnamed) return std::nullopt;
  return fmt::format(
      "the zone of the trust anchor has a further key signing key (tag {}, algorithm {}) that the "
      "trust anchor file does not name: update it (dns-root-data) before that key signs alone, and "
      "every domain turns bogus",
      unnamed->tag, unnamed->algorithm);
}

}  // namespace agent

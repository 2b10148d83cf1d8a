#include "agent/self/trust_anchor.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "probes/dns/key_sets.h"

namespace agent {
namespace {

using probes::dns::Bytes;
using probes::dns::KeyId;

constexpr unsigned kZoneKey = 0x0100;
constexpr unsigned kSecureEntryPoint = 0x0001;  // RFC 4034 §2.1.1
constexpr unsigned kRevoked = 0x0080;           // RFC 5011 §2.1
constexpr std::size_t kKeyHead = 4;             // flags, protocol, algorithm
constexpr std::size_t kDsHead = 4;              // tag, algorithm, digest type

// RFC 4034 appendix B, but for algorithm 1, which nobody signs with any more.
std::uint16_t tag_of(const Bytes& key) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < key.size(); ++i)
    sum += i % 2 == 0 ? static_cast<std::uint32_t>(key[i]) << 8U : key[i];
  return static_cast<std::uint16_t>((sum + (sum >> 16U)) & 0xffffU);
}

unsigned flags_of(const Bytes& key) {
  return static_cast<unsigned>(key[0]) << 8U | key[1];
}

KeyId id_of(const Bytes& key) {
  return {.algorithm = key[3], .tag = tag_of(key)};
}

// As it was before it was revoked: the bit changes its tag (RFC 5011 §2.1).
KeyId unrevoked(Bytes key) {
  key[1] = static_cast<std::uint8_t>(key[1] & ~kRevoked);
  return id_of(key);
}

std::set<KeyId> named_by(const std::vector<probes::dns::Record>& anchors) {
  std::set<KeyId> out;
  for (const auto& anchor : anchors) {
    const auto& data = anchor.data;
    if (anchor.type == probes::dns::type::ds && data.size() > kDsHead) {
      out.insert(
          {.algorithm = data[2],
           .tag = static_cast<std::uint16_t>(static_cast<unsigned>(data[0]) << 8U | data[1])});
    } else if (anchor.type == probes::dns::type::dnskey && data.size() > kKeyHead) {
      out.insert(id_of(data));
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> fault_of_anchors(const std::vector<probes::dns::Record>& anchors,
                                            const std::vector<Bytes>& keys) {
  const auto named = named_by(anchors);
  bool any_good = false, any_revoked = false;
  std::optional<KeyId> unnamed;
  for (const auto& key : keys) {
    if (key.size() <= kKeyHead) continue;
    const auto flags = flags_of(key);
    if ((flags & kZoneKey) == 0 || (flags & kSecureEntryPoint) == 0) continue;
    if ((flags & kRevoked) != 0) {
      any_revoked = any_revoked || named.contains(unrevoked(key));
    } else if (named.contains(id_of(key))) {
      any_good = true;
    } else {
      unnamed = id_of(key);
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

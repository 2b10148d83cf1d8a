#include "agent/self/trust_anchor.h"

#include <gtest/gtest.h>

#include "probes/dns/wanted_ds.h"
#include "tests/support/scene.h"

namespace {

using agent::fault_of_anchors;
using probes::dns::Bytes;
using probes::dns::Record;

constexpr unsigned kKsk = 0x0101, kZsk = 0x0100, kRevoked = 0x0080;

Bytes key(std::uint8_t seed, unsigned flags = kKsk) {
  Bytes out{static_cast<std::uint8_t>(flags >> 8U), static_cast<std::uint8_t>(flags), 3, 8};
  for (int i = 0; i < 32; ++i) out.push_back(static_cast<std::uint8_t>(seed + i));
  return out;
}

Record anchor_of(const Bytes& key) {
  return {.owner = support::name("."), .type = probes::dns::type::dnskey, .data = key};
}

Record ds_of(const Bytes& key) {
  const auto tag = probes::dns::key_tag_of(key);
  Bytes data{static_cast<std::uint8_t>(tag >> 8U), static_cast<std::uint8_t>(tag), key[3], 2};
  const auto digest = *probes::dns::ds_digest(support::name("."), key, 2);
  data.insert(data.end(), digest.begin(), digest.end());
  return {.owner = support::name("."), .type = probes::dns::type::ds, .data = data};
}
Record with(Record anchor, std::size_t place, std::uint8_t octet) {
  anchor.data[place] = octet;
  return anchor;
}

struct AnchorCase {
  std::string says;
  std::vector<Record> anchors;
  std::vector<Bytes> keys;
  std::string want;  // part of the words; empty: no fault
};

TEST(TrustAnchor, IsHeldAgainstTheKeysOfItsZone) {
  const auto revoked = key(1, kKsk | kRevoked);
  for (const auto& row : std::vector<AnchorCase>{
           {"the key in use is named", {anchor_of(key(1))}, {key(1), key(9, kZsk)}, ""},
           {"the next one is published and not named",
            {anchor_of(key(1))},
            {key(1), key(2), key(9, kZsk)},
            "further key signing key"},
           {"both are named", {anchor_of(key(1)), anchor_of(key(2))}, {key(1), key(2)}, ""},
           {"a key of the past does no harm", {anchor_of(key(1)), anchor_of(key(7))}, {key(1)}, ""},
           {"the old one is revoked, the new one named (RFC 5011 §2.1)",
            {anchor_of(key(1)), anchor_of(key(2))},
            {revoked, key(2)},
            ""},
           {"all that are named are revoked", {anchor_of(key(1))}, {revoked, key(2)}, "revoked"},
           {"a zone signing key is nobody's anchor",
            {anchor_of(key(1))},
            {key(1), key(3, kZsk)},
            ""},
           {"by its digest, as in dns-root-data", {ds_of(key(1))}, {key(1)}, ""},
           {"another digest", {with(ds_of(key(1)), 20, 0)}, {key(1)}, "further key signing key"},
           {"another tag", {with(ds_of(key(1)), 0, 0)}, {key(1)}, "further key signing key"},
           {"a digest of a type that nobody knows", {with(ds_of(key(1)), 3, 200)}, {key(1)}, ""},
           {"the digest of a key that is revoked now", {ds_of(key(1))}, {revoked}, "revoked"},
           {"a stump of a key", {anchor_of(key(1))}, {key(1), {1, 1, 3, 8}, {}}, ""},
       }) {
    const auto fault = fault_of_anchors(row.anchors, row.keys);
    EXPECT_EQ(fault.has_value(), !row.want.empty()) << row.says << ": " << fault.value_or("");
    if (fault) {
      EXPECT_NE(fault->find(row.want), std::string::npos) << row.says << ": " << *fault;
    }
  }
}

}  // namespace

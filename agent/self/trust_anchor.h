#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/self/anchor_keys.h"

// PURE
namespace agent {

// What we validate from.
struct TrustAnchor {
  probes::dns::Name zone;
  std::vector<probes::dns::Record> records;  // DS or DNSKEY, of that zone
  std::optional<config::Time> written_at;    // the file; null: not known
};

// Whether the anchors that we validate from will go on being enough, by the key signing keys of
// their zone, which they validate now. The root publishes its next key long before it signs with
// nothing else (RFC 5011 §2.4.1 has validators wait 30 days for it); whoever validates from a file
// that does not name it finds every domain bogus on one day.
//
// In words: keys that are there, not revoked, and that no anchor names, with what they are to
// validators that follow RFC 5011 and from when on they may sign alone; or that all the keys that
// the anchors name are revoked. Null when all is well.
[[nodiscard]] std::optional<std::string> fault_of_anchors(const TrustAnchor& anchor,
                                                          const AnchorKeys& keys, config::Time at);

}  // namespace agent

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probes/dns/message.h"

// PURE
namespace agent {

// Whether the anchors that we validate from will go on being enough, by the DNSKEY RRset of their
// zone, which they validate now. The root publishes its next key long before it signs with nothing
// else (RFC 5011 §2.4.1 has validators wait 30 days for it); whoever validates from a file that
// does not name it finds every domain bogus on one day.
//
// In words: a key signing key that is not revoked and that no anchor names, or that all the keys
// that the anchors name are revoked. Null when all is well. `anchors`: DS or DNSKEY records;
// `keys`: data of DNSKEY records, proven.
[[nodiscard]] std::optional<std::string> fault_of_anchors(
    const std::vector<probes::dns::Record>& anchors, const std::vector<probes::dns::Bytes>& keys);

}  // namespace agent

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "probes/dane/tlsa.h"

// PURE
namespace probes::dane {

// Why an SMTP sender makes no use of a TLSA record (RFC 7672 §3.1.3, RFC 6698 §4.1). Null is not in
// the list: a record may be usable.
enum class Unusable {
  usage,          // PKIX-TA(0), PKIX-EE(1), or unassigned
  selector,       // unassigned
  matching_type,  // unassigned
  digest_length,  // not 32 or 64 octets
  empty,          // no data at all
  not_der,        // Full(0) data that is no certificate or public key
};
[[nodiscard]] std::string_view wire_name(Unusable reason);
// Whether the record was meant well and is broken, as opposed to being for somebody else.
[[nodiscard]] bool is_malformed(Unusable reason);

[[nodiscard]] std::optional<Unusable> why_unusable(const TlsaRecord& record);

// Which digests a sender knows and prefers.
enum class Digests {
  sha512_first,  // OpenSSL, Postfix: SHA2-512 before SHA2-256
  sha256_only,
};

// Indices of the records a sender compares: the usable ones, and of each (usage, selector) every
// Full(0) and only the strongest digest (RFC 7671 §9).
[[nodiscard]] std::vector<std::size_t> records_compared(const std::vector<TlsaRecord>& records,
                                                        Digests digests);

// In which digests one more record of this usage and selector is to be published beside these: each
// sender passes over all but the strongest that it knows, and one that compared none of these must
// not begin to, for it would refuse all that the new one is not for.
[[nodiscard]] std::vector<std::uint8_t> digests_beside(const std::vector<TlsaRecord>& records,
                                                       std::uint8_t usage, std::uint8_t selector);

}  // namespace probes::dane

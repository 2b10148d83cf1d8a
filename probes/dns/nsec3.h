#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "probes/dns/message.h"
#include "probes/dns/name.h"

// PURE
namespace probes::dns {

// One NSEC3 record (RFC 5155 §3.2). Names of hashes are kept as they stand in owners: base32hex, in
// lower case, whose order is that of the hashes.
struct Nsec3Span {
  Name zone;
  std::string from, to;
  bool has_opt_out = false;
  std::uint16_t iterations = 0;
  Bytes salt;
  std::vector<std::uint16_t> types;
};

[[nodiscard]] std::optional<Nsec3Span> read_nsec3(const Record& record);

// RFC 5155 §5. Empty where the library has no SHA-1.
[[nodiscard]] std::string hash_of(const Name& name, const Nsec3Span& span);

[[nodiscard]] bool covers(const Nsec3Span& span, const std::string& hash);

// RFC 4034 §4.1.2, in rising order; empty when it is malformed.
[[nodiscard]] std::vector<std::uint16_t> types_in_bitmap(std::span<const std::uint8_t> bitmap);

}  // namespace probes::dns

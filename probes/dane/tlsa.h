#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// PURE
// The TLSA record in its three forms: value, wire data, text (RFC 6698 §2).
namespace probes::dane {

using Bytes = std::vector<std::uint8_t>;

// RFC 6698 §2.1, acronyms of RFC 7218. Fields stay numbers: any octet may be published.
inline constexpr std::uint8_t kPkixTa = 0, kPkixEe = 1, kDaneTa = 2, kDaneEe = 3;
// Usages that want a CA's word besides (RFC 6698 §2.1.1).
[[nodiscard]] constexpr bool is_pkix(std::uint8_t usage) {
  return usage == kPkixTa || usage == kPkixEe;
}
inline constexpr std::uint8_t kCert = 0, kSpki = 1;
inline constexpr std::uint8_t kFull = 0, kSha256 = 1, kSha512 = 2;

struct TlsaRecord {
  std::uint8_t usage = 0;
  std::uint8_t selector = 0;
  std::uint8_t matching_type = 0;
  Bytes data;  // certificate association data
  auto operator<=>(const TlsaRecord&) const = default;
  bool operator==(const TlsaRecord&) const = default;
};

// RDATA as it came. Fewer than three octets is no TLSA record; three is one without data.
[[nodiscard]] std::optional<TlsaRecord> tlsa_from_wire(std::span<const std::uint8_t> rdata);
// RDATA too short to hold the three fields still makes the RRset non-empty: it stands for an
// unusable record.
[[nodiscard]] TlsaRecord tlsa_or_unusable(std::span<const std::uint8_t> rdata);

// "3 1 1 ab12…": blanks and parentheses between hexadecimal groups are allowed, as in zone files.
[[nodiscard]] std::optional<TlsaRecord> tlsa_from_text(std::string_view text);
[[nodiscard]] std::string to_text(const TlsaRecord& record);

// Lower-case hexadecimal, and back (nothing on an odd count or another character).
[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> octets);
[[nodiscard]] std::optional<Bytes> from_hex(std::string_view text);

}  // namespace probes::dane

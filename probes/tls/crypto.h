#pragma once

#include <optional>
#include <string>
#include <string_view>

// PURE
// OpenSSL's primitives for what is not a certificate. Strings stand for octets.
namespace probes::tls {

// RFC 4648 §4: one line, with padding.
[[nodiscard]] std::string base64(std::string_view octets);
// Nothing but the alphabet and its padding; no white space.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

// HMAC-SHA256 (RFC 2104) in lower-case hexadecimal.
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view text);

// For secrets: takes a time that depends on the lengths only.
[[nodiscard]] bool is_equal(std::string_view one, std::string_view other);

}  // namespace probes::tls

#pragma once

#include <string>
#include <string_view>

// PURE
namespace probes::net {

// As a part of a URL (RFC 3986 §2.3): what is unreserved stays, and so does what `plain` holds.
[[nodiscard]] std::string percent_encoded(std::string_view text, std::string_view plain = "");

}  // namespace probes::net

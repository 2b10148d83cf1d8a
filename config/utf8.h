#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// PURE
namespace config {

// Octets of the character at the front of a text, by RFC 3629 §4 (no surrogates, no longer forms
// than need be); 0 where it is not UTF-8 or the text is empty.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

[[nodiscard]] bool is_utf8(std::string_view text);

// The text with each octet that is of no character replaced by U+FFFD.
[[nodiscard]] std::string as_utf8(std::string_view text);

}  // namespace config

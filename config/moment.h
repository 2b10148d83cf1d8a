#pragma once

#include <optional>
#include <string_view>

#include "config/time.h"

// PURE
namespace config {

// RFC 3339 as others write it: with a fraction, which is dropped, an offset, a blank for the T, a
// leap second, and without a zone, which is UTC then.
[[nodiscard]] std::optional<Time> parse_moment(std::string_view text);

}  // namespace config

#pragma once

#include <string>

namespace support {

// The content of a file of tests/recorded; empty when there is none.
[[nodiscard]] std::string kept_in(const std::string& file);

}  // namespace support

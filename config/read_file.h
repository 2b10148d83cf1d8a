#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "config/result.h"

namespace config {

// The octets of a regular file, or the first `most` of them and one more: then it is longer. A pipe
// or a device is refused, and not waited for: whoever writes into it might never come; but a pipe
// that was handed over when we were started, as "/dev/fd/63", is read. The error is a phrase.
[[nodiscard]] Result<std::string, std::string> read_file(const std::filesystem::path& file,
                                                         std::size_t most);

}  // namespace config

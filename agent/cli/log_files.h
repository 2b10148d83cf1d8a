#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "config/result.h"

namespace agent {

// Calls `take` with every line of the file, without its end; "-" is standard input. What gzip
// compressed is read as it was before, by its first octets and not by its name. Of lines longer
// than probes::reports::kMostOfLine only the beginning is given; `octets` is how long it was. The
// error is a sentence: the file cannot be read, or ends before its compressed content does; the
// lines before that were given. `most`: no line that begins behind so many octets.
[[nodiscard]] config::Result<void, std::string> for_each_line(
    const std::filesystem::path& file,
    const std::function<void(std::string_view line, std::uint64_t octets)>& take,
    std::uint64_t most = UINT64_MAX);

}  // namespace agent

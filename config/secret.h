#pragma once

#include <filesystem>
#include <string>

#include "config/result.h"

namespace config {

// A secret from a file, without the line end behind it; the error names the file.
[[nodiscard]] Result<std::string, std::string> read_secret(const std::filesystem::path& file);

}  // namespace config

#pragma once

#include <filesystem>
#include <string>

#include "config/result.h"

namespace config {

// Adds a line with the domain (A-label form) to a file of `domain_lists`, which is replaced as a
// whole: whoever reads it finds the old one or the new one. What stands in it stays, and so do its
// mode and its place behind a symbolic link. False when the domain was there already. The error is
// a phrase: why the file cannot be read or written.
[[nodiscard]] Result<bool, std::string> add_to_domain_file(const std::filesystem::path& file,
                                                           const std::string& domain);

}  // namespace config

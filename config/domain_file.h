#pragma once

#include <filesystem>
#include <string>

#include "config/result.h"

namespace config {

// Adds a line with the domain (A-label form) to a file of `domain_lists`, which is replaced as a
// whole: whoever reads it finds the old one or the new one. What stands in it stays, and so do its
// mode and its place behind a symbolic link. The error is a phrase: the domain is there already,
// or the file cannot be written.
[[nodiscard]] Result<void, std::string> add_to_domain_file(const std::filesystem::path& file,
                                                           const std::string& domain);

}  // namespace config

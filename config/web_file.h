#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/load.h"
#include "config/result.h"

namespace config {

// The web configuration file of Prometheus and its exporters (exporter-toolkit): TLS, users with
// bcrypt hashes, headers. Of its keys those that WebFile holds are known, all others an error: what
// somebody wrote to be safer must not be passed over. Relative paths start at the file's folder. No
// error shows what stood in place of a hash.
[[nodiscard]] Result<WebFile, std::vector<LoadError>> parse_web_file(std::string_view text,
                                                                     std::string_view file_name);
[[nodiscard]] Result<WebFile, std::vector<LoadError>> load_web_file(
    const std::filesystem::path& file);

// Whether everybody on other machines could do everything, and nobody said that this is wanted.
[[nodiscard]] bool is_open_to_all(const Web& web);

}  // namespace config

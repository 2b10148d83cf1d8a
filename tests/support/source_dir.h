#pragma once

#include <filesystem>

namespace support {

// The root of the sources, for files that tests read as they are shipped.
[[nodiscard]] std::filesystem::path source_dir();

}  // namespace support

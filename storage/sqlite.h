#pragma once

#include <filesystem>
#include <memory>

#include "storage/engine.h"

namespace storage {

// A connection to a file of SQLite, which is made unless it is only to be read.
[[nodiscard]] std::unique_ptr<Engine> open_sqlite(const std::filesystem::path& file,
                                                  bool is_read_only);

}  // namespace storage

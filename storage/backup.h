#pragma once

#include <filesystem>
#include <string>

#include "config/result.h"

namespace storage {

// Copies the agent's database into a new file, complete as of one moment, while the agent runs and
// goes on writing. Both the database and the copy are checked through (PRAGMA integrity_check)
// before the copy gets its name, so that a file of that name is always a whole backup; only its
// owner may read it. The fault names the file and what is wrong with it; nothing is left behind
// then, and a file that is already there is never touched.
[[nodiscard]] config::Result<void, std::string> backup(const std::filesystem::path& database,
                                                       const std::filesystem::path& copy);

}  // namespace storage

#pragma once

#include <filesystem>
#include <optional>
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

// Puts a checked copy of a backup in the place of the database of an agent that is stopped: refused
// while one holds its lock. The old database is kept beside it, with the log that belongs to it,
// under the name that is given back (none when there was no database). At every moment, power cuts
// included, there is either the old one or the new one, and never a log beside it that is not its
// own. The new one belongs to whom the old one, or its folder, does. The fault names the file and
// what is wrong with it; then everything is as it was.
[[nodiscard]] config::Result<std::optional<std::filesystem::path>, std::string> restore(
    const std::filesystem::path& backup, const std::filesystem::path& database);

}  // namespace storage

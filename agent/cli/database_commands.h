#pragma once

#include <string>

#include "agent/cli/command.h"
#include "config/result.h"

namespace agent {

// Copies a database, which an agent may be using, into a new file; the error is a sentence.
using BackUp = std::function<config::Result<void, std::string>(
    const std::filesystem::path& database, const std::filesystem::path& copy)>;

// Puts a backup in the place of a database that no agent uses; where the old one is now, if there
// was one.
using Restore = std::function<config::Result<std::optional<std::filesystem::path>, std::string>(
    const std::filesystem::path& backup, const std::filesystem::path& database)>;

// Copies the history of a file into a database of PostgreSQL that holds none; how many rows.
using MigrateStorage = std::function<config::Result<std::int64_t, std::string>(
    const std::filesystem::path& database, const std::string& connection)>;

// `danelaw backup` and `danelaw restore`: the storage is that of a configuration file, or of the
// defaults.
[[nodiscard]] Command add_backup(CLI::App& app, BackUp back_up);
[[nodiscard]] Command add_restore(CLI::App& app, Restore restore);
[[nodiscard]] Command add_migrate_storage(CLI::App& app, MigrateStorage migrate);

}  // namespace agent

#include "agent/cli/database_commands.h"

#include <iostream>
#include <memory>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace agent {
namespace {

// Of `backup`, beside 0, 1 and kBadUsage: the package's preinst goes on then.
constexpr int kNothingToCopy = 2;

struct DatabaseFlags {
  std::filesystem::path backup;
  std::filesystem::path config_file;
};

void add_flags(CLI::App& app, DatabaseFlags& flags, const std::string& about_file) {
  app.add_option("FILE", flags.backup, about_file)->required();
  app.add_option("--config", flags.config_file, "configuration file, for storage.path");
}

std::optional<config::Config> settings_of(const DatabaseFlags& flags) {
  if (flags.config_file.empty()) return config::Config{};
  return load_or_complain(flags.config_file, for_storage());
}

int run_backup(const DatabaseFlags& flags, const BackUp& back_up) {
  const auto settings = settings_of(flags);
  if (!settings) return kBadUsage;
  if (!settings->storage.postgresql.empty()) {
    std::cerr
        << "the history is in PostgreSQL (storage.postgresql), which makes backups by its own "
           "means, e.g. pg_dump --format=custom --file=FILE (docs/postgresql.md)\n";
    return kNothingToCopy;
  }
  std::error_code ignored;
  const auto there = std::filesystem::symlink_status(settings->storage.path, ignored).type();
  if (there == std::filesystem::file_type::not_found) {
    std::cerr << fmt::format("{}: there is no such file\n", settings->storage.path.string());
    return kNothingToCopy;
  }
  const auto done = back_up(settings->storage.path, flags.backup);
  if (!done) std::cerr << done.error() << '\n';
  return done ? 0 : 1;
}

int run_restore(const DatabaseFlags& flags, const Restore& restore) {
  const auto settings = settings_of(flags);
  if (!settings) return 1;
  if (!settings->storage.postgresql.empty()) {
    std::cerr
        << "the history is in PostgreSQL (storage.postgresql), which takes backups back by its "
           "own means, e.g. pg_restore --clean (docs/postgresql.md)\n";
    return 1;
  }
  const auto& database = settings->storage.path;
  const auto kept = restore(flags.backup, database);
  if (!kept) {
    std::cerr << kept.error() << '\n';
    return 1;
  }
  std::cout << fmt::format("{} is now the backup {}", database.string(), flags.backup.string());
  if (*kept) std::cout << fmt::format("; the old one is kept as {}", (*kept)->string());
  std::cout << '\n';
  return 0;
}

struct MigrationFlags {
  std::string to;
  std::filesystem::path from, config_file;
};

int run_migration(const MigrationFlags& flags, const MigrateStorage& migrate) {
  auto from = flags.from;
  if (from.empty()) {
    const auto settings = flags.config_file.empty()
                              ? std::optional{config::Config{}}
                              : load_or_complain(flags.config_file, for_storage());
    if (!settings) return 1;
    from = settings->storage.path;
  }
  const auto rows = migrate(from, flags.to);
  if (!rows) {
    std::cerr << rows.error() << '\n';
    return 1;
  }
  std::cout << fmt::format(
      "{} rows are in PostgreSQL now, the same as in {}; name it with storage.postgresql instead "
      "of "
      "storage.path\n",
      *rows, from.string());
  return 0;
}

}  // namespace

Command add_backup(CLI::App& app, BackUp back_up) {
  const auto flags = std::make_shared<DatabaseFlags>();
  auto* command =
      app.add_subcommand("backup", "copy the database into a new file while the agent runs");
  add_flags(*command, *flags, "the file to make");
  return {command, [flags, back_up = std::move(back_up)] { return run_backup(*flags, back_up); }};
}

Command add_restore(CLI::App& app, Restore restore) {
  const auto flags = std::make_shared<DatabaseFlags>();
  auto* command = app.add_subcommand(
      "restore",
      "put a backup in the place of a stopped agent's database; the old one is kept beside it");
  add_flags(*command, *flags, "the backup");
  return {command, [flags, restore = std::move(restore)] { return run_restore(*flags, restore); }};
}

Command add_migrate_storage(CLI::App& app, MigrateStorage migrate) {
  const auto flags = std::make_shared<MigrationFlags>();
  auto* command = app.add_subcommand(
      "migrate-storage", "copy the history of a stopped agent into an empty PostgreSQL database");
  command->add_option("--to", flags->to, "the database, as storage.postgresql names it")
      ->required();
  command->add_option("--from", flags->from, "the SQLite file; default: storage.path");
  command->add_option("--config", flags->config_file, "configuration file, for storage.path");
  return {command,
          [flags, migrate = std::move(migrate)] { return run_migration(*flags, migrate); }};
}

}  // namespace agent

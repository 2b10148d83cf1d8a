#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "storage/database.h"

// A database that only one test knows: a file, or where the environment names a server of
// PostgreSQL (tests/support/postgresql.py), a schema of its own there.
namespace support {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    auto pattern = (std::filesystem::temp_directory_path() / "danelaw-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = pattern;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Of the server's superuser, as key=value pairs; nothing when SQLite is tested.
inline const char* postgresql_server() {
  return std::getenv("DANELAW_TEST_POSTGRESQL");
}

class TestDatabase {
 public:
  TestDatabase() : place_(folder_.path() / "danelaw.db") {
    if (postgresql_server() == nullptr) return;
    static int count = 0;
    schema_ = fmt::format("test_{}_{}", getpid(), ++count);
    administrate("CREATE SCHEMA " + schema_);
    place_ = storage::Place::postgresql(
        fmt::format("{} options='-c search_path={}'", postgresql_server(), schema_));
  }
  ~TestDatabase() {
    if (place_.is_postgresql()) administrate("DROP SCHEMA " + schema_ + " CASCADE");
  }
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;
  const storage::Place& place() const { return place_; }

 private:
  static void administrate(const std::string& sql) {
    storage::Database{storage::Place::postgresql(postgresql_server()),
                      storage::Database::Mode::create}
        .execute(sql);
  }

  TemporaryFolder folder_;
  storage::Place place_;
  std::string schema_;
};

}  // namespace support

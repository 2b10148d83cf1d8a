#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "config/result.h"

namespace storage {

// Keeps a second agent away from a database: two would record each other's looks as their own, and
// notify twice. Commands that only read, and backups, do not ask for it.
class DatabaseLock {
 public:
  // Takes it, without waiting, by flock(2) on DATABASE.lock, which is made and stays; the kernel
  // gives it back when the process ends in whatever way. The error names the process that has it,
  // and says what to do (`advice`).
  [[nodiscard]] static config::Result<DatabaseLock, std::string> take(
      const std::filesystem::path& database,
      std::string_view advice = "stop that one, or give this one a storage.path of its own");

  DatabaseLock() = default;
  DatabaseLock(DatabaseLock&& other) noexcept;
  DatabaseLock& operator=(DatabaseLock&& other) noexcept;
  ~DatabaseLock();

 private:
  explicit DatabaseLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace storage

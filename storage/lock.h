#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/result.h"
#include "storage/database.h"

namespace storage {

// Keeps a second agent away from a database: two would record each other's looks as their own, and
// notify twice. Commands that only read, and backups, do not ask for it.
class DatabaseLock {
 public:
  // Takes it, without waiting, by flock(2) on DATABASE.lock, which is made and stays; the kernel
  // gives it back when the process ends in whatever way. The error names the process that has it,
  // and says what to do (`advice`).
  // Of PostgreSQL it is an advisory lock, which ends with its session.
  [[nodiscard]] static config::Result<DatabaseLock, std::string> take(
      const Place& place,
      std::string_view advice = "stop that one, or give this one a database of its own");

  DatabaseLock() = default;
  DatabaseLock(DatabaseLock&& other) noexcept;
  DatabaseLock& operator=(DatabaseLock&& other) noexcept;
  ~DatabaseLock();

 private:
  static config::Result<DatabaseLock, std::string> take_of_server(const Place& place,
                                                                  std::string_view advice);
  explicit DatabaseLock(int fd) : fd_(fd) {}
  int fd_ = -1;
  std::unique_ptr<Database> session_;
};

// Whether this session of PostgreSQL has the advisory lock of the schema's agents, which it takes
// when nobody has it: databases of agents may be schemas of one. It ends with the session.
[[nodiscard]] bool has_server_lock(Database& session);
// Ends the sessions of others that have it: of an agent that gives no sign of life.
void end_server_lock(Database& session);
// The same of an agent's name, of which a session has one at most.
[[nodiscard]] bool has_name(Database& session, const std::string& name);
void end_name(Database& session, const std::string& name);

}  // namespace storage

#include "storage/lock.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "storage/files.h"

namespace storage {
namespace {

using config::Failure;
using config::Result;

// The process whose number is in the file, if it is one.
std::string holder(int fd) {
  std::array<char, 32> text{};
  const auto size = pread(fd, text.data(), text.size(), 0);
  int number = 0;
  const auto* end = text.data() + (size > 0 ? size : 0);
  if (std::from_chars(text.data(), end, number).ec != std::errc{} || number <= 0)
    return "another process";
  return fmt::format("process {}", number);
}

// Kinds of advisory locks, of which a session has one at most; `of` tells those of one kind apart.
constexpr const char* kLeads = "danelaw";
constexpr const char* kNamed = "danelaw agent";

bool has_advisory_lock(Database& session, const char* kind, const std::string& of) {
  auto row = session.prepare(
      "SELECT CASE WHEN EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' "
      "AND pid = pg_backend_pid() AND classid = hashtext(?1)::oid) THEN 1 "
      "WHEN pg_try_advisory_lock(hashtext(?1), hashtext(current_schema()::text || ?2::text)) "
      "THEN 1 ELSE 0 END");
  return row.bind(kind, of).step() && row.integer(0) != 0;
}

// The server waits until they have ended.
void end_advisory_lock(Database& session, const char* kind, const std::string& of) {
  auto row = session.prepare(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND "
      "classid = hashtext(?1)::oid AND objid = hashtext(current_schema()::text || ?2::text)::oid "
      "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND "
      "pid <> pg_backend_pid()");
  row.bind(kind, of);
  while (row.step()) {
  }
}

}  // namespace

Result<DatabaseLock, std::string> DatabaseLock::take(const Place& place, std::string_view advice) {
  if (place.is_postgresql()) return take_of_server(place, advice);
  const auto& database = place.file();
  // One lock for one database, by whatever links it is named.
  std::error_code ignored;
  auto path = std::filesystem::weakly_canonical(database, ignored);
  if (ignored) path = database;
  path += ".lock";
  // The database may hold what is nobody else's business, and so may its lock be left alone.
  DatabaseLock lock{open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (lock.fd_ < 0) {
    return Failure<std::string>(
        fmt::format("{}: cannot be made: {}; the folder of storage.path "
                    "must exist and be writable for the agent",
                    path.string(), std::generic_category().message(errno)));
  }
  give_to_owner_of(database, lock.fd_);
  if (flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return Failure<std::string>(
          fmt::format("{}: {}", path.string(), std::generic_category().message(errno)));
    }
    return Failure<std::string>(fmt::format("{} is in use by another agent ({}): {}",
                                            database.string(), holder(lock.fd_), advice));
  }
  // For the message above only; a full disk must not keep an agent from starting.
  const auto number = fmt::format("{}\n", getpid());
  if (ftruncate(lock.fd_, 0) == 0) [[maybe_unused]]
    const auto written = pwrite(lock.fd_, number.data(), number.size(), 0);
  return lock;
}

bool has_server_lock(Database& session) {
  return has_advisory_lock(session, kLeads, {});
}
void end_server_lock(Database& session) {
  end_advisory_lock(session, kLeads, {});
}

bool has_name(Database& session, const std::string& name) {
  return has_advisory_lock(session, kNamed, name);
}
void end_name(Database& session, const std::string& name) {
  end_advisory_lock(session, kNamed, name);
}

Result<DatabaseLock, std::string> DatabaseLock::take_of_server(const Place& place,
                                                               std::string_view advice) {
  auto done = guarded<std::string>(place, [&] {
    DatabaseLock lock{-1};
    lock.session_ = std::make_unique<Database>(place, Database::Mode::create);
    if (!has_server_lock(*lock.session_)) lock.session_.reset();
    return lock;
  });
  if (done && !done->session_)
    return Failure<std::string>(
        fmt::format("{} is in use by another agent: {}", place.words(), advice));
  return done;
}

DatabaseLock::DatabaseLock(DatabaseLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), session_(std::move(other.session_)) {}

DatabaseLock& DatabaseLock::operator=(DatabaseLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(session_, other.session_);
  return *this;
}

DatabaseLock::~DatabaseLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace storage

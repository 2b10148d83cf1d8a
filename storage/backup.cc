#include "storage/backup.h"

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "storage/database.h"
#include "storage/files.h"
#include "storage/lock.h"
#include "storage/schema.h"

namespace storage {
namespace {

// The copy under the name it has until it is whole: made beside it, for its owner alone, and
// removed however the work ends.
class Unfinished {
 public:
  explicit Unfinished(const std::filesystem::path& copy) : path_(copy.string() + ".XXXXXX") {
    descriptor_ = mkostemp(path_.data(), O_CLOEXEC);
    if (descriptor_ < 0) throw Fault(std::generic_category().message(errno));
  }
  ~Unfinished() {
    close(descriptor_);
    unlink(path_.c_str());
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  void sync() const {
    if (fsync(descriptor_) != 0) throw Fault(std::generic_category().message(errno));
  }

 private:
  std::string path_;
  int descriptor_ = -1;
};

void check(Database& db) {
  auto statement = db.prepare("PRAGMA integrity_check(1)");
  if (!statement.step() || statement.text(0) != "ok")
    throw Fault(fmt::format("it is damaged: {}", statement.text(0)));
}

void check_ours(Database& db) {
  if (!is_ours(db)) throw Fault("it is not a database of danelaw");
  check(db);
}

// One that this program can use.
void check_backup(const std::filesystem::path& backup) {
  Database db{backup, Database::Mode::read_only};
  check_ours(db);
  refuse_newer(db);
}

void copy_to(const std::filesystem::path& database, const std::filesystem::path& copy) {
  if (std::filesystem::exists(std::filesystem::symlink_status(copy)))
    throw Fault("it is already there; name another");
  const Unfinished made{copy};
  // SQLite fills a file that is empty, and reads the source as of one moment.
  Database{database, Database::Mode::read_only}.prepare("VACUUM INTO ?").bind(made.path()).run();
  Database whole{std::filesystem::path{made.path()}, Database::Mode::read_only};
  check(whole);
  made.sync();
  // A link, unlike a rename, never replaces what somebody has put there meanwhile.
  std::filesystem::create_hard_link(made.path(), copy);
}

// What was done to names in a folder outlives a power cut.
void sync_folder(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path{"."};
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) throw Fault(std::generic_category().message(errno));
  const bool is_done = fsync(fd) == 0;
  const auto why = errno;
  close(fd);
  if (!is_done) throw Fault(std::generic_category().message(why));
}

bool is_there(const std::filesystem::path& file) {
  return std::filesystem::exists(std::filesystem::symlink_status(file));
}

// A name beside the database that neither it nor what belongs to it has.
std::filesystem::path free_name(const std::filesystem::path& database) {
  for (int i = 1;; ++i) {
    auto out = database;
    out += i == 1 ? ".before-restore" : fmt::format(".before-restore-{}", i);
    if (!is_there(out) && !is_there(out.string() + "-wal")) return out;
  }
}

// Gives the database and its log the other name; undone at the end unless committed. Until the
// database is replaced it has both names.
class SetAside {
 public:
  SetAside(std::filesystem::path database, std::filesystem::path kept)
      : database_(std::move(database)), kept_(std::move(kept)) {
    std::filesystem::create_hard_link(database_, kept_);
    try {
      if (is_there(wal(database_))) std::filesystem::rename(wal(database_), wal(kept_));
    } catch (...) {
      undo();
      throw;
    }
  }
  ~SetAside() {
    if (!is_committed_) undo();
  }
  SetAside(const SetAside&) = delete;
  SetAside& operator=(const SetAside&) = delete;
  void commit() { is_committed_ = true; }

 private:
  static std::filesystem::path wal(const std::filesystem::path& of) { return of.string() + "-wal"; }
  void undo() const {
    std::error_code ignored;
    if (is_there(wal(kept_))) std::filesystem::rename(wal(kept_), wal(database_), ignored);
    std::filesystem::remove(kept_, ignored);
  }

  std::filesystem::path database_, kept_;
  bool is_committed_ = false;
};

// Whatever lies beside a database and is not its own would be taken for its own.
void remove_companions(const std::filesystem::path& database) {
  for (const auto* companion : kCompanions) std::filesystem::remove(database.string() + companion);
}

std::optional<std::filesystem::path> put_in_place(const std::filesystem::path& backup,
                                                  const std::filesystem::path& database) {
  const Unfinished made{database};
  Database{backup, Database::Mode::read_only}.prepare("VACUUM INTO ?").bind(made.path()).run();
  {
    Database whole{std::filesystem::path{made.path()}, Database::Mode::create};
    migrate(whole);
    check(whole);
  }
  give_to_owner_of(database, made.descriptor());
  made.sync();
  std::optional<std::filesystem::path> kept;
  std::optional<SetAside> set_aside;
  if (is_there(database)) set_aside.emplace(database, *(kept = free_name(database)));
  remove_companions(database);
  sync_folder(database);
  std::filesystem::rename(made.path(), database);
  if (set_aside) set_aside->commit();
  sync_folder(database);
  return kept;
}

}  // namespace

config::Result<std::optional<std::filesystem::path>, std::string> restore(
    const std::filesystem::path& backup, const std::filesystem::path& database) {
  // A link stays one: what it leads to is replaced.
  std::error_code ignored;
  auto place = std::filesystem::weakly_canonical(database, ignored);
  if (ignored) place = database;
  const auto* at = &backup;
  try {
    if (!is_there(backup)) throw Fault("there is no such file");
    if (std::filesystem::equivalent(backup, place, ignored))
      throw Fault("it is the database itself; name a backup of it");
    check_backup(backup);
    at = &database;
    const auto lock = DatabaseLock::take(place, "stop that one first");
    if (!lock) return config::Failure<std::string>(lock.error());
    return put_in_place(backup, place);
  } catch (const std::exception& fault) {
    return config::Failure<std::string>(fmt::format("{}: {}", at->string(), fault.what()));
  }
}

config::Result<void, std::string> backup(const std::filesystem::path& database,
                                         const std::filesystem::path& copy) {
  const auto* at = &database;
  try {
    {
      Database db{database, Database::Mode::read_only};
      check_ours(db);
    }
    at = &copy;
    copy_to(database, copy);
    return {};
  } catch (const std::exception& fault) {
    return config::Failure<std::string>(fmt::format("{}: {}", at->string(), fault.what()));
  }
}

}  // namespace storage

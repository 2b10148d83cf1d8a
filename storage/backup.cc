#include "storage/backup.h"

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "storage/schema.h"
#include "storage/sqlite.h"

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

void check_ours(const std::filesystem::path& database) {
  Database db{database, Database::Mode::read_only};
  if (!is_ours(db)) throw Fault("it is not a database of danelaw");
  check(db);
}

void copy_to(const std::filesystem::path& database, const std::filesystem::path& copy) {
  if (std::filesystem::exists(std::filesystem::symlink_status(copy)))
    throw Fault("it is already there; name another");
  const Unfinished made{copy};
  // SQLite fills a file that is empty, and reads the source as of one moment.
  Database{database, Database::Mode::read_only}.prepare("VACUUM INTO ?").bind(made.path()).run();
  Database whole{made.path(), Database::Mode::read_only};
  check(whole);
  made.sync();
  // A link, unlike a rename, never replaces what somebody has put there meanwhile.
  std::filesystem::create_hard_link(made.path(), copy);
}

}  // namespace

config::Result<void, std::string> backup(const std::filesystem::path& database,
                                         const std::filesystem::path& copy) {
  const auto* at = &database;
  try {
    check_ours(database);
    at = &copy;
    copy_to(database, copy);
    return {};
  } catch (const std::exception& fault) {
    return config::Failure<std::string>(fmt::format("{}: {}", at->string(), fault.what()));
  }
}

}  // namespace storage

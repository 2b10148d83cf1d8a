#include "storage/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace storage {

void create_private(const std::filesystem::path& database) {
  const int fd = open(database.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0) close(fd);  // else SQLite says why
}

void make_private(const std::filesystem::path& database) {
  const auto restrict = [](const std::filesystem::path& file) {
    struct stat found {};
    constexpr mode_t kOthers = 077;
    if (stat(file.c_str(), &found) != 0 || (found.st_mode & kOthers) == 0) return;
    // Another's file that we may write: its rights are for its owner to give.
    (void)!chmod(file.c_str(), found.st_mode & 07777 & ~kOthers);
  };
  restrict(database);
  for (const auto* companion : kCompanions) restrict(database.string() + companion);
}

void give_to_owner_of(const std::filesystem::path& database, int fd) {
  if (geteuid() != 0) return;
  struct stat given {};
  // Nothing else that somebody has given this name, too.
  if (fstat(fd, &given) != 0 || !S_ISREG(given.st_mode) || given.st_nlink != 1) return;
  struct stat found {};
  const auto folder = database.has_parent_path() ? database.parent_path() : ".";
  if (stat(database.c_str(), &found) == 0 || stat(folder.c_str(), &found) == 0)
    (void)!fchown(fd, found.st_uid, found.st_gid);
}

}  // namespace storage

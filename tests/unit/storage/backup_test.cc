#include "storage/backup.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "storage/lock.h"
#include "tests/unit/storage/store.h"

namespace {

using storage::backup;
using storage::Database;
using support::Store;
using support::TemporaryFolder;
using testing::HasSubstr;
using testing::StartsWith;

std::size_t files_in(const TemporaryFolder& folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator{folder.path()}, {}));
}

void write(const std::filesystem::path& file, const std::string& text, std::streamoff at = 0) {
  std::fstream out{file, at == 0 ? std::ios::out : std::ios::in | std::ios::out | std::ios::binary};
  out.seekp(at);
  out << text;
}

TEST(Backup, HoldsWhatTheRunningAgentHasWritten) {
  Store store;  // stays open, with its write-ahead log
  store.keep_only({{.name = "example.test"}});
  const TemporaryFolder folder;
  const auto copy = folder.path() / "copy.db";
  ASSERT_TRUE(backup(store.file(), copy));
  EXPECT_EQ(files_in(folder), 1U);
  struct stat is {};
  ASSERT_EQ(stat(copy.c_str(), &is), 0);
  EXPECT_EQ(is.st_mode & 0777U, 0600U);
  Database db{copy, Database::Mode::read_only};
  EXPECT_EQ(db.integer("SELECT count(*) FROM domain WHERE name = 'example.test'"), 1);
  EXPECT_TRUE(storage::DatabaseRecorder::open(copy));  // the agent can go on from it
}

TEST(Backup, NeverTouchesAFileThatIsThere) {
  Store store;
  const TemporaryFolder folder;
  const auto copy = folder.path() / "precious";
  write(copy, "words");
  const auto done = backup(store.file(), copy);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), copy.string() + ": it is already there; name another");
  EXPECT_EQ(std::filesystem::file_size(copy), 5U);
  EXPECT_EQ(files_in(folder), 1U);
}

TEST(Backup, RefusesWhatIsNotOurDatabase) {
  const TemporaryFolder folder;
  const auto source = folder.path() / "source";
  const auto copy = folder.path() / "copy";
  EXPECT_THAT(backup(source, copy).error(), StartsWith(source.string() + ": "));  // absent
  write(source, "no database, but long enough for somebody to take it for one");
  EXPECT_THAT(backup(source, copy).error(), StartsWith(source.string() + ": "));
  std::filesystem::remove(source);
  Database{source, Database::Mode::create}.execute("CREATE TABLE theirs (a)");
  EXPECT_THAT(backup(source, copy).error(), HasSubstr("not a database of danelaw"));
  EXPECT_FALSE(std::filesystem::exists(copy));
}

TEST(Backup, TellsOfADamagedDatabaseInsteadOfCopyingIt) {
  const TemporaryFolder folder;
  const auto source = folder.path() / "source";
  const auto copy = folder.path() / "copy";
  {
    Store store;
    ASSERT_TRUE(backup(store.file(), source));
  }
  // The page behind the first: a table or an index, whose header says how it is laid out.
  write(source, std::string(64, '\xff'), 4096);
  EXPECT_THAT(backup(source, copy).error(), StartsWith(source.string() + ": "));
  EXPECT_EQ(files_in(folder), 1U);
}

TEST(Backup, LeavesNothingWhereItCannotWrite) {
  Store store;
  const TemporaryFolder folder;
  const auto copy = folder.path() / "absent" / "copy";
  EXPECT_EQ(backup(store.file(), copy).error(), copy.string() + ": No such file or directory");
}

// ---- restore

bool has_domain(const std::filesystem::path& file, const std::string& name) {
  Database db{file, Database::Mode::read_only};
  return db.integer("SELECT count(*) FROM domain WHERE name = '" + name + "'") == 1;
}

// A backup that knows before.test, of a store that by now knows after.test.
struct Restorable {
  Store store;
  TemporaryFolder folder;
  std::filesystem::path copy = folder.path() / "copy.db";
  Restorable() {
    store.keep_only({{.name = "before.test"}});
    if (!backup(store.file(), copy)) throw std::runtime_error("no backup");
    store.keep_only({{.name = "after.test"}});
  }
  std::filesystem::path beside(const std::string& suffix) const {
    return store.file().string() + suffix;
  }
};

TEST(Restore, PutsTheBackupInThePlaceOfTheDatabaseAndKeepsThat) {
  Restorable at;
  at.store.close();
  const auto kept = storage::restore(at.copy, at.store.file());
  ASSERT_TRUE(kept) << kept.error();
  EXPECT_EQ(*kept, at.beside(".before-restore"));
  EXPECT_TRUE(has_domain(at.store.file(), "before.test"));
  EXPECT_TRUE(has_domain(**kept, "after.test"));
  struct stat is {};
  ASSERT_EQ(stat(at.store.file().c_str(), &is), 0);
  EXPECT_EQ(is.st_mode & 0777U, 0600U);
  at.store.reopen();  // the agent goes on from it
  EXPECT_EQ(at.store.recorder().damage(), std::nullopt);
  at.store.close();
  const auto again = storage::restore(at.copy, at.store.file());
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(*again, at.beside(".before-restore-2"));
}

// As after kill -9: what was written last is in the log only, and the log is not the backup's.
TEST(Restore, LeavesNoLogOfTheOldDatabaseBesideTheNewOne) {
  Restorable at;
  const TemporaryFolder crashed;
  const auto file = crashed.path() / "danelaw.db";
  for (const auto* suffix : {"", "-wal", "-shm"})
    std::filesystem::copy_file(at.beside(suffix), file.string() + suffix);
  ASSERT_GT(std::filesystem::file_size(file.string() + "-wal"), 0U);
  const auto kept = storage::restore(at.copy, file);
  ASSERT_TRUE(kept) << kept.error();
  EXPECT_FALSE(std::filesystem::exists(file.string() + "-wal"));
  EXPECT_FALSE(std::filesystem::exists(file.string() + "-shm"));
  EXPECT_TRUE(has_domain(file, "before.test"));
  EXPECT_FALSE(has_domain(file, "after.test"));
  EXPECT_TRUE(has_domain(**kept, "after.test")) << "with the log that belongs to it";
}

TEST(Restore, TakesAwayALogWithoutADatabase) {
  Restorable at;
  const TemporaryFolder bare;
  const auto file = bare.path() / "danelaw.db";
  write(file.string() + "-wal", "stale");
  const auto kept = storage::restore(at.copy, file);
  ASSERT_TRUE(kept) << kept.error();
  EXPECT_EQ(*kept, std::nullopt);
  EXPECT_TRUE(has_domain(file, "before.test"));
}

TEST(Restore, RefusesWhileAnAgentHasTheDatabase) {
  Restorable at;
  const auto lock = storage::DatabaseLock::take(at.store.file());
  ASSERT_TRUE(lock);
  const auto kept = storage::restore(at.copy, at.store.file());
  ASSERT_FALSE(kept);
  EXPECT_THAT(kept.error(), HasSubstr("in use by another agent"));
  EXPECT_THAT(kept.error(), HasSubstr("stop that one first"));
  EXPECT_TRUE(has_domain(at.store.file(), "after.test"));
}

TEST(Restore, RefusesADamagedBackupAndWhatIsNoneAndLeavesEverythingAsItWas) {
  Restorable at;
  at.store.close();
  const auto before = files_in(at.folder);
  write(at.copy, std::string(4096, 'x'),
        static_cast<std::streamoff>(std::filesystem::file_size(at.copy) / 2 / 4096 * 4096));
  const auto other = at.folder.path() / "other";
  std::ofstream{other} << "words, many words, that are no database of anybody's at all";
  const TemporaryFolder elsewhere;
  const auto newer = elsewhere.path() / "newer.db";
  ASSERT_TRUE(backup(at.store.file(), newer));
  Database{newer, Database::Mode::create}.execute("PRAGMA user_version = 999");
  for (const auto& wrong : {at.copy, other, at.folder.path() / "none", at.store.file(), newer}) {
    const auto kept = storage::restore(wrong, at.store.file());
    ASSERT_FALSE(kept) << wrong;
    EXPECT_THAT(kept.error(), StartsWith(wrong.string() + ": "));
  }
  EXPECT_EQ(files_in(at.folder), before + 1);
  EXPECT_TRUE(has_domain(at.store.file(), "after.test"));
  EXPECT_FALSE(std::filesystem::exists(at.beside(".before-restore")));
}

}  // namespace

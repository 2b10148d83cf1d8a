#include "storage/backup.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

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
  EXPECT_TRUE(storage::SqliteRecorder::open(copy));  // the agent can go on from it
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

}  // namespace

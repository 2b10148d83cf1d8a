#include "storage/lock.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace storage {
namespace {

using testing::HasSubstr;

class LockTest : public testing::Test {
 protected:
  LockTest() { std::filesystem::create_directories(folder_); }
  ~LockTest() override { std::filesystem::remove_all(folder_); }
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("danelaw-lock-" + std::to_string(getpid()));
  const std::filesystem::path database_ = folder_ / "danelaw.db";
};

TEST_F(LockTest, ASecondIsRefusedAndNamesTheFirst) {
  const auto first = DatabaseLock::take(database_);
  ASSERT_TRUE(first) << first.error();
  const auto second = DatabaseLock::take(database_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), HasSubstr("process " + std::to_string(getpid())));
  EXPECT_THAT(second.error(), HasSubstr(database_.string()));
}

TEST_F(LockTest, AnotherNameOfTheSameDatabaseDoesNotHelp) {
  std::ofstream(database_) << "";
  std::filesystem::create_symlink(database_, folder_ / "link.db");
  const auto first = DatabaseLock::take(database_);
  ASSERT_TRUE(first);
  EXPECT_FALSE(DatabaseLock::take(folder_ / "link.db"));
  EXPECT_FALSE(DatabaseLock::take(folder_ / "." / "danelaw.db"));
}

TEST_F(LockTest, ItEndsWithItsOwnerInWhateverWay) {
  {
    const auto first = DatabaseLock::take(database_);
    ASSERT_TRUE(first);
  }
  const auto child = fork();
  if (child == 0) {
    const auto taken = DatabaseLock::take(database_);
    if (!taken) _exit(1);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << "it had the lock";
  EXPECT_TRUE(DatabaseLock::take(database_));
}

TEST_F(LockTest, DatabasesBesideEachOtherHaveTheirOwn) {
  const auto first = DatabaseLock::take(database_);
  EXPECT_TRUE(DatabaseLock::take(folder_ / "other.db"));
}

TEST_F(LockTest, AFolderThatIsMissingIsNamed) {
  const auto lock = DatabaseLock::take(folder_ / "missing" / "danelaw.db");
  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error(), HasSubstr("must exist and be writable"));
}

}  // namespace
}  // namespace storage

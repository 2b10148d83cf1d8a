#include "storage/schema.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/storage/store.h"

namespace {

using storage::Database;
using storage::SqliteRecorder;
using support::Store;
using support::TemporaryFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// Why the agent will not use the file.
std::string refusal(const std::filesystem::path& file) {
  const auto opened = SqliteRecorder::open(file);
  return opened ? "opened" : opened.error().detail;
}

auto names_and_says(const std::filesystem::path& file, const std::string& why) {
  return AllOf(StartsWith("cannot use " + file.string() + " as database: "), HasSubstr(why),
               HasSubstr("name another with storage.path"));
}

TEST(Schema, OpeningAgainLeavesTheFileAsItWas) {
  Store store;
  store.keep_only({{.name = "example.test"}});
  store.reopen();
  EXPECT_THAT(store.rows("SELECT name FROM domain"), ElementsAre("example.test"));
}

TEST(Schema, RefusesAnotherProgramsDatabaseAndDoesNotTouchIt) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "theirs.db";
  Database theirs{file, Database::Mode::create};
  theirs.execute("CREATE TABLE cookies(name TEXT)");
  EXPECT_THAT(refusal(file), names_and_says(file, "the file is another program's database"));
  EXPECT_EQ(theirs.integer("SELECT count(*) FROM sqlite_schema"), 1);
  auto mode = theirs.prepare("PRAGMA journal_mode");
  ASSERT_TRUE(mode.step());
  EXPECT_EQ(mode.text(0), "delete");
}

TEST(Schema, RefusesAFileOfANewerDanelaw) {
  Store store;
  const auto version = store.outside().integer("PRAGMA user_version");
  store.outside().execute("PRAGMA user_version = 999");
  EXPECT_THAT(
      refusal(store.file()),
      names_and_says(store.file(), "written by a newer danelaw (schema 999; this one knows " +
                                       std::to_string(version) + ")"));
}

TEST(Schema, RefusesAFileThatIsNoDatabaseAndLeavesIt) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "notes.txt";
  const std::string text =
      "Nothing that SQLite would know, but longer than its header: " + std::string(200, '.') + "\n";
  std::ofstream{file} << text;
  EXPECT_THAT(refusal(file), names_and_says(file, "file is not a database"));
  std::ifstream again{file};
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(again), {}), text);
}

TEST(Schema, SaysWhichPathItCannotUse) {
  const TemporaryFolder folder;
  for (const auto& file : {folder.path() / "missing" / "danelaw.db", folder.path(),
                           std::filesystem::path("/proc/danelaw.db")}) {
    EXPECT_THAT(refusal(file), names_and_says(file, "unable to open database file"));
  }
}

}  // namespace

#include "storage/schema.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/finish.h"
#include "tests/unit/storage/store.h"

namespace {

using storage::Database;
using storage::DatabaseRecorder;
using support::Store;
using support::TemporaryFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// Why the agent will not use the file.
std::string refusal(const std::filesystem::path& file) {
  const auto opened = DatabaseRecorder::open(file);
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

// As schema 2 had it.
constexpr auto kSchema2 = R"(
PRAGMA application_id = 1145130565; PRAGMA user_version = 2;
CREATE TABLE content (id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE);
CREATE TABLE version (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, content INTEGER NOT NULL REFERENCES content(id),
  first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, is_open INTEGER NOT NULL);
CREATE UNIQUE INDEX version_open ON version(kind, subject) WHERE is_open;
CREATE INDEX version_by_subject ON version(kind, subject, first_seen);
CREATE TABLE domain (
  name TEXT PRIMARY KEY, role TEXT NOT NULL, grp TEXT NOT NULL, verdict TEXT, weakest TEXT,
  severity TEXT NOT NULL DEFAULT 'info', status TEXT NOT NULL DEFAULT 'unknown',
  worst_code TEXT, worst_severity TEXT, worst_title TEXT,
  mx_hosts INTEGER NOT NULL DEFAULT 0, dane_mx_hosts INTEGER NOT NULL DEFAULT 0,
  observed_at INTEGER, next_check_at INTEGER, report TEXT) WITHOUT ROWID;
CREATE INDEX domain_by_status ON domain(status, name);
CREATE TABLE alert (
  id TEXT PRIMARY KEY, state TEXT NOT NULL, code TEXT NOT NULL, subject_kind TEXT NOT NULL, subject_name TEXT NOT NULL,
  severity TEXT NOT NULL, finding TEXT NOT NULL, domains TEXT NOT NULL, first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL, opened INTEGER, resolved INTEGER, looks_seen INTEGER NOT NULL,
  looks_clean INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX alert_by_state ON alert(state, last_seen);
CREATE TABLE transition (
  id INTEGER PRIMARY KEY, at INTEGER NOT NULL, alert TEXT NOT NULL, what TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE certificate (sha256 TEXT PRIMARY KEY, der BLOB NOT NULL) WITHOUT ROWID;
)";

TEST(Schema, AnOlderFileKeepsItsHistoryAndGoesOn) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "danelaw.db";
  const auto& leaf = *support::Pki::get().leaf.certificate;
  const auto sha256 = probes::dane::to_hex(leaf.sha256);
  {
    Database old{file, Database::Mode::create};
    old.execute(kSchema2);
    old.prepare("INSERT INTO certificate VALUES(?, ?)").bind(sha256, leaf.der).run();
    old.prepare("INSERT INTO content VALUES(7, ?)").bind("[\"" + sha256 + "\"]").run();
    old.execute(
        "INSERT INTO version VALUES(1, 'chain', 'mx.example.test|192.0.2.1/default', 7, 5, 6, 1),"
        "(2, 'chain', 'mx.example.test|192.0.2.2/default', 7, 1, 2, 0)");
  }
  const auto opened = DatabaseRecorder::open(file);
  ASSERT_TRUE(opened);
  const auto kept = (*opened)->host_history(support::name("mx.example.test"), config::Time{});
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->endpoints.size(), 2U);
  const auto& presented = kept->endpoints.at("192.0.2.1/default").at(0);
  EXPECT_EQ(presented.first_seen.time_since_epoch().count(), 5);
  EXPECT_EQ(presented.what.at(0)->der, leaf.der);

  // The same chain, seen again, is no news.
  support::Scene scene;
  scene.serve({support::Pki::get().leaf.certificate});
  ASSERT_TRUE((*opened)->record(support::host_round(scene)));
  ASSERT_TRUE(support::finish((*opened)->forget(support::kNow)));  // the closed version
  Database db{file, Database::Mode::read_only};
  EXPECT_EQ(db.integer("SELECT last_seen FROM version WHERE id = 1 AND is_open"),
            support::kNow.time_since_epoch().count());
  EXPECT_EQ(db.integer("SELECT count(*) FROM version WHERE id = 2"), 0);
  EXPECT_EQ(db.integer("SELECT count(*) FROM certificate"), 1);
  EXPECT_FALSE(db.prepare("PRAGMA foreign_key_check").step());
}

}  // namespace

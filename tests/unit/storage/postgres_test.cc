#include "storage/postgres.h"

#include <algorithm>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/outbox.h"
#include "storage/schema.h"
#include "tests/unit/storage/store.h"

// What PostgreSQL has that a file has not: a server, a way to it, others beside us.
namespace {

using storage::Database;
using storage::DatabaseRecorder;
using storage::Place;
using support::kMinute;
using support::kNow;
using support::Store;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class Postgresql : public testing::Test {
 protected:
  void SetUp() override {
    if (support::postgresql_server() == nullptr)
      GTEST_SKIP() << "tests/support/postgresql.py gives it a server";
  }
  // Ends all other sessions, as a server that is restarted.
  static void cut(Store& store) {
    store.outside().execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> "
        "pg_backend_pid() AND backend_type = 'client backend'");
  }
};

// Columns of all tables, of which the schemas of both engines have the same.
std::vector<std::string> columns(Database& db) {
  std::vector<std::string> out;
  for (const auto& table : db.tables()) {
    if (table == "schema_version" || table == "leader") continue;
    auto rows =
        db.prepare(db.is_postgresql() ? "SELECT column_name FROM information_schema.columns WHERE "
                                        "table_schema = current_schema() AND table_name = ?"
                                      : "SELECT name FROM pragma_table_info(?)");
    rows.bind(table);
    while (rows.step()) out.push_back(table + "." + rows.text(0));
  }
  std::ranges::sort(out);
  return out;
}

TEST_F(Postgresql, HasTheSchemaOfAFile) {
  Store store;
  const support::TemporaryFolder folder;
  Database file{folder.path() / "danelaw.db", Database::Mode::create};
  storage::migrate(file);
  EXPECT_EQ(columns(store.outside()), columns(file));
}

TEST_F(Postgresql, IsLeftAloneWhereItIsAnotherPrograms) {
  const support::TestDatabase theirs;
  Database db{theirs.place(), Database::Mode::create};
  db.execute("CREATE TABLE cookies(name TEXT)");
  const auto opened = DatabaseRecorder::open(theirs.place());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().detail, HasSubstr("another program's tables"));
  EXPECT_THAT(opened.error().detail, HasSubstr("storage.postgresql"));
  EXPECT_THAT(db.tables(), ElementsAre("cookies"));
}

TEST_F(Postgresql, OfANewerDanelawIsRefused) {
  Store store;
  store.outside().execute("UPDATE schema_version SET version = 999");
  const auto opened = DatabaseRecorder::open(store.place());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().detail, HasSubstr("written by a newer danelaw (schema 999"));
}

TEST_F(Postgresql, IsMadeOnceByAllThatBeginAtOnce) {
  const support::TestDatabase database;
  std::vector<std::thread> agents;
  std::atomic<int> opened{0};
  for (int i = 0; i < 4; ++i)
    agents.emplace_back([&] {
      if (DatabaseRecorder::open(database.place())) ++opened;
    });
  for (auto& agent : agents) agent.join();
  EXPECT_EQ(opened, 4);
}

TEST_F(Postgresql, GoesOnWithANewSessionWhereTheLastWasLost) {
  Store store;
  const auto queries = store.queries();
  const support::Scene scene;
  store.record(support::host_round(scene));
  store.record(support::host_round(scene, kNow + kMinute));  // by now its statements are prepared
  cut(store);
  store.record(support::host_round(scene, kNow + 2 * kMinute));
  EXPECT_THAT(store.versions("tlsa"), ElementsAre("0..120 open"));
  EXPECT_TRUE(queries->domains());
  EXPECT_TRUE(store.recorder().restore(kNow));
}

// A replica may come to lead before it had everything.
TEST_F(Postgresql, RecordsAnewWhatTheServerOfTheNextSessionLacks) {
  Store store;
  const support::Scene scene;
  store.record(support::host_round(scene));
  EXPECT_THAT(store.versions("tlsa"), ElementsAre("0..0 open"));
  store.outside().execute("DELETE FROM version; DELETE FROM subject");
  cut(store);
  store.record(support::host_round(scene, kNow + kMinute));
  EXPECT_THAT(store.versions("tlsa"), ElementsAre("60..60 open"));
}

TEST_F(Postgresql, LosesATransactionWithItsSession) {
  Store store;
  Database db{store.place(), Database::Mode::create};
  {
    storage::Transaction transaction{db};
    db.execute("INSERT INTO memo(key, value) VALUES('a', 'b')");
    cut(store);
    EXPECT_THROW(db.execute("INSERT INTO memo(key, value) VALUES('c', 'd')"), storage::Fault);
    EXPECT_THROW(transaction.commit(), storage::Fault);
  }
  EXPECT_EQ(db.integer("SELECT count(*) FROM memo"), 0);
}

TEST_F(Postgresql, RollsBackWhatHadAFault) {
  Store store;
  auto& db = store.outside();
  {
    storage::Transaction transaction{db};
    db.execute("INSERT INTO memo(key, value) VALUES('a', 'b')");
    EXPECT_THROW(db.execute("no words"), storage::Fault);
    EXPECT_THROW(transaction.commit(), storage::Fault) << "COMMIT of it is no error of the server";
  }
  EXPECT_EQ(db.integer("SELECT count(*) FROM memo"), 0);
}

TEST_F(Postgresql, ReadsVeryManyRowsOneAfterTheOther) {
  Store store;
  auto& db = store.outside();
  db.execute(
      "INSERT INTO memo(key, value) SELECT lpad(i::text, 6, '0'), i FROM "
      "generate_series(1, 5000) i");
  auto rows = db.scan("SELECT value FROM memo WHERE value <> ? ORDER BY key");
  auto other = db.scan("SELECT value FROM memo ORDER BY key DESC");
  rows.bind("17");
  int count = 0;
  while (rows.step()) {
    ++count;
    ASSERT_TRUE(other.step());
  }
  EXPECT_EQ(count, 4999);
  EXPECT_EQ(other.integer(0), 2);
  rows.bind("x");
  EXPECT_TRUE(rows.step());
  rows.reset();
  other.reset();
  storage::Transaction transaction{db};  // nothing is left open
}

TEST_F(Postgresql, TakesOctetsThatAreNoText) {
  Store store;
  auto& db = store.outside();
  const std::string odd("a\0\xff", 3);
  db.prepare("INSERT INTO memo(key, value) VALUES(?, ?)").bind("k", odd).run();
  EXPECT_THAT(store.rows("SELECT value FROM memo"), ElementsAre("a\ufffd\ufffd"));
  const std::vector<std::uint8_t> octets{0, 255, '\\', 'x'};
  db.prepare("INSERT INTO evidence(alert, at, body, digest) VALUES('a', 1, ?1, ?1)")
      .bind(octets)
      .run();
  auto row = db.prepare("SELECT body, sha256(body) = ? FROM evidence");
  ASSERT_TRUE(row.bind(std::vector<std::uint8_t>{}).step());
  EXPECT_EQ(row.bytes(0), octets);
  EXPECT_EQ(row.integer(1), 0);
}

TEST_F(Postgresql, ReadsJsonWithAnEscapedNul) {
  Store store;
  auto& db = store.outside();
  auto row = db.prepare("SELECT json_extract(?1, '$.a'), json_valid(?1), json_valid('{')");
  ASSERT_TRUE(row.bind(R"({"a": "x", "b": "\u0000"})").step());
  EXPECT_EQ(row.text(0), "x");
  EXPECT_EQ(row.integer(1), 1);
  EXPECT_EQ(row.integer(2), 0);
}

TEST_F(Postgresql, ALookThatTakesLongCanBeEnded) {
  Store store;
  auto& db = store.outside();
  std::thread ender([&] {
    while (store.recorder().restore(kNow).value().alerts.empty() &&
           Database{store.place(), Database::Mode::read_only}.integer(
               "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'") == 0) {
    }
    db.interrupt();
  });
  EXPECT_THROW(db.execute("SELECT pg_sleep(600)"), storage::Fault);
  ender.join();
}

// ---- what needs no server

TEST(PostgresqlPlace, IsNamedWithoutWhatIsSecret) {
  for (const auto* connection : {"host=db.test port=5433 dbname=danelaw user=me password=geheim",
                                 "postgresql://me:geheim@db.test:5433/danelaw",
                                 "postgres://me:gehe%69m@db.test:5433/danelaw"})
    EXPECT_EQ(Place::postgresql(connection).words(),
              "PostgreSQL database danelaw at db.test port 5433");
  EXPECT_EQ(Place::postgresql("geheim geheim").words(), "PostgreSQL database");
}

TEST(PostgresqlPlace, ThatCannotBeReachedIsToldWithoutWhatIsSecret) {
  for (const auto* connection :
       {"host=/nonexistent dbname=danelaw password=geheim", "password = geheim geheim",
        "postgresql://me:geheim@[/danelaw", "postgresql://me:geheim@localhost:1/geheim?geheim=1"}) {
    const auto opened = DatabaseRecorder::open(Place::postgresql(connection));
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().detail, Not(HasSubstr("geheim"))) << connection;
    EXPECT_THAT(opened.error().detail, HasSubstr("storage.postgresql"));
  }
}

}  // namespace

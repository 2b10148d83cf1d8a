#include "storage/bounds.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "storage/upkeep.h"
#include "tests/unit/storage/store.h"

// What one subject may cost, whatever it does; and who may read the file.
namespace {

using storage::Bounds;
using support::kNow;
using support::Store;

unsigned mode_of(const std::filesystem::path& file) {
  struct stat found {};
  return stat(file.c_str(), &found) == 0 ? found.st_mode & 0777U : 0U;
}

TEST(Bounds, OfASubjectThatNeverStaysTheNewestAreKeptAndTheOthersCounted) {
  Store store;
  auto& db = store.outside();
  Bounds bounds{db};
  storage::Transaction transaction{db};
  db.execute("INSERT INTO subject(id, kind, name) VALUES(7, 'tlsa', 'a.test')");
  auto add = db.prepare(
      "INSERT INTO version(subject, content, first_seen, last_seen, is_open) "
      "VALUES(7, 1, ?1, ?1, FALSE)");
  constexpr std::int64_t kCount = 2000;
  for (std::int64_t i = 1; i <= kCount; ++i) {
    add.bind(i).run();
    bounds.keep(7, "tlsa", "a.test");
  }
  const auto kept = db.integer("SELECT count(*) FROM version WHERE subject = 7");
  EXPECT_LE(kept, Bounds::kMostVersions);
  EXPECT_EQ(db.integer("SELECT max(first_seen) FROM version WHERE subject = 7"), kCount);
  EXPECT_EQ(db.integer("SELECT summed FROM subject WHERE id = 7"), kCount - kept);
  EXPECT_EQ(db.integer("SELECT summed_from FROM subject WHERE id = 7"), 1);
  EXPECT_EQ(db.integer("SELECT summed_until FROM subject WHERE id = 7"), kCount - kept);
}

TEST(Bounds, EndpointsThatComeAndGoAreCountedAtTheirHost) {
  Store store;
  auto& db = store.outside();
  Bounds bounds{db};
  storage::Transaction transaction{db};
  constexpr std::int64_t kCount = 1500;
  for (std::int64_t i = 1; i <= kCount; ++i) {
    const auto name = "mx.test|" + std::to_string(i);
    const auto id = 1'000'000 + 10 * i;  // leaves room for the sum's
    db.prepare("INSERT INTO subject(id, kind, name) VALUES(?, 'chain', ?)").bind(id, name).run();
    db.prepare(
          "INSERT INTO version(subject, content, first_seen, last_seen, is_open) "
          "VALUES(?1, 1, ?1, ?1, TRUE)")
        .bind(id)
        .run();
    bounds.keep(id, "chain", name);
  }
  const auto kept = db.integer("SELECT count(*) FROM subject WHERE name > 'mx.test|'");
  EXPECT_LE(kept, Bounds::kMostSubjects);
  EXPECT_EQ(db.integer("SELECT count(*) FROM version"), kept);
  EXPECT_EQ(db.integer("SELECT summed FROM subject WHERE name = 'mx.test'"), kCount - kept);
}

// The whole way: recorded, kept, and read at once.
TEST(Bounds, AHostThatShowsOtherRecordsAtEveryLookIsReadAtOnceAsFarAsMemoryGoes) {
  Store store;
  support::Scene scene;
  constexpr int kLooks = 1'200;
  for (int i = 0; i < kLooks; ++i) {
    auto round = support::host_round(scene, kNow + i * support::kMinute);
    round.sample.servers = {
        {"ns1", agent::Published{.ttl = config::Seconds{i + 1}, .is_secure = true}}};
    round.sample.endpoints = {};
    store.record(round);
  }
  const auto of = [&](const std::string& what) {
    return store.outside().integer("SELECT " + what +
                                   " FROM version v JOIN subject s ON s.id = v.subject "
                                   "WHERE s.kind = 'published'");
  };
  EXPECT_LE(of("count(*)"), Bounds::kMostVersions);
  EXPECT_EQ(of("max(s.summed) + count(*)"), kLooks);
  const auto summed = store.queries()->summed({"mx.example.test"});
  ASSERT_TRUE(summed);
  ASSERT_EQ(summed->size(), 1U);
  EXPECT_EQ((*summed)[0].kind, "published");
  EXPECT_EQ((*summed)[0].versions, kLooks - of("count(*)"));
  EXPECT_EQ((*summed)[0].from, kNow);
  const auto read =
      store.recorder().host_history(support::name("mx.example.test"), kNow - support::kMinute);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->servers.size(), 1U);
  const auto& versions = read->servers.begin()->second;
  ASSERT_EQ(versions.size(), agent::kMostVersions);
  EXPECT_EQ(versions.back().what.ttl, config::Seconds{kLooks});
  EXPECT_EQ(versions.front().what.ttl,
            config::Seconds{kLooks - static_cast<std::int64_t>(agent::kMostVersions) + 1});
}

TEST(Bounds, AnEndpointThatWasForgottenIsRecordedWhenItShowsAgain) {
  Store store;
  const support::Scene scene;
  const agent::Chain chain{support::Pki::get().leaf.certificate};
  const auto look = [&](const std::string& endpoint, int minute) {
    auto round = support::host_round(scene, kNow + minute * support::kMinute);
    round.sample.servers = {};
    round.sample.endpoints = {{endpoint, chain}};
    store.record(round);
  };
  const auto count_of = [&](const std::string& endpoint) {
    return store.outside().integer(
        "SELECT count(*) FROM subject s JOIN version v ON v.subject = s.id "
        "WHERE s.kind = 'chain' AND s.name = 'mx.example.test|" +
        endpoint + "'");
  };
  constexpr int kMany = static_cast<int>(Bounds::kMostSubjects) + 10;
  look("the first", 0);
  for (int i = 1; i < kMany; ++i) look("one " + std::to_string(i), i);
  EXPECT_EQ(count_of("the first"), 0);
  look("the first", kMany);
  EXPECT_EQ(count_of("the first"), 1);
}

// Of the sets that are not read again, and of those of which only a sum is left, it is known how
// long caches may hold them.
TEST(Bounds, WhatIsNotReadOfARestlessHostMayBeInCaches) {
  Store store;
  support::Scene scene;
  const auto set = support::record(3, 1, 1, *support::Pki::get().leaf.certificate);
  const auto look = [&](int second) {
    auto round = support::host_round(scene, kNow + config::Seconds{second});
    round.sample.servers = {
        {"ns1", agent::Published{.ttl = config::Seconds{second == 0 ? 7200 : 60 + second % 2},
                                 .is_secure = true,
                                 .records = {set}}}};
    round.sample.endpoints = {};
    store.record(round);
  };
  const auto forgotten_until = [&] {
    return store.recorder()
        .host_history(support::name("mx.example.test"), kNow - support::kMinute)
        ->forgotten_until;
  };
  int second = 0;
  for (; second < static_cast<int>(agent::kMostVersions); ++second) look(second);
  EXPECT_EQ(forgotten_until(), agent::kEver);
  for (; second < 2 * static_cast<int>(agent::kMostVersions); ++second) look(second);
  EXPECT_EQ(forgotten_until(), kNow + config::Seconds{7201});
  for (; second < 3 * Bounds::kMostVersions; ++second) look(second);
  const auto summed = store.queries()->summed({"mx.example.test"});
  ASSERT_EQ(summed->size(), 1U);
  EXPECT_GE(forgotten_until(), summed->front().until + config::Seconds{61});
}

TEST(Bounds, ManyEndpointsThatChangeShareWhatTheirHostMayHave) {
  Store store;
  auto& db = store.outside();
  Bounds bounds{db};
  storage::Transaction transaction{db};
  constexpr std::int64_t kEndpoints = 100, kChanges = 300;
  auto add = db.prepare(
      "INSERT INTO version(subject, content, first_seen, last_seen, is_open) "
      "VALUES(?1, 1, ?2, ?2, FALSE)");
  for (std::int64_t id = 1; id <= kEndpoints; ++id)
    db.prepare("INSERT INTO subject(id, kind, name) VALUES(?, 'chain', ?)")
        .bind(id, "mx.test|" + std::to_string(id))
        .run();
  for (std::int64_t at = 1; at <= kChanges; ++at) {
    for (std::int64_t id = 1; id <= kEndpoints; ++id) {
      add.bind(id, at).run();
      bounds.keep(id, "chain", "mx.test|" + std::to_string(id));
    }
  }
  const auto kept = db.integer("SELECT count(*) FROM version");
  EXPECT_LE(kept, Bounds::kMostOfHost);
  EXPECT_GT(kept, Bounds::kMostOfHost / 2);
  EXPECT_EQ(db.integer("SELECT sum(summed) FROM subject"), kEndpoints * kChanges - kept);
  // A file from before comes to the same.
  db.execute(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
      "INSERT INTO version(subject, content, first_seen, last_seen, is_open) "
      "SELECT s.id, 1, 1000 + i, 1000 + i, FALSE FROM n, subject s");
  bounds.trim("chain", "mx.test", kEndpoints);
  EXPECT_EQ(db.integer("SELECT count(*) FROM version"), Bounds::kMostOfHost);
}

TEST(Bounds, AFileFromBeforeComesWithinThemWhenHistoryIsForgotten) {
  Store store;
  store.outside().execute(
      "INSERT INTO subject(id, kind, name) VALUES(7, 'tlsa', 'a.test'); "
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
      "INSERT INTO version(subject, content, first_seen, last_seen, is_open) "
      "SELECT 7, 1, i, i, FALSE FROM n");
  store.outside().execute(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
      "INSERT INTO subject(id, kind, name) SELECT 100 + i, 'chain', 'b.test|' || i FROM n; "
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
      "INSERT INTO version(subject, content, first_seen, last_seen, is_open) "
      "SELECT s.id, 1, 1000 + i, 1000 + i, FALSE FROM n, subject s WHERE s.kind = 'chain'");
  ASSERT_TRUE(store.forget(config::Time{config::Seconds{0}}));
  EXPECT_EQ(store.outside().integer("SELECT count(*) FROM version WHERE subject = 7"),
            Bounds::kMostVersions);
  EXPECT_EQ(store.outside().integer("SELECT count(*) FROM version WHERE subject > 100"),
            Bounds::kMostOfHost);
}

TEST(TheFile, AndWhatStandsBesideItIsForItsOwnerAlone) {
  Store store;
  store.keep_only({{.name = "example.test"}});
  for (const auto* suffix : {"", "-wal", "-shm"})
    EXPECT_EQ(mode_of(store.file().string() + suffix), 0600U) << suffix;
  store.close();
  std::filesystem::permissions(store.file(), std::filesystem::perms{0644});
  store.reopen();
  EXPECT_EQ(mode_of(store.file()), 0600U);
}

TEST(TheFile, ThatIsDamagedSaysSoAndHowToGoOn) {
  Store store;
  store.keep_only({{.name = "example.test"}});
  EXPECT_EQ(storage::find_damage(store.outside(), storage::Depth::whole), std::nullopt);
  EXPECT_EQ(store.recorder().damage(), std::nullopt);
  store.outside().execute(
      "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = "
      "(SELECT rootpage FROM sqlite_schema WHERE name = 'domain_by_status') WHERE name = "
      "'alert_by_state'");
  store.reopen();
  ASSERT_TRUE(store.recorder().damage());
  EXPECT_NE(store.recorder().damage()->find("danelaw restore"), std::string::npos);
}

TEST(TheFile, GivesFreePagesBackInSteps) {
  Store store;
  auto& db = store.outside();
  db.execute(
      "CREATE TABLE filler(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM "
      "n WHERE i < 2000) INSERT INTO filler SELECT zeroblob(4000) FROM n; DROP TABLE filler");
  const auto before = db.integer("PRAGMA page_count");
  EXPECT_TRUE(storage::give_back(db, 100));
  EXPECT_EQ(db.integer("PRAGMA page_count"), before - 100);
  while (storage::give_back(db, 100)) {
  }
  EXPECT_LT(db.integer("PRAGMA page_count"), before / 4);
}

}  // namespace

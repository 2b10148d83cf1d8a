#include "storage/leadership.h"

#include <atomic>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/outbox.h"
#include "tests/support/finish.h"
#include "tests/unit/storage/store.h"

namespace {

using storage::Candidacy;
using storage::Database;
using storage::DatabaseOutbox;
using storage::DatabaseRecorder;
using storage::Leadership;
using support::kMinute;
using support::kNow;
using testing::HasSubstr;
using namespace std::chrono_literals;

class Lead : public testing::Test {
 protected:
  void SetUp() override {
    if (support::postgresql_server() == nullptr)
      GTEST_SKIP() << "tests/support/postgresql.py gives it a server";
  }
  static storage::FleetMember member(const std::string& name) {
    return {.name = name, .vantage = "at-" + name, .url = "http://" + name + ".test"};
  }
  static auto take(
      const support::TestDatabase& database, const std::string& agent,
      std::function<void(const std::string&)> on_lost = [](const std::string&) {},
      config::Seconds takeover = std::chrono::hours{1},
      std::function<agent::Ticks()> ticks = agent::system_clocks().ticks) {
    return Candidacy(database.place(), member(agent), takeover)
        .try_to_lead({.on_lost = std::move(on_lost),
                      .is_well = [] { return true; },
                      .ticks = std::move(ticks)});
  }
  // Ends the sessions that hold locks, as a network does that is cut.
  static void cut(const support::TestDatabase& database) {
    Database{database.place(), Database::Mode::create}.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND "
        "pid <> pg_backend_pid()");
  }
};

TEST_F(Lead, IsOneAgentsAtATime) {
  const support::TestDatabase database;
  {
    const auto first = take(database, "one");
    ASSERT_TRUE(first) << first.error().words;
    EXPECT_EQ((*first)->epoch(), 1);
    const auto second = take(database, "two");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().words, "agent one leads");
    ASSERT_TRUE(second.error().leader);
    EXPECT_EQ(second.error().leader->url, "http://one.test");
    EXPECT_FALSE(second.error().is_namesake);
    const auto twin = take(database, "one");
    ASSERT_FALSE(twin);
    EXPECT_TRUE(twin.error().is_namesake);
  }
  const auto second = take(database, "two");
  ASSERT_TRUE(second) << second.error().words;
  EXPECT_EQ((*second)->epoch(), 2);
}

TEST_F(Lead, ANameIsOneAgentsWhoeverLeads) {
  const support::TestDatabase database;
  const auto first = take(database, "one");
  ASSERT_TRUE(first);
  const auto stand_by = [&](Candidacy& agent) { return agent.try_to_lead({}); };
  Candidacy second(database.place(), member("two"), std::chrono::hours{1});
  EXPECT_FALSE(stand_by(second).error().is_namesake);
  EXPECT_FALSE(stand_by(second).error().is_namesake) << "it is itself";
  {
    Candidacy twin(database.place(), member("two"), std::chrono::hours{1});
    const auto refused = stand_by(twin);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is_namesake);
    EXPECT_THAT(refused.error().words, HasSubstr("called two"));
  }
  Candidacy heir(database.place(), member("two"), config::Seconds{-1});
  EXPECT_FALSE(stand_by(heir).error().is_namesake) << "no sign of life for too long";
}

TEST_F(Lead, AllWhoStandByAreKnownToTheOneThatLeads) {
  const support::TestDatabase database;
  const auto first = take(database, "one");
  ASSERT_TRUE(first);
  EXPECT_FALSE(take(database, "two"));
  (*first)->count_look("one");
  const auto members = (*first)->members();
  ASSERT_TRUE(members) << members.error();
  ASSERT_EQ(members->size(), 2U);
  EXPECT_EQ(members->at(0).name, "one");
  EXPECT_TRUE(members->at(0).leads);
  EXPECT_EQ(members->at(1).name, "two");
  EXPECT_EQ(members->at(1).vantage, "at-two");
  EXPECT_FALSE(members->at(1).leads);
}

// A paused machine has its connection, and its lock with it, for as long as it sleeps.
TEST_F(Lead, WhoGivesNoSignOfLifeIsSucceeded) {
  const support::TestDatabase database;
  std::promise<std::string> lost;
  const auto first =
      take(database, "one", [&](const std::string& words) { lost.set_value(words); });
  ASSERT_TRUE(first);
  Candidacy second(database.place(), member("two"), config::Seconds{15});
  const auto calls = [] {
    return Leadership::Calls{.on_lost = [](const std::string&) {}, .is_well = [] { return true; }};
  };
  EXPECT_FALSE(second.try_to_lead(calls()));
  // Its last sign of life, as a server would have it that heard none since; the next comes within
  // two seconds.
  Database other{database.place(), Database::Mode::create};
  std::unique_ptr<Leadership> took;
  while (!took) {
    other.execute(
        "UPDATE member SET seen_at = seen_at - 60 WHERE name = 'one';"
        "UPDATE leader SET since = since - interval '60 s'");
    if (auto done = second.try_to_lead(calls())) took = std::move(*done);
  }
  EXPECT_EQ(took->epoch(), 2);
  EXPECT_EQ(lost.get_future().get(), "agent two leads now");
}

TEST_F(Lead, WhoDoesNotDoItsWorkGivesNoSignOfLife) {
  const support::TestDatabase database;
  std::promise<void> asked;
  std::atomic<int> count{0};
  const auto first = Candidacy(database.place(), member("one"), std::chrono::hours{1})
                         .try_to_lead({.on_lost = [](const std::string&) {},
                                       .is_well =
                                           [&] {
                                             if (++count == 2) asked.set_value();
                                             return false;
                                           }});
  ASSERT_TRUE(first);
  Database other{database.place(), Database::Mode::create};
  other.execute("UPDATE member SET seen_at = 7");
  asked.get_future().wait();
  auto row = other.prepare("SELECT seen_at FROM member");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.integer(0), 7);
}

TEST_F(Lead, WhoLostItWritesNothingAndTellsNobody) {
  const support::TestDatabase database;
  std::promise<std::string> lost;
  const auto first =
      take(database, "one", [&](const std::string& words) { lost.set_value(words); });
  ASSERT_TRUE(first);
  const auto place = database.place().led_in((*first)->epoch());
  const auto recorder = DatabaseRecorder::open(place);
  const auto outbox = DatabaseOutbox::open(place);
  ASSERT_TRUE(recorder && outbox);
  const support::Scene scene;
  EXPECT_TRUE((*recorder)->record(support::host_round(scene)));
  EXPECT_TRUE((*outbox)->due("mail", kNow, 10));
  EXPECT_TRUE((*first)->is_held());

  std::unique_ptr<Leadership> second;
  while (!second) {  // the first may have its lock again before
    cut(database);
    if (auto taken = take(database, "two")) second = std::move(*taken);
  }
  const auto done = (*recorder)->record(support::host_round(scene, kNow + kMinute));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().detail, HasSubstr("another agent leads"));
  EXPECT_FALSE(support::finish((*recorder)->keep_only({})));
  EXPECT_FALSE(support::finish((*recorder)->forget(kNow)));
  EXPECT_FALSE((*outbox)->due("mail", kNow, 10));
  EXPECT_FALSE((*outbox)->delivered("x", kNow));
  EXPECT_FALSE((*first)->is_held());
  EXPECT_EQ(lost.get_future().get(), "agent two leads now");
  const auto next = DatabaseRecorder::open(database.place().led_in(second->epoch()));
  ASSERT_TRUE(next);
  EXPECT_TRUE((*next)->record(support::host_round(scene, kNow + kMinute)));
}

TEST_F(Lead, IsLeftToANewerDanelaw) {
  const support::TestDatabase database;
  std::promise<std::string> lost;
  Candidacy second(database.place(), member("two"), std::chrono::hours{1});
  const auto try_it = [&] {
    return second.try_to_lead(
        {.on_lost = [](const std::string&) {}, .is_well = [] { return true; }});
  };
  auto first = take(database, "one", [&](const std::string& words) { lost.set_value(words); });
  ASSERT_TRUE(first);
  EXPECT_EQ(try_it().error().words, "agent one leads");
  Database upgraded{database.place(), Database::Mode::create};
  upgraded.execute("UPDATE schema_version SET version = version + 1");
  EXPECT_THAT(lost.get_future().get(), HasSubstr("a newer danelaw"));
  first->reset();  // as its process ends
  const auto not_yet = try_it();
  ASSERT_FALSE(not_yet);
  EXPECT_THAT(not_yet.error().words, HasSubstr("a newer danelaw"));
  EXPECT_EQ(upgraded.integer("SELECT count(*) FROM member WHERE name = 'two'"), 1);
  const auto third = take(database, "three");
  ASSERT_FALSE(third);
  EXPECT_THAT(third.error().words, HasSubstr("written by a newer danelaw"));
}

TEST_F(Lead, IsNotSureOnceOthersMayHaveTakenOver) {
  const support::TestDatabase database;
  std::atomic<agent::Ticks> ticks{agent::Ticks{}};
  const auto lead = [&] {
    return take(
        database, "one", [](const std::string&) {}, 15s, [&] { return ticks.load(); });
  };
  {
    const auto alone = lead();
    ASSERT_TRUE(alone);
    ticks = agent::Ticks{1h};
    EXPECT_TRUE((*alone)->is_sure()) << "whoever else would lead";
  }
  ASSERT_TRUE(take(database, "two")) << "there was another a moment ago";
  const auto first = lead();
  ASSERT_TRUE(first);
  const auto began = ticks.load();
  EXPECT_TRUE((*first)->is_sure());
  Database{database.place(), Database::Mode::create}.execute(
      "ALTER TABLE member RENAME TO out_of_reach");
  ticks = began + 14s;
  EXPECT_TRUE((*first)->is_sure());
  ticks = began + 15s;
  EXPECT_FALSE((*first)->is_sure());
  EXPECT_TRUE((*first)->is_held()) << "the server knows of no other";
}

TEST_F(Lead, IsKeptOverALostConnection) {
  const support::TestDatabase database;
  const auto first = take(database, "one");
  ASSERT_TRUE(first);
  cut(database);
  EXPECT_TRUE((*first)->is_held());
  EXPECT_FALSE(take(database, "two")) << "it has taken its lock again";
}

}  // namespace

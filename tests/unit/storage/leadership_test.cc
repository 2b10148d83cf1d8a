#include "storage/leadership.h"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/outbox.h"
#include "tests/unit/storage/store.h"

namespace {

using storage::Database;
using storage::DatabaseOutbox;
using storage::DatabaseRecorder;
using storage::Leadership;
using support::kMinute;
using support::kNow;
using testing::HasSubstr;

class Lead : public testing::Test {
 protected:
  void SetUp() override {
    if (support::postgresql_server() == nullptr)
      GTEST_SKIP() << "tests/support/postgresql.py gives it a server";
  }
  static auto take(
      const support::TestDatabase& database, const std::string& agent,
      std::function<void(const std::string&)> on_lost = [](const std::string&) {}) {
    return Leadership::take(database.place(), agent, std::move(on_lost));
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
    ASSERT_TRUE(first) << first.error();
    EXPECT_EQ((*first)->epoch(), 1);
    const auto second = take(database, "two");
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error(), HasSubstr("in use by another agent (one)"));
  }
  const auto second = take(database, "two");
  ASSERT_TRUE(second) << second.error();
  EXPECT_EQ((*second)->epoch(), 2);
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
  EXPECT_FALSE((*recorder)->keep_only({}));
  EXPECT_FALSE((*recorder)->forget(kNow));
  EXPECT_FALSE((*outbox)->due("mail", kNow, 10));
  EXPECT_FALSE((*outbox)->delivered("x", kNow));
  EXPECT_FALSE((*first)->is_held());
  EXPECT_EQ(lost.get_future().get(), "agent two leads now");
  const auto next = DatabaseRecorder::open(database.place().led_in(second->epoch()));
  ASSERT_TRUE(next);
  EXPECT_TRUE((*next)->record(support::host_round(scene, kNow + kMinute)));
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

#include "storage/task_board.h"

#include <future>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/leadership.h"
#include "tests/unit/storage/store.h"

namespace {

using agent::SentLook;
using agent::Target;
using config::Seconds;
using storage::Candidacy;
using storage::Database;
using storage::DatabaseTaskBoard;
using support::kNow;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Seconds kLent{60};

Target host(const std::string& name) {
  return {.kind = Target::Kind::host, .name = *probes::dns::Name::parse(name)};
}

class TheBoard : public testing::Test {
 protected:
  void SetUp() override {
    if (support::postgresql_server() == nullptr)
      GTEST_SKIP() << "tests/support/postgresql.py gives it a server";
    lead_ = lead("one");
    ASSERT_TRUE(lead_);
    leader_ = open(database_.place().led_in(lead_->epoch()), "one", "here");
    near_ = open(database_.place(), "two", "there");
    ASSERT_TRUE(leader_ && near_);
  }
  std::unique_ptr<storage::Leadership> lead(const std::string& name) const {
    auto taken =
        Candidacy(database_.place(), {.name = name, .vantage = "here"}, Seconds{3600})
            .try_to_lead({.on_lost = [](const std::string&) {}, .is_well = [] { return true; }});
    return taken ? std::move(*taken) : nullptr;
  }
  static std::unique_ptr<DatabaseTaskBoard> open(const storage::Place& place, const char* name,
                                                 const char* vantage) {
    auto board = DatabaseTaskBoard::open(place, name, vantage);
    return board ? std::move(*board) : nullptr;
  }
  support::TestDatabase database_;
  std::unique_ptr<storage::Leadership> lead_;
  std::unique_ptr<DatabaseTaskBoard> leader_, near_;
};

TEST_F(TheBoard, BringsTasksToTheirVantageAndLooksBack) {
  ASSERT_TRUE(leader_->hand_out("there", {host("mx1.test"), host("mx2.test")}));
  ASSERT_TRUE(leader_->hand_out("elsewhere", {host("mx3.test")}));
  const auto tasks = near_->lease(10, kLent);
  ASSERT_TRUE(tasks) << tasks.error();
  EXPECT_THAT(*tasks, testing::UnorderedElementsAre(host("mx1.test"), host("mx2.test")));
  EXPECT_THAT(*near_->lease(10, kLent), IsEmpty()) << "they are lent";
  ASSERT_TRUE(near_->send({{.target = host("mx1.test"), .body = {1, 2, 3}}}, kNow));
  const auto looks = leader_->collect(10, kNow + Seconds{30});
  ASSERT_TRUE(looks) << looks.error();
  ASSERT_THAT(*looks, SizeIs(1));
  const auto& look = looks->front();
  EXPECT_EQ(look.target, host("mx1.test"));
  EXPECT_EQ(look.vantage, "there");
  EXPECT_EQ(look.agent, "two");
  EXPECT_EQ(look.body, (probes::dns::Bytes{1, 2, 3}));
  EXPECT_NEAR(static_cast<double>(look.shift.count()), 30.0, 1.0)
      << "the clock of the one that leads is half a minute ahead";
  EXPECT_THAT(*leader_->collect(10, kNow), IsEmpty());
}

TEST_F(TheBoard, LendsWhatWasNotDoneToAnother) {
  const auto third = open(database_.place(), "three", "there");
  ASSERT_TRUE(leader_->hand_out("there", {host("mx1.test")}));
  ASSERT_THAT(*near_->lease(10, kLent), SizeIs(1));
  EXPECT_THAT(*third->lease(10, kLent), IsEmpty());
  Database{database_.place(), Database::Mode::create}.execute(
      "UPDATE task SET lent_until = lent_until - 61");
  EXPECT_THAT(*third->lease(10, kLent), SizeIs(1));
  ASSERT_TRUE(near_->send({{.target = host("mx1.test"), .body = {1}}}, kNow));
  EXPECT_THAT(*leader_->collect(10, kNow), IsEmpty()) << "it is not the first one's any more";
  ASSERT_TRUE(third->send({{.target = host("mx1.test"), .body = {2}}}, kNow));
  EXPECT_THAT(*leader_->collect(10, kNow), SizeIs(1));
}

TEST_F(TheBoard, LeavesTasksToWhoIsStillAtThem) {
  const auto third = open(database_.place(), "three", "there");
  ASSERT_TRUE(leader_->hand_out("there", {host("mx1.test")}));
  ASSERT_THAT(*near_->lease(10, Seconds{1}), SizeIs(1));
  ASSERT_TRUE(near_->renew(Seconds{3600}));
  Database{database_.place(), Database::Mode::create}.execute(
      "UPDATE task SET lent_until = lent_until - 60");
  EXPECT_THAT(*third->lease(10, kLent), IsEmpty());
  ASSERT_TRUE(near_->release()) << "it was started again, and knows of none";
  EXPECT_THAT(*third->lease(10, kLent), SizeIs(1));
}

TEST_F(TheBoard, GivesEachTaskToOneOfManyWhoAsk) {
  std::vector<Target> all;
  for (int i = 0; i < 200; ++i) all.push_back(host("mx" + std::to_string(i) + ".test"));
  ASSERT_TRUE(leader_->hand_out("there", all));
  std::vector<std::future<std::vector<Target>>> askers;
  for (int i = 0; i < 4; ++i) {
    askers.push_back(std::async(std::launch::async, [&, i] {
      const auto board = open(database_.place(), ("asker" + std::to_string(i)).c_str(), "there");
      std::vector<Target> out;
      for (auto some = board->lease(16, kLent); some && !some->empty();
           some = board->lease(16, kLent))
        std::ranges::move(*some, std::back_inserter(out));
      return out;
    }));
  }
  std::multiset<Target> given;
  for (auto& asker : askers) {
    for (auto& target : asker.get()) given.insert(std::move(target));
  }
  EXPECT_THAT(given, SizeIs(200));
  EXPECT_THAT(std::set<Target>(given.begin(), given.end()), SizeIs(200));
}

TEST_F(TheBoard, IsClosedToOneThatLeadsNoMore) {
  ASSERT_TRUE(leader_->hand_out("there", {host("mx1.test")}));
  ASSERT_THAT(*near_->lease(10, kLent), SizeIs(1));
  ASSERT_TRUE(near_->send({{.target = host("mx1.test"), .body = {1}}}, kNow));
  lead_.reset();
  const auto next = lead("three");
  ASSERT_TRUE(next);
  EXPECT_FALSE(leader_->collect(10, kNow)) << "else the look would be lost to both";
  EXPECT_FALSE(leader_->hand_out("there", {host("mx2.test")}));
  EXPECT_FALSE(leader_->withdraw("there", {host("mx1.test")})) << "it is its successor's by now";
  const auto board = open(database_.place().led_in(next->epoch()), "three", "here");
  ASSERT_TRUE(board->clear());
  EXPECT_THAT(*near_->lease(10, kLent), IsEmpty());
}

TEST_F(TheBoard, RingsABell) {
  near_->wait(std::chrono::milliseconds{0});  // from then on it listens
  auto waits = std::async(std::launch::async, [&] {
    near_->wait(std::chrono::minutes{1});
    return near_->lease(10, kLent);
  });
  ASSERT_TRUE(leader_->hand_out("there", {host("mx1.test")}));
  const auto tasks = waits.get();
  ASSERT_TRUE(tasks);
  EXPECT_THAT(*tasks, SizeIs(1));
}

TEST_F(TheBoard, IsFoundAgainWhenTheConnectionWasCut) {
  Database{database_.place(), Database::Mode::create}.execute(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = "
      "current_database() AND pid <> pg_backend_pid()");
  EXPECT_TRUE(leader_->hand_out("there", {host("mx1.test")}));
  const auto tasks = near_->lease(10, kLent);
  ASSERT_TRUE(tasks) << tasks.error();
  EXPECT_THAT(*tasks, SizeIs(1));
}

}  // namespace

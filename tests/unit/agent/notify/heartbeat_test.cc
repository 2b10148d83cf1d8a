#include "agent/notify/notifiers/heartbeat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using agent::Snapshot;
using config::Seconds;
using testing::HasSubstr;
using testing::Optional;

constexpr config::Time kNow{Seconds{1'800'000'000}};
constexpr Seconds kEvery{60};

// An agent that looked a minute ago.
class Heartbeat : public testing::Test {
 protected:
  Heartbeat() {
    snapshot.now = kNow;
    snapshot.started_at = kNow - std::chrono::hours{24};
    snapshot.progress = {
        .since_round = Seconds{60}, .workers = 2, .living = 2, .interval = Seconds{900}};
  }
  [[nodiscard]] std::optional<std::string> why(Seconds every = kEvery) const {
    return agent::why_withheld(snapshot, every, known_errors);
  }
  Snapshot snapshot;
  std::uint64_t known_errors = 0;
};

TEST_F(Heartbeat, is_told_while_all_is_well) {
  EXPECT_EQ(why(), std::nullopt);
}

TEST_F(Heartbeat, is_withheld_when_nothing_was_looked_at_for_five_minutes_or_two_beats) {
  snapshot.progress.since_round = Seconds{300};
  EXPECT_EQ(why(), std::nullopt);
  snapshot.progress.since_round = Seconds{301};
  EXPECT_THAT(why(), Optional(HasSubstr("stands still")));
  EXPECT_EQ(why(Seconds{200}), std::nullopt);
}

TEST_F(Heartbeat, goes_on_whatever_the_wall_clock_says) {
  snapshot.last_round_at = kNow + std::chrono::hours{24 * 40};  // the clock was set back since
  EXPECT_EQ(why(), std::nullopt);
  snapshot.progress.since_round = Seconds{301};
  EXPECT_THAT(why(), Optional(HasSubstr("stands still")));
}

TEST_F(Heartbeat, is_withheld_when_looks_come_two_intervals_late) {
  snapshot.progress.lag = Seconds{2100};
  EXPECT_EQ(why(), std::nullopt);
  snapshot.progress.lag = Seconds{2101};
  EXPECT_THAT(why(), Optional(HasSubstr("behind schedule")));
}

TEST_F(Heartbeat, is_withheld_when_the_database_failed_since_the_last_one) {
  snapshot.record_errors = 3;
  EXPECT_THAT(why(), Optional(HasSubstr("cannot be written")));
  known_errors = 3;
  EXPECT_EQ(why(), std::nullopt) << "it was told of those";
}

TEST_F(Heartbeat, is_withheld_as_long_as_nothing_is_recorded) {
  snapshot.storage_fault = "disk full";
  EXPECT_THAT(why(), Optional(HasSubstr("disk full")));
}

}  // namespace

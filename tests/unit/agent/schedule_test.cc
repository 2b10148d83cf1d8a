#include "agent/schedule.h"

#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace {

using namespace agent;
using config::Seconds;

const config::Time kNow{Seconds{1'800'000'000}};
const config::Schedule kSchedule{
    .interval = Seconds{900}, .confirm_after = Seconds{60}, .retry_after = Seconds{120}};

Seconds wait(Pace pace, int failures, std::string_view name = "a.test") {
  return next_due(kSchedule, pace, failures, name, kNow) - kNow;
}

TEST(Schedule, a_steady_target_waits_one_interval_give_or_take_a_tenth) {
  std::set<Seconds> waits;
  for (int i = 0; i < 200; ++i) {
    const auto name = fmt::format("d{}.test", i);
    const auto one = wait(Pace::steady, 0, name);
    EXPECT_GE(one, Seconds{810});
    EXPECT_LE(one, Seconds{990});
    EXPECT_EQ(one, wait(Pace::steady, 0, name)) << "the same for one name";
    waits.insert(one);
  }
  EXPECT_GT(waits.size(), 50U) << "names are spread";
}

TEST(Schedule, confirmation_comes_soon) {
  EXPECT_EQ(wait(Pace::confirming, 0), Seconds{60});
}

TEST(Schedule, failures_of_ours_back_off_up_to_the_interval) {
  EXPECT_EQ(wait(Pace::impaired, 1), Seconds{120});
  EXPECT_EQ(wait(Pace::impaired, 2), Seconds{240});
  EXPECT_EQ(wait(Pace::impaired, 3), Seconds{480});
  EXPECT_EQ(wait(Pace::impaired, 4), Seconds{900});
  EXPECT_EQ(wait(Pace::impaired, 1'000'000), Seconds{900});
}

TEST(Schedule, a_start_is_no_flood) {
  std::set<config::Time> first;
  for (int i = 0; i < 500; ++i) {
    const auto at = first_due(kSchedule, fmt::format("d{}.test", i), kNow);
    EXPECT_GE(at, kNow);
    EXPECT_LT(at, kNow + Seconds{60});
    first.insert(at);
  }
  EXPECT_GT(first.size(), 50U);
}

TEST(Schedule, the_shortest_interval_works) {
  const config::Schedule shortest{.interval = Seconds{1}};
  EXPECT_EQ(first_due(shortest, "a.test", kNow), kNow);
  EXPECT_EQ(next_due(shortest, Pace::steady, 0, "a.test", kNow), kNow + Seconds{1});
}

}  // namespace

#include "agent/self/clock.h"

#include <gtest/gtest.h>

namespace agent {
namespace {

using config::Seconds;
using config::Time;

const Time kNow{Seconds{1'800'000'000}};
constexpr Ticks kStart{std::chrono::hours{5}};
constexpr Seconds kDay = std::chrono::hours{24};

TEST(StepDetector, time_that_passes_is_no_step) {
  StepDetector detector(kNow, kStart);
  for (int day = 1; day < 100; ++day)
    EXPECT_EQ(detector.observe(kNow + day * kDay, kStart + day * kDay), std::nullopt);
}

TEST(StepDetector, slewing_is_no_step_however_long_it_lasts) {
  StepDetector detector(kNow, kStart);
  for (int i = 1; i < 10'000; ++i)  // a second in each five minutes, far more than NTP does
    EXPECT_EQ(detector.observe(kNow + i * Seconds{301}, kStart + i * Seconds{300}), std::nullopt);
}

TEST(StepDetector, a_step_is_told_once_with_its_size_either_way) {
  StepDetector detector(kNow, kStart);
  const auto back = detector.observe(kNow - 40 * kDay + Seconds{5}, kStart + Seconds{5});
  ASSERT_TRUE(back);
  EXPECT_EQ(back->by, -40 * kDay);
  EXPECT_EQ(back->before, kNow + Seconds{5});
  EXPECT_EQ(back->after, kNow - 40 * kDay + Seconds{5});
  EXPECT_EQ(detector.observe(kNow - 40 * kDay + Seconds{6}, kStart + Seconds{6}), std::nullopt);
  const auto forward = detector.observe(kNow + Seconds{7}, kStart + Seconds{7});
  ASSERT_TRUE(forward);
  EXPECT_EQ(forward->by, 40 * kDay);
}

TEST(Restated, keeps_how_long_something_has_lasted) {
  const ClockStep back{.before = kNow, .after = kNow - kDay, .by = -kDay};
  EXPECT_EQ(restated(kNow - Seconds{60}, back), kNow - kDay - Seconds{60});
  const ClockStep forward{.before = kNow - kDay, .after = kNow, .by = kDay};
  EXPECT_EQ(restated(kNow - kDay - Seconds{60}, forward), kNow - Seconds{60});
}

TEST(Restated, what_an_earlier_run_wrote_under_a_clock_that_was_ahead_is_not_put_into_the_future) {
  // The machine started in 1970, and then learned what time it is.
  const ClockStep forward{
      .before = Time{Seconds{100}}, .after = kNow, .by = kNow - Time{Seconds{100}}};
  EXPECT_EQ(restated(kNow - kDay, forward), kNow - kDay);
  const ClockStep back{.before = kNow, .after = kNow - kDay, .by = -kDay};
  EXPECT_EQ(restated(kNow + kDay, back), kNow - kDay);
}

}  // namespace
}  // namespace agent

#include "agent/self/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace agent {
namespace {

using config::Seconds;
using testing::HasSubstr;
using testing::Optional;

const Progress kWell{.since_round = Seconds{20},
                     .lag = Seconds{3},
                     .longest_look = Seconds{40},
                     .workers = 4,
                     .living = 4,
                     .looking = 2,
                     .interval = Seconds{900}};

TEST(Progress, is_well_while_looks_are_finished) {
  EXPECT_EQ(why_stalled(kWell), std::nullopt);
}

TEST(Progress, a_worker_that_ended_is_missed) {
  auto progress = kWell;
  progress.living = 3;
  EXPECT_THAT(why_stalled(progress), Optional(HasSubstr("1 of 4 workers have ended")));
  EXPECT_EQ(why_stuck(progress), why_stalled(progress));
}

TEST(Progress, a_look_beyond_its_deadline_is_stuck) {
  auto progress = kWell;
  progress.longest_look = Seconds{660};
  EXPECT_EQ(why_stalled(progress), std::nullopt);
  progress.longest_look = Seconds{661};
  EXPECT_THAT(why_stalled(progress), Optional(HasSubstr("stuck")));
}

TEST(Progress, idle_workers_that_finish_nothing_stand_still) {
  auto progress = kWell;
  progress.since_round = Seconds{301};
  EXPECT_THAT(why_stalled(progress), Optional(HasSubstr("stands still")));
  EXPECT_EQ(why_stalled(progress, Seconds{400}), std::nullopt);
}

TEST(Progress, workers_that_are_all_busy_have_as_long_as_a_look_may_take) {
  auto progress = kWell;
  progress.looking = 4;
  progress.since_round = Seconds{660};
  EXPECT_EQ(why_stalled(progress), std::nullopt);
  progress.since_round = Seconds{661};
  EXPECT_THAT(why_stalled(progress), Optional(HasSubstr("stands still")));
}

TEST(Progress, two_intervals_late_is_too_late) {
  auto progress = kWell;
  progress.lag = Seconds{2101};
  EXPECT_THAT(why_stalled(progress), Optional(HasSubstr("behind schedule")));
  EXPECT_EQ(why_stuck(progress), std::nullopt) << "a restart would put us back further";
}

}  // namespace
}  // namespace agent

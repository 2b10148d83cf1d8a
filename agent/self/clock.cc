#include "agent/self/clock.h"

#include <algorithm>
#include <ctime>

namespace agent {

using config::Seconds;
using config::Time;

Clocks system_clocks() {
  return {.wall = [] { return std::chrono::floor<Seconds>(std::chrono::system_clock::now()); },
          // CLOCK_MONOTONIC, which std::chrono::steady_clock is, stands still while the machine
          // sleeps: what came due meanwhile would come that much too late.
          .ticks =
              [] {
                timespec now{};
                clock_gettime(CLOCK_BOOTTIME, &now);
                return Ticks{std::chrono::duration_cast<std::chrono::milliseconds>(
                    Seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec})};
              }};
}

std::optional<ClockStep> StepDetector::observe(Time wall, Ticks ticks) {
  const auto expected = wall_ + std::chrono::round<Seconds>(ticks - ticks_);
  wall_ = wall;
  ticks_ = ticks;
  const auto by = wall - expected;
  if (std::chrono::abs(by) <= kLeast) return std::nullopt;
  return ClockStep{.before = expected, .after = wall, .by = by};
}

Time restated(Time moment, const ClockStep& step) {
  // Later than the clock has been: written under another clock, which was ahead of it.
  if (moment > step.before) return std::min(moment, step.after);
  return std::min(moment + step.by, step.after);
}

}  // namespace agent

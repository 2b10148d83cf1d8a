#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "config/time.h"

// The two clocks. What is to be done when belongs to the monotonic one, which nobody sets; wall
// time is for what is recorded and judged.
namespace agent {

// A moment on a clock that only ever goes forward, in time that a suspended machine sleeps, too.
using Ticks = std::chrono::time_point<std::chrono::steady_clock, std::chrono::milliseconds>;

struct Clocks {
  std::function<config::Time()> wall;
  std::function<Ticks()> ticks;
  // Whoever sleeps until a moment asks that often what the clocks say: a suspended machine, and a
  // clock that was set, wake nobody.
  std::chrono::milliseconds asked_every{1000};
};
// This machine's.
[[nodiscard]] Clocks system_clocks();

// The clock was set while we ran.
struct ClockStep {
  config::Time before;    // what it said just before
  config::Time after;     // and just after
  config::Seconds by{0};  // forward; below zero: back
  bool operator==(const ClockStep&) const = default;
};

// Notices that wall time and monotonic time part. PURE but for what it remembers.
class StepDetector {
 public:
  // More than slewing (500 ppm) and whole seconds can make between two observations.
  static constexpr config::Seconds kLeast{3};

  StepDetector(config::Time wall, Ticks ticks) : wall_(wall), ticks_(ticks) {}
  // To be called often: what happened since the last call is one step.
  [[nodiscard]] std::optional<ClockStep> observe(config::Time wall, Ticks ticks);

 private:
  config::Time wall_;
  Ticks ticks_;
};

// A moment remembered from before the step, in the time that holds now, so that what lasted two
// minutes has still lasted two minutes. Never later than the step.
[[nodiscard]] config::Time restated(config::Time moment, const ClockStep& step);

}  // namespace agent

#pragma once

#include <optional>
#include <string>

#include "config/time.h"

// PURE
namespace agent {

// A look that took longer than its deadline is stuck.
inline constexpr config::Seconds kLongestLook = std::chrono::minutes{10};

// How the work goes on, by the monotonic clock alone: whatever the wall clock says, who does not
// look any more must be seen not to.
struct Progress {
  config::Seconds since_round{0};   // since a look was finished, or the start
  config::Seconds lag{0};           // how late the most overdue target is
  config::Seconds longest_look{0};  // of those under way
  unsigned workers = 0;             // that were started
  unsigned living = 0;              // of them
  unsigned looking = 0;             // of those
  config::Seconds interval{0};      // between two looks at a target
};

// Why nobody should take us for watching; nothing while all is well. `patience`: how long nothing
// may be finished while a worker is free. There is something to do every half minute.
[[nodiscard]] std::optional<std::string> why_stalled(
    const Progress& progress, config::Seconds patience = std::chrono::minutes{5});

// The same, but for work that merely piles up: a restart would help with what is named here, and
// with that it would not.
[[nodiscard]] std::optional<std::string> why_stuck(const Progress& progress,
                                                   config::Seconds patience = std::chrono::minutes{
                                                       5});

}  // namespace agent

#include "agent/self/progress.h"

#include <algorithm>

#include <fmt/format.h>

namespace agent {
namespace {

constexpr config::Seconds kGrace{60};  // between a deadline and the end of a look

}  // namespace

std::optional<std::string> why_stuck(const Progress& progress, config::Seconds patience) {
  if (progress.living < progress.workers)
    return fmt::format("{} of {} workers have ended", progress.workers - progress.living,
                       progress.workers);
  if (progress.longest_look > kLongestLook + kGrace)
    return fmt::format("a worker is stuck: its probe has been running for {} s",
                       progress.longest_look.count());
  const bool is_somebody_free = progress.looking < progress.living;
  if (progress.since_round >
      (is_somebody_free ? patience : std::max(patience, kLongestLook + kGrace)))
    return fmt::format("the scheduler stands still: no probe was finished for {} s",
                       progress.since_round.count());
  return std::nullopt;
}

std::optional<std::string> why_stalled(const Progress& progress, config::Seconds patience) {
  if (auto stuck = why_stuck(progress, patience)) return stuck;
  if (progress.lag > 2 * progress.interval + patience)
    return fmt::format("probes are behind schedule: the most overdue one by {} s",
                       progress.lag.count());
  return std::nullopt;
}

}  // namespace agent

#include "agent/notifiers/heartbeat.h"

#include <algorithm>

namespace agent {

using config::Seconds;

std::optional<std::string> why_withheld(const Snapshot& snapshot, Seconds every,
                                        std::uint64_t known_errors) {
  const auto patience = std::max(Seconds{300}, 2 * every);
  if (snapshot.now - snapshot.last_round_at.value_or(snapshot.started_at) > patience)
    return "withheld: the scheduler stands still";
  if (snapshot.lag > 2 * snapshot.schedule.interval + patience)
    return "withheld: looks are far behind";
  if (snapshot.record_errors > known_errors) return "withheld: the database cannot be written";
  return std::nullopt;
}

}  // namespace agent

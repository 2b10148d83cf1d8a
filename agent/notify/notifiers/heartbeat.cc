#include "agent/notify/notifiers/heartbeat.h"

#include <algorithm>

namespace agent {

using config::Seconds;

std::optional<std::string> why_withheld(const Snapshot& snapshot, Seconds every,
                                        std::uint64_t known_errors) {
  if (const auto stall = why_stalled(snapshot.progress, std::max(Seconds{300}, 2 * every)))
    return "withheld: " + *stall;
  if (snapshot.storage_fault) return "withheld: nothing is recorded: " + *snapshot.storage_fault;
  if (snapshot.record_errors > known_errors) return "withheld: the database cannot be written";
  return std::nullopt;
}

}  // namespace agent

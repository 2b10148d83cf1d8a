#pragma once

#include <algorithm>
#include <vector>

#include "agent/history/host_history.h"
#include "agent/history/version.h"
#include "agent/history/zone_past.h"

// PURE
// What was recorded while the clock was ahead of what it says now is not of the future: it was so
// by now at the latest. Its order holds.
namespace agent {

// No cache keeps anything for longer (RFC 8767 §4).
inline constexpr config::Seconds kLongestKept = std::chrono::hours{24 * 7};

template <class What>
void end_by(std::vector<Version<What>>& versions, config::Time now) {
  for (auto& version : versions) {
    version.first_seen = std::min(version.first_seen, now);
    version.last_seen = std::min(version.last_seen, now);
  }
}

inline void end_by(HostHistory& past, config::Time now) {
  for (auto& [server, versions] : past.servers) end_by(versions, now);
  for (auto& [endpoint, versions] : past.endpoints) end_by(versions, now);
  for (auto& [server, versions] : past.signatures) end_by(versions, now);
  past.forgotten_until = std::min(past.forgotten_until, now + kLongestKept);
}

inline void end_by(ZonePast& past, config::Time now) {
  end_by(past.ds, now);
  end_by(past.dnskey, now);
}

}  // namespace agent

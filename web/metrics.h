#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "web/sources.h"

namespace web {

// What the snapshot does not know of the agent.
struct Vitals {
  std::string version;
  std::vector<agent::NotifierHealth> notifiers;
  Reload reload;
  std::uint64_t storage_bytes = 0;
};

// The text that Prometheus scrapes (format 0.0.4), from one snapshot: a domain that is no longer
// watched leaves no series behind. Labels hold names only, printable and bounded; enumerations are
// spelled out in HELP. How far it goes into detail is the snapshot's metrics.detail.
[[nodiscard]] std::string metrics_text(const agent::Snapshot& snapshot, const Vitals& vitals);

}  // namespace web

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/courier.h"
#include "agent/runner.h"

namespace web {

// The text that Prometheus scrapes (format 0.0.4), from one snapshot: a domain that is no longer
// watched leaves no series behind. Labels hold names only, printable and bounded; enumerations are
// spelled out in HELP.
[[nodiscard]] std::string metrics_text(const agent::Snapshot& snapshot,
                                       const std::vector<agent::NotifierHealth>& notifiers,
                                       const std::string& version, std::uint64_t storage_bytes);

}  // namespace web

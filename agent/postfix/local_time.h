#pragma once

#include "probes/reports/log_line.h"

namespace agent {

// Moments of traditional log lines, in this machine's zone: what its own Postfix writes.
[[nodiscard]] probes::reports::Calendar local_calendar(config::Time now);

}  // namespace agent

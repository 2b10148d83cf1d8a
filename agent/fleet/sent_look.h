#pragma once

#include "agent/alerts/round.h"

// PURE
namespace agent {

// Whether it is an observation of that target.
[[nodiscard]] bool is_of(const probes::Recorded& look, const Target& target);

// The look with its moment by another clock: `shift` later. Two clocks that agree to two seconds
// agree. Nothing was seen later than `now`.
[[nodiscard]] probes::Recorded with_times_moved(probes::Recorded look, config::Seconds shift,
                                                config::Time now);

}  // namespace agent

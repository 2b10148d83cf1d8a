#pragma once

#include <string_view>

#include "agent/history/history.h"
#include "config/config.h"

// PURE
namespace agent {

// How a look went, as far as the next one depends on it.
enum class ProbeOutcome {
  steady,      // learned what there was to learn
  confirming,  // something is to be confirmed, or its end is
  impaired,    // could not tell: our own sight failed
};

// How long to wait for the next look. `failures`: impaired looks in a row, this one included. A
// steady wait is spread by up to a tenth of the interval either way, always the same for one name,
// so that targets do not march in step.
[[nodiscard]] config::Seconds next_wait(const config::Schedule& schedule, ProbeOutcome pace,
                                        int failures, std::string_view name);

// How long to wait for the first look: spread over the first interval's tenth, at most a minute, so
// that a start is no flood.
[[nodiscard]] config::Seconds first_wait(const config::Schedule& schedule, std::string_view name);

// How quickly a host's records can change under our clients.
struct Cadence {
  config::Seconds longest_ttl{0};  // of all that is published or may still be held
  bool is_changing = false;        // something changed less than two such TTLs ago
};
[[nodiscard]] Cadence cadence_of(const History& history, config::Time at);

// The time between two looks that lets rollovers be graded (two looks within half a TTL), but never
// more often than `schedule.fastest` nor more seldom than `schedule.interval`.
[[nodiscard]] config::Seconds interval_for(const config::Schedule& schedule,
                                           config::Seconds longest_ttl, bool is_changing);

}  // namespace agent

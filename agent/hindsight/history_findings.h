#pragma once

#include <chrono>
#include <string>

#include "agent/foresight/renewal_advice.h"
#include "agent/history/host_history.h"
#include "agent/rollover/rollover_state.h"
#include "probes/findings.h"

// PURE
// What history adds to a look at a host: trouble that no single look can show.
namespace agent {

// Protection that was lost is told for so long, after the last cache has forgotten it.
inline constexpr config::Seconds kLossTold = std::chrono::hours{24 * 14};

// Findings about `host`, as of the standing, and what is known of its past. `history` is that of
// the host history, `renewals` what CAs suggest.
[[nodiscard]] probes::HistoryFindings foresee(const HostHistory& host_history,
                                              const History& history,
                                              const RolloverStanding& standing,
                                              const RenewalBook& renewals, const std::string& host);

}  // namespace agent

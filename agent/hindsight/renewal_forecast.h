#pragma once

#include <string>

#include "agent/foresight/renewal_advice.h"
#include "agent/history/host_history.h"
#include "agent/rollover/rollover_state.h"
#include "probes/findings.h"

// PURE
// What will break if certificates and signatures go on being renewed as they were (RFC 7671 §8.1).
namespace agent {

// Findings about `host` as of the standing; `history` is that of the host history, `renewals` what
// CAs suggest, which comes before habit. Where the zone's
// habit of signing is known it overrules what one look makes of a signature's age, both ways.
[[nodiscard]] probes::HistoryFindings predict(const HostHistory& host_history,
                                              const History& history,
                                              const RolloverStanding& standing,
                                              const RenewalBook& renewals, const std::string& host);

}  // namespace agent

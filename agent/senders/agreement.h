#pragma once

#include <string_view>
#include <vector>

#include "agent/senders/sender_sessions.h"

// PURE
namespace agent {

// Holds failed sessions against what was seen meanwhile. `spans`: of domains that the failure may
// be of, in any order; those outside of the report's time say nothing.
// A look that only learned that the host is down, or that failed by our own fault, tells nothing;
// a fault of ours that did not keep us from judging the host hides nothing. What lies behind a
// fault that we met (a certificate where there was no STARTTLS) was not seen.
[[nodiscard]] Agreement agreement(const SenderSessions& failed, const std::vector<SeenSpan>& spans);

// Whether senders call so what comes of a lookup, and not of a session.
[[nodiscard]] bool is_of_lookup(std::string_view result_type);

// Whether what senders call so (RFC 8460 §4.3) may be what a finding of this code is about.
[[nodiscard]] bool is_same_fault(std::string_view result_type, probes::Code code);

}  // namespace agent

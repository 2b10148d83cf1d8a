#pragma once

#include <string>
#include <vector>

#include "probes/judgement.h"

// PURE
namespace agent {

// Findings for classes of senders that the operator asks for by `sender_classes`: mail from them
// waits where the reference sender delivers. Of other classes the splits tell.
[[nodiscard]] std::vector<probes::Finding> asked_sender_findings(
    const probes::DomainJudgement& judged, const std::vector<std::string>& asked);

}  // namespace agent

#pragma once

#include "probes/judgement.h"
#include "probes/verdict.h"

// PURE
namespace probes {

// The root of the trouble that a finding tells of: a host's TLSA records that stand at an alias are
// those of every host that uses it, an expired signature is the trouble of a zone, everything else
// of the finding's own subject. Alerts are one per root, however many hosts and domains it hits.
// `domain` or `host`: what the finding was made from, the other null.
[[nodiscard]] Subject cause_of(const Finding& finding, const DomainObservation* domain,
                               const HostObservation* host);

// The same of a finding of that judgement.
[[nodiscard]] Subject cause_in(const DomainJudgement& judged, const Finding& finding);

}  // namespace probes

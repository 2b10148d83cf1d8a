#pragma once

#include "probes/observation.h"
#include "probes/verdict.h"

// PURE
namespace agent {

// The root of the trouble that a finding tells of: a host's TLSA records that stand at an alias are
// those of every host that uses it, an expired signature is the trouble of a zone, everything else
// of the finding's own subject. Alerts are one per root, however many hosts and domains it hits.
// `domain` or `host`: what the finding was made from, the other null.
[[nodiscard]] probes::Subject cause_of(const probes::Finding& finding,
                                       const probes::DomainObservation* domain,
                                       const probes::HostObservation* host);

}  // namespace agent

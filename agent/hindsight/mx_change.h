#pragma once

#include <optional>
#include <vector>

#include "probes/observation.h"
#include "probes/verdict.h"

// PURE
namespace agent {

// Other MX hosts, or other preferences, than at the look before.
struct MxChange {
  config::Time at;
  std::vector<probes::MxHost> before;  // none: there was none, or it named nobody
};

// Nothing, too, when one of the looks learned nothing of the MX RRset.
[[nodiscard]] std::optional<MxChange> find_mx_change(const probes::DomainObservation& before,
                                                     const probes::DomainObservation& after);

// For as long as it is worth showing.
[[nodiscard]] std::optional<probes::Finding> finding_of(const MxChange& change,
                                                        const probes::DomainObservation& now,
                                                        config::Time at);

}  // namespace agent

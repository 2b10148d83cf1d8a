#pragma once

#include <optional>
#include <string>

#include "probes/observation.h"
#include "probes/verdict.h"

// PURE
namespace agent {

// Other MX hosts, or other preferences, than at the look before.
struct MxChange {
  config::Time at;
  std::string before;  // "10 mx1.example.org, 20 mx2.example.org"
};

// Nothing, too, when one of the looks learned nothing of the MX RRset.
[[nodiscard]] std::optional<MxChange> find_mx_change(const probes::DomainObservation& before,
                                                     const probes::DomainObservation& after);

// For as long as it is worth showing.
[[nodiscard]] std::optional<probes::Finding> finding_of(const MxChange& change,
                                                        const probes::DomainObservation& now,
                                                        config::Time at);

}  // namespace agent

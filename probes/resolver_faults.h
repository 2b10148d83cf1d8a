#pragma once

#include <vector>

#include "probes/observation.h"

// What an observation says of our own resolver rather than of the target. PURE.
namespace probes {

// Everything that was looked up for the observation.
[[nodiscard]] std::vector<const dns::Answer*> answers_of(const DomainObservation& seen);
[[nodiscard]] std::vector<const dns::Answer*> answers_of(const HostObservation& seen);
// What the verdict hangs on.
[[nodiscard]] std::vector<const dns::Answer*> deciding(const DomainObservation& seen);
[[nodiscard]] std::vector<const dns::Answer*> deciding(const HostObservation& seen);

// Where the resolver was wrong and the zones' own servers right: each once.
[[nodiscard]] std::vector<dns::ResolverFault> resolver_faults(
    const std::vector<const dns::Answer*>& answers);

// Lookups failed, and only our resolver could be asked.
[[nodiscard]] bool is_unconfirmed(const std::vector<const dns::Answer*>& answers);

// Marks these failures as what they are, our resolver's own; those on which no verdict hangs count
// as not asked.
void excuse(DomainObservation& seen);
void excuse(HostObservation& seen);

// A failure that was excused: nothing is known of the target.
[[nodiscard]] const dns::Answer* find_excused(const std::vector<const dns::Answer*>& answers);

}  // namespace probes

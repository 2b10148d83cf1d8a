#pragma once

#include <vector>

#include "probes/verdict.h"

// PURE
// Which of the findings of one look follow from which. The order is the catalogue's
// (AlertRule::explains); what is said of a domain may follow from what is said of its host.
namespace probes {

// Sets `consequence_of` and `consequences` of all of them anew. A finding that follows from one
// which itself follows from another is the other's consequence: one cause, with all that comes of
// it, and as grave as the gravest of that.
void link_causes(std::vector<Finding>& findings);

// Whether what is found may come of `cause`, where both are of one subject.
[[nodiscard]] bool explains(const Finding& cause, Code effect);

// The finding that explains `finding`, or null.
[[nodiscard]] const Finding* cause_among(const Findings& findings, const Finding& finding);
const Finding* cause_among(Findings&& findings,
                           const Finding& finding) = delete;  // it points there

}  // namespace probes

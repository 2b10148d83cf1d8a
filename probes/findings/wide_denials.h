#pragma once

#include <optional>
#include <vector>

#include "probes/dns/survey.h"
#include "probes/verdict.h"

// PURE
namespace probes {

// Denials that deny more than they should: the proof that a name has no AAAA record leaves the A
// record out of the types that there are, at the name or at the wildcard that stands for it, or the
// reply says that the name does not exist. Resolvers that remember it deny the rest, too (RFC 8198
// §5, RFC 8020 §2). `answers`: all that one look learned about `subject` through the resolver;
// `survey`: what the name servers say to the same questions.
[[nodiscard]] std::optional<Finding> find_wide_denial(
    const Subject& subject, const std::vector<const dns::Answer*>& answers,
    const dns::Survey& survey);

}  // namespace probes

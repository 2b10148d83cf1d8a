#pragma once

#include <optional>
#include <string>

#include "agent/foresight/renewal_advice.h"
#include "agent/hindsight/renewal_pattern.h"

// PURE
namespace agent {

// When a certificate is to be expected to be replaced, and how that is known.
struct ExpectedRenewal {
  config::Time at;     // the earliest
  std::string source;  // "ari": its CA suggests it; "habit"; "lifetime"
};

// The certificate of those that an endpoint still presents that was issued last.
[[nodiscard]] const SeenCertificate& worn_now(const RenewalPattern& habit);

// Of the next renewal: what the CA suggests before habit, for habits break when a CA changes how
// long its certificates live. But who has renewed well before the CA suggests goes by a schedule of
// its own, and a window that is over by two weeks was not heeded: then by habit. Null where neither
// says anything.
[[nodiscard]] std::optional<ExpectedRenewal> expected_renewal(const RenewalPattern& habit,
                                                              const RenewalBook& renewals,
                                                              config::Time at);
// The same; by the certificate's lifetime where nothing else tells.
[[nodiscard]] ExpectedRenewal expected_or_usual_renewal(const RenewalPattern& habit,
                                                        const RenewalBook& renewals,
                                                        config::Time at);

}  // namespace agent

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "probes/judgement.h"
#include "probes/reports/maillog.h"

// PURE
namespace agent {

// Whether the verdict foretold how a delivery of our own Postfix went. Nothing where the two say
// nothing of each other: the verdict is unknown, the server would not take the mail for reasons of
// its own, this Postfix demands more than the reference sender or could not learn its own policy,
// or its log does not say how the session was protected. `is_excepted`: Postfix was told to deliver
// without authentication.
[[nodiscard]] std::optional<bool> was_foretold(probes::Verdict verdict,
                                               const probes::reports::Delivery& delivery,
                                               bool is_excepted);

// The verdict on what the delivery was about: the host, or the domain where it names none. Nothing
// when that host is not among the domain's.
[[nodiscard]] std::optional<probes::Verdict> verdict_about(
    const probes::DomainJudgement& judged, const probes::reports::Delivery& delivery);

// When that was last looked at.
[[nodiscard]] config::Time looked_at(const probes::DomainJudgement& judged,
                                     const probes::reports::Delivery& delivery);

}  // namespace agent

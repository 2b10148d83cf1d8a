#pragma once

#include <optional>
#include <string>

#include "agent/foresight/issuers.h"
#include "agent/foresight/renewal_advice.h"
#include "agent/history/history.h"
#include "probes/findings.h"

// PURE
namespace agent {

// The host relies on DANE-TA(2) records that vouch for only some of the keys from which its CA
// issues, or will by the next renewal: that may come from another. Nothing where the set names all
// of them, where a record of the host's own key outlives the renewal, or where one for a key to
// come is published. `history` is that of the host history.
[[nodiscard]] std::optional<probes::Finding> find_uncovered_issuer(
    const HostHistory& host_history, const History& history, const IssuerBook& issuers,
    const RenewalBook& renewals, const std::string& host, config::Time at);

}  // namespace agent

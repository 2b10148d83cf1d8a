#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/watch/runner.h"
#include "storage/queries.h"

// What holds now, as page, API and metrics show it alike: what the agent knows, whether or not it
// could be recorded. Storage is asked only for what lies back.
namespace web {

// Alerts of that state, or all: firing first, then pending, both the worst first, then those that
// are over, the newest first; `limit` in all. Without storage only those that are over for hours
// are missing.
[[nodiscard]] std::vector<agent::Alert> current_alerts(const agent::Snapshot& snapshot,
                                                       storage::Queries& queries,
                                                       std::optional<agent::AlertState> state,
                                                       std::size_t limit);

// The alert as the agent knows it; null when it does not.
[[nodiscard]] const agent::Alert* find_alert(const agent::Snapshot& snapshot,
                                             const std::string& id);

// The domain's line; of one that was not looked at since the start as it was recorded last.
[[nodiscard]] storage::DomainRow current_row(const agent::DomainState& state,
                                             storage::Queries& queries);

// Watched domains; of those that were not looked at since the start as recorded last.
[[nodiscard]] storage::DomainPage current_domains(const agent::Snapshot& snapshot,
                                                  storage::Queries& queries,
                                                  const storage::DomainFilter& filter);

// How many there are of each status.
[[nodiscard]] std::map<std::string, std::size_t> current_counts(const agent::Snapshot& snapshot,
                                                                storage::Queries& queries);

}  // namespace web

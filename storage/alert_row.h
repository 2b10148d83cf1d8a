#pragma once

#include <string_view>

#include "agent/round.h"
#include "storage/sqlite.h"

namespace storage {

// The columns of table alert, in the order in which read_alert expects them.
inline constexpr std::string_view kAlertColumns =
    "id, state, finding, domains, first_seen, last_seen, opened, resolved, looks_seen, looks_clean";

[[nodiscard]] agent::Alert read_alert(const Statement& row);
[[nodiscard]] std::string finding_text(const probes::Finding& finding);

}  // namespace storage

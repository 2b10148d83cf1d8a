#pragma once

#include <string_view>

#include "agent/alerts/round.h"
#include "storage/database.h"

namespace storage {

// The columns of table alert, in the order in which read_alert expects them.
inline constexpr std::string_view kAlertColumns =
    "id, state, finding, domains, first_seen, last_seen, opened, resolved, looks_seen, "
    "looks_clean, rest";

[[nodiscard]] agent::Alert read_alert(const Statement& row);
[[nodiscard]] std::string finding_text(const probes::Finding& finding);
[[nodiscard]] std::string rest_text(const agent::Alert& alert);

[[nodiscard]] std::string silence_text(const agent::Silence& silence);
[[nodiscard]] agent::Silence read_silence(const std::string& id, const std::string& text);
[[nodiscard]] std::string exception_text(const agent::Exception& exception);
[[nodiscard]] agent::Exception read_exception(const std::string& domain, const std::string& text);

}  // namespace storage

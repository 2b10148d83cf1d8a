#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "storage/event_log.h"

// PURE
// What calendars and feed readers follow.
namespace web {

// What a kind of deadline says, in words.
[[nodiscard]] std::string_view deadline_words(std::string_view kind);

// Deadlines, as deadlines_json gives them, as a calendar (RFC 5545).
[[nodiscard]] std::string calendar_of(const nlohmann::ordered_json& deadlines, config::Time now);

// Alerts that opened and that were resolved, the newest first, as a feed (RFC 4287). Links lead to
// the page on the same server.
[[nodiscard]] std::string atom_of(const std::vector<storage::LogEvent>& events, config::Time now);

}  // namespace web

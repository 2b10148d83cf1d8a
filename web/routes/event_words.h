#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/event_log.h"

// PURE
// Events of the history, as they are told.
namespace web {

[[nodiscard]] std::string_view kind_name(storage::LogEvent::Kind kind);
[[nodiscard]] std::optional<storage::LogEvent::Kind> kind_from(std::string_view word);

// One sentence, without whom it happened to.
[[nodiscard]] std::string title_of(const storage::LogEvent& event);

}  // namespace web

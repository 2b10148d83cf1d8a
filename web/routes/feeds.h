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

// Whose feed it is. Its id must be that of no other feed (RFC 4287 §4.2.6): it is made of the
// address of the page, or of the name of this machine where that is not known; then links lead to
// the page on the same server.
struct FeedHead {
  std::string name;  // as in its address: "alerts"
  std::string page;  // where users reach the page, as configured; may be empty
  std::string host_name;
};
// What happened, as a feed (RFC 4287): an event that is given twice is in it once.
[[nodiscard]] std::string atom_of(const FeedHead& head,
                                  const std::vector<storage::LogEvent>& events, config::Time now);

}  // namespace web

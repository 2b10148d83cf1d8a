#include "web/routes/query.h"

#include <limits>

#include <fmt/format.h>

namespace web {

std::optional<config::Role> role_from(std::string_view name) {
  if (name == "inbound") return config::Role::inbound;
  return name == "outbound" ? std::optional{config::Role::outbound} : std::nullopt;
}

Whom whom(Query& query) {
  return {.role = query.word("role", role_from), .group = query.text("group")};
}

Reply bad_parameter(const std::string& name, const std::string& value) {
  return problem(400, "bad parameter", fmt::format("{}={}", name, value));
}

std::optional<std::string> Query::text(const std::string& name) {
  const auto entry = given_.find(name);
  if (entry == given_.end() || entry->second.empty()) return std::nullopt;
  return entry->second;
}

std::optional<std::size_t> Query::number(const std::string& name, std::size_t least,
                                         std::size_t most) {
  const auto entry = given_.find(name);
  if (entry == given_.end()) return std::nullopt;
  const auto value = web::number(entry->second);
  if (value && *value >= least && *value <= most) return value;
  note_fault(name);
  return std::nullopt;
}

std::optional<config::Time> Query::moment(const std::string& name) {
  constexpr std::size_t kLastMillisecond = 253402300799999;  // of the year 9999
  const auto entry = given_.find(name);
  if (entry == given_.end()) return std::nullopt;
  if (auto time = config::parse_rfc3339(entry->second)) return time;
  const auto milliseconds = web::number(entry->second);
  if (milliseconds && *milliseconds <= kLastMillisecond)
    return config::Time{config::Seconds{static_cast<std::int64_t>(*milliseconds / 1000)}};
  note_fault(name);
  return std::nullopt;
}

bool Query::says(const std::string& name, std::string_view only) {
  const auto given = word(name, [&](const std::string& text) {
    return text == only ? std::optional{true} : std::nullopt;
  });
  return given.value_or(false);
}

bool Query::is_table() {
  const auto format = word("format", [](const std::string& name) -> std::optional<bool> {
    if (name == "csv") return true;
    return name == "json" ? std::optional{false} : std::nullopt;
  });
  return format.value_or(false);
}

Query::Part Query::part(std::size_t most, std::size_t by_default) {
  constexpr auto kAny = std::numeric_limits<std::size_t>::max();
  Part out{.offset = number("cursor", 0, kAny).value_or(0),
           .limit = number("limit", 1, most).value_or(by_default),
           .is_table = is_table()};
  if (out.is_table) out = {.offset = 0, .limit = kAny, .is_table = true};
  return out;
}

std::optional<Reply> Query::fault() const {
  if (!wrong_) return std::nullopt;
  return bad_parameter(*wrong_, given_.at(*wrong_));
}

void Query::note_fault(const std::string& name) {
  if (!wrong_) wrong_ = name;
}

}  // namespace web

#include "web/routes/query.h"

#include <fmt/format.h>

namespace web {

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

std::optional<Reply> Query::fault() const {
  if (!wrong_) return std::nullopt;
  return bad_parameter(*wrong_, given_.at(*wrong_));
}

void Query::note_fault(const std::string& name) {
  if (!wrong_) wrong_ = name;
}

}  // namespace web

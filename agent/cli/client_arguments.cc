#include "agent/cli/client_arguments.h"

#include <fmt/format.h>

#include "agent/cli/stored_status.h"
#include "config/matcher.h"
#include "probes/explain.h"

namespace agent {

using config::Failure;
using config::Result;
using Json = nlohmann::ordered_json;

Result<Json, std::string> parse_matcher(std::string_view text) {
  const auto read = config::parse_matcher(text);
  if (!read)
    return Failure<std::string>(fmt::format("{}: {}", probes::printable(text, 100), read.error()));
  return Json{{"name", read->name},
              {"value", read->value},
              {"is_regex", read->is_regex},
              {"is_equal", read->is_equal}};
}

Result<config::Time, std::string> parse_until(std::string_view text, config::Time now) {
  if (const auto time = config::parse_rfc3339(text)) return *time;
  if (const auto duration = config::parse_duration(text)) return now + *duration;
  return Failure<std::string>(
      fmt::format("{}: write a time as 2026-01-02T03:04:05Z, or a duration, e.g. 90m, 2h or 3d",
                  probes::printable(text, 100)));
}

std::string matcher_text(const Json& matcher) {
  const auto is = [&](const char* name, bool otherwise) {
    const auto found = matcher.is_object() ? matcher.find(name) : matcher.end();
    return found != matcher.end() && found->is_boolean() ? found->get<bool>() : otherwise;
  };
  const bool is_equal = is("is_equal", true), is_regex = is("is_regex", false);
  return fmt::format("{}{}{}", shown(matcher, "/name"),
                     is_regex ? (is_equal ? "=~" : "!~") : (is_equal ? "=" : "!="),
                     shown(matcher, "/value"));
}

}  // namespace agent

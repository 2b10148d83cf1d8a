#include "config/matcher.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/name.h"

namespace config {

Result<Matcher, std::string> parse_matcher(std::string_view text) {
  const auto is_of_label = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  const auto end = std::ranges::find_if_not(text, is_of_label);
  const auto name = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  auto rest = text.substr(name.size());
  const bool is_equal = !rest.starts_with('!');
  if (!is_equal) rest.remove_prefix(1);
  const bool is_regex = rest.starts_with('~') || rest.starts_with("=~");
  // "=~" and "!~" are regular expressions, "=" and "!=" are not; "~" alone is nothing.
  const bool is_read = is_equal ? rest.starts_with('=') : rest.starts_with('=') != is_regex;
  if (name.empty() || !is_read)
    return Failure<std::string>("write name=value, name!=value, name=~regex or name!~regex");
  rest.remove_prefix(is_equal && is_regex ? 2 : 1);
  return Matcher{.name = std::string(name),
                 .value = std::string(rest),
                 .is_regex = is_regex,
                 .is_equal = is_equal};
}

std::optional<std::string> label_fault(std::string_view name) {
  constexpr auto kLabels =
      std::to_array<std::string_view>({"alertname", "code", "severity", "direction", "role",
                                       "domain", "group", "mx", "owner", "zone", "check"});
  if (std::ranges::find(kLabels, name) != kLabels.end()) return std::nullopt;
  return fmt::format("alerts have no label of that name, but: {}", fmt::join(kLabels, ", "));
}

Result<std::string, std::string> matcher_text(std::string_view text) {
  const auto read = parse_matcher(text);
  if (!read) return Failure<std::string>(read.error());
  if (auto fault = label_fault(read->name)) return Failure<std::string>(*std::move(fault));
  return std::string(text);
}

Result<std::string, std::string> hook_address(std::string_view text) {
  constexpr std::array<std::string_view, 2> kFields{"{id}", "{alert_id}"};
  const auto host = text.find("://");
  const auto path = host == text.npos ? text.npos : text.find('/', host + 3);
  std::string plain(text);
  for (const auto field : kFields) {
    for (auto at = plain.find(field); at != plain.npos; at = plain.find(field)) {
      if (path == text.npos || at < path)
        return Failure<std::string>("a field is possible only after the host");
      plain = fmt::format("{}x{}", plain.substr(0, at), plain.substr(at + field.size()));
    }
  }
  auto address = web_address(plain);
  if (!address) return Failure<std::string>(address.error());
  // As it was given, but without the slashes that web_address() takes off.
  return std::string(text.substr(0, text.find_last_not_of('/') + 1));
}

}  // namespace config

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/result.h"

// PURE
namespace config {

// Which alerts are meant, by a label of theirs: as Alertmanager has it.
struct Matcher {
  std::string name;  // of a label
  std::string value;
  bool is_regex = false;  // `value` is RE2 syntax and must match the whole label
  bool is_equal = true;   // false: must not match
  bool operator==(const Matcher&) const = default;
};

// "name=value", "name!=value", "name=~regex" or "name!~regex"; names are of letters, digits and
// underscores. The error is a phrase that does not repeat the text.
[[nodiscard]] Result<Matcher, std::string> parse_matcher(std::string_view text);
// What is wrong with the name of a label, in words: no alert has it, so that to be equal to
// something would fit nothing, and not to be would fit everything.
[[nodiscard]] std::optional<std::string> label_fault(std::string_view name);
// The same as parse_matcher, of labels that there are, for what stays text.
[[nodiscard]] Result<std::string, std::string> matcher_text(std::string_view text);

// A web address (name.h) that may have {id} and {alert_id} in it, behind the host, to be filled in
// with those of a notification.
[[nodiscard]] Result<std::string, std::string> hook_address(std::string_view text);

}  // namespace config

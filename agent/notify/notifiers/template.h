#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/config.h"
#include "config/result.h"

// PURE
// Texts of an operator's own for a notification: mustache(5) with sections, without partials,
// lambdas, other delimiters and unescaped values.
namespace agent {

// What a template may name.
struct TemplateValues {
  std::map<std::string, std::string> texts;               // {{name}}; {{#name}} when not empty
  std::map<std::string, bool> flags;                      // {{#name}}, {{^name}}
  std::map<std::string, std::vector<std::string>> lists;  // {{#name}}{{item}}{{^is_last}}, …
};

// Of a notification: the fields of render.h's fields_of, long ones without their middle
// (docs/alerts.md says how long), and short_title; those that `words` translates in the operator's
// words; is_… for every event, severity and direction, by our words; domain_list and
// fix_list, at most kMostItems of each.
inline constexpr std::size_t kMostItems = 100;
[[nodiscard]] TemplateValues template_values(const nlohmann::ordered_json& notification,
                                             const std::string& page,
                                             const config::TemplateWords& words = {});

// The text filled in, every value escaped so that it may stand between the quotes of a JSON string.
// The error names what is not there or not closed, also where the text would not be sent. At most
// kMostFilled octets.
inline constexpr std::size_t kMostFilled = 1024 * 1024;
[[nodiscard]] config::Result<std::string, std::string> fill(std::string_view text,
                                                            const TemplateValues& values);

}  // namespace agent

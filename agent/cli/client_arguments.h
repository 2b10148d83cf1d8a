#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "config/result.h"
#include "config/time.h"

// PURE
// What operators write on the command line of a running agent, in the form of its API.
namespace agent {

// "name=value", "name!=value", "name=~regex" or "name!~regex" as a Matcher of openapi.json. Labels
// are letters, digits and underscores; whether the pattern can be read the agent says.
[[nodiscard]] config::Result<nlohmann::ordered_json, std::string> parse_matcher(
    std::string_view text);

// "2026-01-02T03:04:05Z", or so long from `now` on: "2h".
[[nodiscard]] config::Result<config::Time, std::string> parse_until(std::string_view text,
                                                                    config::Time now);

// A Matcher as it is written.
[[nodiscard]] std::string matcher_text(const nlohmann::ordered_json& matcher);

}  // namespace agent

#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include "agent/runner.h"
#include "config/result.h"

// What a wish would do, or would need, before it is made.
namespace web {

[[nodiscard]] agent::Domains configured(const agent::Snapshot& snapshot);

// The open alerts that the silence would cover if it began now, wholly or in part: for each how
// many of the domains hit ("covered" of "of").
[[nodiscard]] nlohmann::ordered_json preview_json(const agent::Snapshot& snapshot,
                                                  agent::Silence silence);

// {"pem":…}, a certificate with or without its issuers: the TLSA records that fit, the server's own
// key first. The error says what is wrong, in words.
[[nodiscard]] config::Result<nlohmann::ordered_json, std::string> fitting_records(
    std::string_view body);

}  // namespace web

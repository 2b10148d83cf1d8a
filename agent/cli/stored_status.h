#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/cli/table.h"
#include "probes/status.h"

// PURE
// What an agent says of what it watches, as it last saw it, for `danelaw status`. Replies come from
// outside: what is not as openapi.json has it counts as not known, never as well.
namespace agent {

struct StoredStatus {
  std::string url;
  nlohmann::ordered_json agent;               // of GET /api/v1/status
  std::vector<nlohmann::ordered_json> items;  // rows of /api/v1/domains, and of /api/v1/mx
  std::vector<std::string> unwatched;         // names that were asked for and are neither
  std::size_t asked = 0;                      // how many names; 0: for all domains
};

// Why nothing that it says can be trusted now; nothing while it can.
[[nodiscard]] std::optional<std::string> why_blind(const StoredStatus& stored);

// Of one row, as `check` has it: of a domain, or of a host by what is found at it.
[[nodiscard]] probes::Status status_of_row(const nlohmann::ordered_json& row);

// The worst, as `check` has it; unknown also when the agent is blind, or watches none of the names.
[[nodiscard]] probes::Status worst_of(const StoredStatus& stored);

[[nodiscard]] std::string status_text(const StoredStatus& stored, const Screen& screen);
// One object of schema danelaw.status/1.
[[nodiscard]] nlohmann::ordered_json status_json(const StoredStatus& stored);
// One line of a Nagios plug-in, with performance data.
[[nodiscard]] std::string status_nagios(const StoredStatus& stored);

// For other lists of what an agent says: a text, harmless; empty when there is none.
[[nodiscard]] std::string shown(const nlohmann::ordered_json& from, const std::string& pointer);
[[nodiscard]] std::int64_t count_in(const nlohmann::ordered_json& from, const std::string& pointer);
[[nodiscard]] Tint tint_of_severity(std::string_view severity);

}  // namespace agent

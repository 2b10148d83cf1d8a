#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/alerts/round.h"

// PURE
namespace storage {

// A domain in a line, as lists show it and the database keeps it.
struct DomainRow {
  std::string name, role, group;
  std::optional<std::string> verdict, weakest;  // nothing before the first look
  std::string severity, status;                 // status: ok, warning, critical, unknown
  std::optional<std::string> worst_code, worst_severity, worst_title;
  std::int64_t mx_hosts = 0, dane_mx_hosts = 0;
  std::optional<config::Time> observed_at, next_check_at;
  std::optional<std::string> report;  // the check object; only from Queries::domain()
};

[[nodiscard]] DomainRow row_of(const agent::DomainState& state);

// How a domain stands in one word; unknown before the first look.
[[nodiscard]] std::string_view status_of(const agent::DomainState& state);

}  // namespace storage

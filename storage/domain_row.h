#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/alerts/round.h"
#include "probes/status.h"

// PURE
namespace storage {

// A domain in a line, as lists show it and the database keeps it.
struct DomainRow {
  std::string name, role, group;
  std::optional<std::string> verdict, weakest;  // nothing before the first look
  std::string severity;
  probes::Status status = probes::Status::unknown;
  probes::Delivery delivery = probes::Delivery::unknown;
  std::optional<std::string> worst_code, worst_severity, worst_title;
  std::int64_t mx_hosts = 0, dane_mx_hosts = 0;
  std::optional<config::Time> observed_at, next_check_at;
  std::optional<std::string> report;  // the check object; only from Queries::domain()
  // What was known last, if ever: now, while `delivery` says anything.
  struct Known {
    config::Time at;
    std::string verdict;
    probes::Status status = probes::Status::unknown;
    probes::Delivery delivery = probes::Delivery::unknown;
    std::optional<std::string> report;  // as `report`; null while that is the one
  };
  std::optional<Known> known{};
};

[[nodiscard]] DomainRow row_of(const agent::DomainState& state);

// Unknown before the first look.
[[nodiscard]] probes::Status status_of(const agent::DomainState& state);
[[nodiscard]] probes::Delivery delivery_of(const agent::DomainState& state);

}  // namespace storage

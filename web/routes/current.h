#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/watch/runner.h"
#include "storage/queries.h"

// What holds now, as page, API and metrics show it alike: what the agent knows, whether or not it
// could be recorded. Storage is asked only for what lies back.
namespace web {

struct DomainFilter {
  std::string substring;  // of the name; empty: all
  std::optional<probes::Status> status;
  std::optional<probes::Delivery> delivery;
  std::optional<config::Role> role;
  std::optional<std::string> group;
  // The worst first, but names: they rise.
  enum class Sort { name, status, observed_at, delivery } sort = Sort::name;
  std::size_t offset = 0;
  std::size_t limit = 100;
};

struct DomainPage {
  std::vector<storage::DomainRow> rows;
  std::size_t total = 0;  // that fit the filter
};

// Alerts of that state, or all: firing first, then pending, both the worst first, then those that
// are over, the newest first; `limit` in all. Without storage only those that are over for hours
// are missing.
[[nodiscard]] std::vector<agent::Alert> current_alerts(const agent::Snapshot& snapshot,
                                                       storage::Queries& queries,
                                                       std::optional<agent::AlertState> state,
                                                       std::size_t limit);

// The alert as the agent knows it; null when it does not.
[[nodiscard]] const agent::Alert* find_alert(const agent::Snapshot& snapshot,
                                             const std::string& id);

// The domain's line; of one that was not looked at since the start as it was recorded last.
[[nodiscard]] storage::DomainRow current_row(const agent::DomainState& state,
                                             storage::Queries& queries);

// Watched domains; of those that were not looked at since the start as recorded last.
[[nodiscard]] DomainPage current_domains(const agent::Snapshot& snapshot, storage::Queries& queries,
                                         const DomainFilter& filter);

// How many there are of each status, and of each kind of delivery: ours and partners'.
struct Counts {
  std::array<std::size_t, probes::kStatusCount> by_status{};
  struct Roles {
    std::size_t inbound = 0, outbound = 0;
  };
  std::array<Roles, probes::kDeliveryCount> by_delivery{};
  std::map<std::string, probes::Delivery> held_up;  // by name
};
[[nodiscard]] Counts current_counts(const agent::Snapshot& snapshot, storage::Queries& queries);

}  // namespace web

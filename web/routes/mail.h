#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/watch/runner.h"
#include "probes/status.h"
#include "web/routes/current.h"

// PURE
// What happens to mail, told of an MX host and of all domains together.
namespace web {

// Mail through one host, as seen by all watched domains that use it.
struct HostMail {
  std::optional<probes::Verdict> verdict;  // of the domain for which it is worst; null: unjudged
  probes::Delivery delivery = probes::Delivery::unknown;  // of that verdict
  std::vector<std::string> domains;                       // that use it, sorted
  std::vector<std::string> held_up;        // of them, those whose mail reaches no host at all
  bool has_shown_certificate = false;      // at its last look
  const probes::Finding* worst = nullptr;  // found at it, of the snapshot; null: nothing is
};
[[nodiscard]] HostMail mail_through(const agent::Snapshot& snapshot,
                                    const probes::HostObservation& host);

// Open alerts in which the host is hit.
[[nodiscard]] std::vector<const agent::Alert*> alerts_of(const agent::Snapshot& snapshot,
                                                         const std::string& host);

// {"held-up": {"inbound": 11, "outbound": 1}, …}, all five.
[[nodiscard]] nlohmann::ordered_json delivery_json(const Counts& counts);
// {"ok": 3, …}, all four.
[[nodiscard]] nlohmann::ordered_json status_json(const Counts& counts);

}  // namespace web

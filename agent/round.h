#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/chronicle.h"
#include "config/config.h"
#include "probes/judge.h"

// What one look at a target led to: the unit that is decided together and stored together.
namespace agent {

// What is looked at by itself. A host is one target however many domains use it.
struct Target {
  enum class Kind { domain, host, monitor };  // monitor: our own senses; its name is the root
  Kind kind = Kind::domain;
  probes::dns::Name name;
  auto operator<=>(const Target&) const = default;
  bool operator==(const Target&) const = default;
};

enum class AlertState {
  pending,  // seen, not confirmed: nobody is told
  firing,
  resolved,  // over; kept as history
};
[[nodiscard]] std::string_view wire_name(AlertState state);
[[nodiscard]] std::optional<AlertState> alert_state_from(std::string_view name);

// Trouble with one root cause (code and subject), whatever the number of domains it hits. Changed
// only by lifecycle.h; a pending alert that was not confirmed vanishes, a resolved one is never
// reopened.
struct Alert {
  std::string id;  // stable from the first sight to the end, unique for ever; letters, digits, '.',
                   // '_', '-'
  AlertState state = AlertState::pending;
  probes::Finding finding;           // as last seen; its severity is the alert's
  std::vector<std::string> domains;  // hit, sorted
  config::Time first_seen_at;
  config::Time last_seen_at;
  std::optional<config::Time> opened_at;
  std::optional<config::Time> resolved_at;
  int looks_seen = 0;   // in a row, while pending
  int looks_clean = 0;  // in a row, while firing
  bool operator==(const Alert&) const = default;
};

// A step of an alert that people may want to hear about, with the reason in words.
struct Transition {
  enum class What { opened, resolved };
  What what = What::opened;
  std::string alert_id;
  std::string reason;
};

// A domain as judged in a round, with what the configuration says of it.
struct DomainState {
  config::Domain configured;
  std::shared_ptr<const probes::DomainJudgement> judged;  // null until the first look is complete
  config::Time next_check_at;
};

struct Round {
  Target target;
  config::Time at;
  probes::DomainSeen domain;           // set when the target is a domain and was seen
  probes::HostSeen host;               // set when the target is a host and was seen
  Sighting sighting;                   // completed; of that host
  std::vector<DomainState> judged;     // every domain whose judgement this look renewed
  std::vector<Alert> alerts;           // those that changed, as they are now
  std::vector<std::string> forgotten;  // ids of pending alerts that were not confirmed
  std::vector<Transition> transitions;
};

}  // namespace agent

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/hindsight/mx_change.h"
#include "agent/history/signing.h"
#include "agent/self/self_check.h"
#include "probes/findings.h"
#include "probes/judge.h"

// PURE
namespace agent {

// What is known of a domain and its hosts beyond what the last looks at them saw.
struct KnownBefore {
  std::map<probes::dns::Name, const probes::HistoryFindings*> of_hosts;  // by host
  std::vector<probes::Finding> of_zones;      // that vouch for what was seen
  const Signatures* mx_signatures = nullptr;  // null: not known
  std::optional<MxChange> mx_change;          // the last one
  std::vector<std::string> asked_senders;     // `sender_classes` of the configuration
};

// The judgement of what was seen, with what history adds. `hosts`: every host of the domain.
// `blocked`: the check to blame when no session gets out of here; then nothing is said of hosts.
[[nodiscard]] probes::DomainJudgement judge_with_history(
    const probes::DomainSeen& seen, const std::map<probes::dns::Name, probes::HostSeen>& hosts,
    const KnownBefore& known, const SelfCheck* blocked, config::Time at);

}  // namespace agent

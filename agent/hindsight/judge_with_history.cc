#include "agent/hindsight/judge_with_history.h"

#include "agent/hindsight/asked_senders.h"

namespace agent {

probes::DomainJudgement judge_with_history(
    const probes::DomainSeen& seen, const std::map<probes::dns::Name, probes::HostSeen>& hosts,
    const KnownBefore& known, const SelfCheck* blocked, config::Time at) {
  auto judged = blocked == nullptr
                    ? probes::judge(seen, hosts, at)
                    : probes::judge_blind(seen, blocked->check, blocked->detail.value_or(""));
  if (blocked == nullptr) {
    for (const auto& [host, hindsight] : known.of_hosts)
      probes::add_history_findings(judged, host, *hindsight);
    for (const auto& finding : known.of_zones) probes::add_finding(judged, finding);
    for (auto& finding : asked_sender_findings(judged, known.asked_senders))
      probes::add_finding(judged, std::move(finding));
  }
  if (known.mx_signatures != nullptr) {
    probes::add_history_findings(
        judged,
        predict_end(*known.mx_signatures, "MX", seen->mx.ttl,
                    {.kind = probes::Subject::Kind::domain, .name = seen->domain.text()}, at));
  }
  if (known.mx_change) {
    const auto told = finding_of(*known.mx_change, *seen, at);
    if (told) probes::add_finding(judged, *told);
  }
  return judged;
}

}  // namespace agent

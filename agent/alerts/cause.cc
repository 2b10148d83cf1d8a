#include "agent/alerts/cause.h"

#include "probes/catalogue.h"

namespace agent {
namespace {

using probes::Root;
using probes::Subject;
using probes::dns::Answer;
using probes::dns::Outcome;

// The zone of the lookup that failed; else of the one that decides.
const Answer& telling(const probes::HostObservation& host) {
  for (const auto* answer : {&host.a, &host.aaaa, &host.cname}) {
    if (answer->outcome == Outcome::failed) return *answer;
  }
  return host.tlsa;
}

}  // namespace

Subject cause_of(const probes::Finding& finding, const probes::DomainObservation* domain,
                 const probes::HostObservation* host) {
  if (finding.root) return *finding.root;
  const auto root = probes::row_of(finding.code).alerts.root;
  if (root == Root::zone) {
    const auto* answer = host != nullptr     ? &telling(*host)
                         : domain != nullptr ? &domain->mx
                                             : nullptr;
    const auto zone = answer == nullptr   ? std::nullopt
                      : answer->broken_at ? answer->broken_at
                                          : answer->signer;
    if (zone) return {.kind = Subject::Kind::zone, .name = zone->text()};
  }
  if (host != nullptr && root == Root::records && !host->tlsa.aliases.empty())
    return {.kind = Subject::Kind::owner, .name = host->tlsa.final_name.text()};
  return finding.subject;
}

}  // namespace agent

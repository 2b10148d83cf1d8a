#include "probes/cause_of.h"

#include <algorithm>

#include "probes/catalogue.h"

namespace probes {
namespace {

using dns::Answer;
using dns::Outcome;

// The zone of the lookup that failed; else of the one that decides.
const Answer& telling(const HostObservation& host) {
  for (const auto* answer : {&host.a, &host.aaaa, &*host.cname}) {
    if (answer->outcome == Outcome::failed) return *answer;
  }
  return host.tlsa;
}

}  // namespace

Subject cause_of(const Finding& finding, const DomainObservation* domain,
                 const HostObservation* host) {
  if (finding.root) return *finding.root;
  const auto root = row_of(finding.code).alerts.root;
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

Subject cause_in(const DomainJudgement& judged, const Finding& finding) {
  const auto host = std::ranges::find_if(judged.hosts, [&](const HostJudgement& one) {
    return one.seen->host.text() == finding.subject.name;
  });
  const bool is_of_host = finding.subject.kind == Subject::Kind::host && host != judged.hosts.end();
  return is_of_host ? cause_of(finding, nullptr, host->seen.get())
                    : cause_of(finding, judged.seen.open().get(), nullptr);
}

}  // namespace probes

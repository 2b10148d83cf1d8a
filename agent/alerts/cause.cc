#include "agent/alerts/cause.h"

#include <algorithm>

namespace agent {
namespace {

using probes::Code;
using probes::Subject;
using probes::dns::Answer;
using probes::dns::Outcome;

bool is_about_zone(Code code) {
  return code == Code::dnssec_expired || code == Code::ds_broken || code == Code::rrsig_expiring;
}

bool is_about_records(Code code) {
  switch (code) {
    case Code::tlsa_mismatch:
    case Code::tlsa_mismatch_insecure_mx:
    case Code::stale_cache_window:
    case Code::early_retire:
    case Code::predicted_mismatch:
    case Code::tlsa_orphan:
    case Code::combination_stale:
    case Code::fallback_only:
    case Code::dane_lost:
    case Code::all_unusable:
    case Code::tlsa_malformed:
    case Code::tlsa_lookup_failed:
      return true;
    default:
      return false;
  }
}

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
  if (finding.code == Code::ds_stale) {
    const auto zone = std::ranges::find(finding.evidence, "zone", &probes::Evidence::name);
    if (zone != finding.evidence.end()) return {.kind = Subject::Kind::zone, .name = zone->value};
  }
  if (is_about_zone(finding.code)) {
    const auto* answer = host != nullptr     ? &telling(*host)
                         : domain != nullptr ? &domain->mx
                                             : nullptr;
    const auto zone = answer == nullptr   ? std::nullopt
                      : answer->broken_at ? answer->broken_at
                                          : answer->signer;
    if (zone) return {.kind = Subject::Kind::zone, .name = zone->text()};
  }
  if (host != nullptr && is_about_records(finding.code) && !host->tlsa.aliases.empty())
    return {.kind = Subject::Kind::owner, .name = host->tlsa.final_name.text()};
  return finding.subject;
}

}  // namespace agent

#include <algorithm>

#include "probes/catalogue.h"
#include "probes/dane/verify.h"
#include "probes/findings/parts.h"

namespace probes {
namespace {

// Of the keys in use that lack one: they accept them whatever else is published.
std::vector<std::string> served_records(const HostJudgement& host) {
  std::vector<std::string> out;
  for (const auto& endpoint : host.endpoints) {
    const auto& session = host.seen->sessions[endpoint.session];
    if (!session.tls || session.tls->chain.empty()) continue;
    if (endpoint.match) {
      const auto& matched = host.seen->records[endpoint.match->record];
      if (matched.usage == dane::kDaneEe && matched.selector == dane::kSpki) continue;
    }
    for (const auto& record : dane::records_lacking(host.seen->records, *session.tls->chain.front(),
                                                    dane::kDaneEe, dane::kSpki)) {
      auto text = dane::to_text(record);
      if (std::ranges::find(out, text) == out.end()) out.push_back(std::move(text));
    }
  }
  return out;
}

}  // namespace

void place(Remedy& remedy, const HostObservation& host) {
  const auto& tlsa = host.tlsa;
  remedy.owner = tlsa.aliases.empty() ? tlsa.name.text() : tlsa.final_name.text();
  if (tlsa.signer) remedy.zone = tlsa.signer->text();
  if (tlsa.outcome == dns::Outcome::answer) remedy.ttl = tlsa.ttl;
}

void add_remedies(std::vector<Finding>& out, const HostJudgement& host) {
  const auto served = served_records(host);
  for (auto& finding : out) {
    if (finding.subject != host_subject(*host.seen)) continue;
    const auto& rule = row_of(finding.code).alerts;
    if (!finding.remedy && rule.is_cured_by_record && !served.empty())
      finding.remedy = Remedy{.publish = served};
    if (!finding.remedy) continue;
    place(*finding.remedy, *host.seen);
    if (!finding.remedy->publish.empty() && finding.remedy->ttl && rule.queues)
      finding.remedy->recovers_after = finding.remedy->ttl;
  }
}

}  // namespace probes

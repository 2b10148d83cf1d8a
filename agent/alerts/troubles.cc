#include "agent/alerts/troubles.h"

#include <algorithm>
#include <map>

#include "agent/alerts/cause.h"

namespace agent {
namespace {

using probes::Code;
using Troubles = std::map<Code, Trouble>;

// Takes up what was found at `subject`.
void gather(Troubles& found, const Judged& domain, const probes::Subject& subject,
            const probes::HostObservation* host) {
  for (const auto& finding : domain.judgement->findings) {
    if (finding.subject != subject || !is_alertable(finding)) continue;
    const auto [place, is_new] = found.try_emplace(
        finding.code, Trouble{.cause = cause_of(finding, domain.judgement->seen.get(), host),
                              .finding = finding,
                              .direction = domain.configured->role});
    auto& trouble = place->second;
    if (trouble.finding.severity < finding.severity) trouble.finding = finding;
    if (domain.configured->role == config::Role::inbound)
      trouble.direction = domain.configured->role;
    trouble.domains.push_back(domain.configured->name);
  }
}

std::vector<Trouble> finished(Troubles found) {
  std::vector<Trouble> out;
  for (auto& [code, trouble] : found) {
    auto& domains = trouble.domains;
    std::ranges::sort(domains);
    domains.erase(std::unique(domains.begin(), domains.end()), domains.end());
    out.push_back(std::move(trouble));
  }
  return out;
}

// A host that is reached over secure and insecure MX records alike has one mismatch, not two.
void merge_mismatches(Troubles& found) {
  const auto secure = found.find(Code::tlsa_mismatch);
  const auto insecure = found.find(Code::tlsa_mismatch_insecure_mx);
  if (secure == found.end() || insecure == found.end()) return;
  auto& domains = secure->second.domains;
  domains.insert(domains.end(), insecure->second.domains.begin(), insecure->second.domains.end());
  found.erase(insecure);
}

}  // namespace

bool is_mismatch(Code code) {
  return code == Code::tlsa_mismatch || code == Code::tlsa_mismatch_insecure_mx;
}

std::vector<Trouble> troubles_of_domain(const Judged& domain) {
  Troubles found;
  gather(found, domain,
         {.kind = probes::Subject::Kind::domain, .name = domain.judgement->seen->domain.text()},
         nullptr);
  return finished(std::move(found));
}

std::vector<Trouble> troubles_of_host(const probes::HostObservation& host,
                                      const std::vector<Judged>& users,
                                      const std::vector<std::string>& refused_keys,
                                      bool is_refusal_told) {
  const probes::Subject subject{.kind = probes::Subject::Kind::host, .name = host.host.text()};
  Troubles found;
  for (const auto& user : users) gather(found, user, subject, &host);
  merge_mismatches(found);
  if (is_refusal_told ||
      std::ranges::any_of(found, [](const auto& one) { return is_mismatch(one.first); }))
    found.erase(Code::stale_cache_window);
  for (auto& [code, trouble] : found) trouble.refused_keys = refused_keys;
  return finished(std::move(found));
}

bool has_trouble_at(const probes::DomainJudgement& judged, const probes::Subject& subject) {
  return std::ranges::any_of(judged.findings, [&](const probes::Finding& finding) {
    return finding.subject == subject && is_alertable(finding);
  });
}

}  // namespace agent

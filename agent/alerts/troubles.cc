#include "agent/alerts/troubles.h"

#include <algorithm>
#include <array>
#include <map>

#include "probes/catalogue.h"
#include "probes/cause_of.h"
#include "probes/causes.h"
#include "probes/service.h"

namespace agent {
namespace {

using probes::Code;
using Troubles = std::map<Code, Trouble>;

// Grave, and what it follows from, if anything, is not: else that is the trouble.
bool is_root(const probes::Finding& finding, const probes::Findings& all) {
  if (!is_grave(finding)) return false;
  const auto* cause = probes::cause_among(all, finding);
  return cause == nullptr || !is_grave(*cause);
}

// It explains a refusal that people have been told of under another name.
bool explains_what_fires(const probes::Finding& finding, const std::set<Code>& firing) {
  return !firing.contains(finding.code) &&
         std::ranges::any_of(finding.consequences, [&](const probes::Consequence& one) {
           return one.subject == finding.subject && is_refusal(one.code) &&
                  firing.contains(one.code);
         });
}

// Mail for the domain waits while it lasts: no other host takes it, and neither does this one, or
// what caches hold refuses it. Nothing waits at a service: people are turned away.
bool holds_mail(const probes::Finding& finding, const probes::DomainJudgement& judged) {
  const auto is_service = [](const probes::HostJudgement& host) {
    return probes::is_service(host.seen->host);
  };
  if (!probes::row_of(finding.code).alerts.queues || std::ranges::any_of(judged.hosts, is_service))
    return false;
  const auto takes = [&](const probes::HostJudgement& host) {
    const bool is_refused_by_caches =
        host.seen->host.text() == finding.subject.name && finding.refused_since;
    return probes::is_deliverable(host.verdict) && !is_refused_by_caches;
  };
  return std::ranges::none_of(judged.hosts, takes);
}

// Takes up what was found at `subject`.
void gather(Troubles& found, const Judged& domain, const probes::Subject& subject,
            const probes::DomainObservation* seen, const probes::HostObservation* host,
            const std::set<Code>& firing) {
  const auto& all = domain.judgement->findings;
  for (const auto& finding : all) {
    if (finding.subject != subject || !is_grave(finding)) continue;
    if (!is_root(finding, all) && !firing.contains(finding.code)) continue;
    if (explains_what_fires(finding, firing)) continue;
    const auto [place, is_new] =
        found.try_emplace(finding.code, Trouble{.cause = cause_of(finding, seen, host),
                                                .finding = finding,
                                                .direction = domain.configured->role});
    auto& trouble = place->second;
    const bool is_carried = trouble.finding.is_carried && finding.is_carried;
    if (trouble.finding.severity < finding.severity) trouble.finding = finding;
    trouble.finding.is_carried = is_carried;  // of all domains
    trouble.finding.consequence_of.reset();   // people know of it by this name
    if (domain.configured->role == config::Role::inbound)
      trouble.direction = domain.configured->role;
    trouble.holds_mail = trouble.holds_mail || holds_mail(finding, *domain.judgement);
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

// What caches do of a refusal is no trouble of its own: beside a mismatch it follows from it, and
// where people were told of a refusal that has been put right it is what is left of that one.
void go_on_in_caches(Troubles& found, const std::set<Code>& firing,
                     const probes::HostObservation& host) {
  const auto window = found.find(Code::stale_cache_window);
  if (window == found.end()) return;
  const bool refuses =
      std::ranges::any_of(found, [](const auto& one) { return is_refusal(one.first); });
  auto rest = window->second;
  const bool was_told = std::ranges::any_of(firing, is_refusal);
  if (was_told ||
      std::ranges::any_of(found, [](const auto& one) { return is_mismatch(one.first); }))
    found.erase(window);
  if (refuses) return;
  for (const auto code : firing) {
    if (!is_refusal(code)) continue;
    rest.finding.code = code;
    rest.finding.is_in_caches_only = true;
    rest.cause = cause_of(rest.finding, nullptr, &host);
    found.emplace(code, rest);
  }
}

// No session got as far as a certificate.
constexpr auto kHiding = std::to_array<Code>({Code::starttls_missing, Code::starttls_rejected,
                                              Code::starttls_stripped, Code::tls_handshake_failed});

// What is said of certificates, which history goes on saying while none is seen.
bool is_about_certificates(Code code) {
  const auto& rule = probes::row_of(code).alerts;
  return (rule.refuses && rule.over_by == probes::Proof::endpoints) ||
         code == Code::stale_cache_window || code == Code::rollover_late;
}

// The code of the alert that says why no certificate is seen.
std::optional<Code> hiding(const probes::HostObservation& host, const std::set<Code>& found,
                           const std::set<Code>& firing) {
  if (probes::shows_certificate(host)) return std::nullopt;
  for (const auto code : kHiding) {
    if (found.contains(code) && firing.contains(code)) return code;
  }
  return std::nullopt;
}

// One alert: what cannot be seen, and calls for something else, is named below what can.
void hide(Troubles& found, const probes::HostObservation& host, const probes::Subject& subject,
          const std::set<Code>& firing) {
  std::set<Code> codes;
  for (const auto& [code, trouble] : found) codes.insert(code);
  const auto code = hiding(host, codes, firing);
  if (!code) return;
  auto& seen = found.at(*code).finding;
  for (const auto hidden : codes) {
    if (!is_about_certificates(hidden)) continue;
    const auto trouble = found.extract(hidden);
    seen.consequences.push_back({hidden, subject});
    const auto since = trouble.mapped().finding.refused_since;
    if (since) seen.refused_since = std::min(seen.refused_since.value_or(*since), *since);
  }
  for (const auto hidden : firing) {
    if (is_about_certificates(hidden) && !codes.contains(hidden))
      seen.consequences.push_back({hidden, subject});
  }
}

}  // namespace

bool hides(Code visible, Code hidden) {
  return std::ranges::find(kHiding, visible) != kHiding.end() && is_about_certificates(hidden);
}

bool is_hidden(Code code, const probes::HostObservation& host, const std::vector<Trouble>& troubles,
               const std::set<Code>& firing) {
  std::set<Code> found;
  for (const auto& trouble : troubles) found.insert(trouble.finding.code);
  return is_about_certificates(code) && hiding(host, found, firing).has_value();
}

bool is_mismatch(Code code) {
  return code == Code::tlsa_mismatch || code == Code::tlsa_mismatch_insecure_mx;
}

std::vector<Trouble> troubles_of_domain(const Judged& domain, const std::set<Code>& firing) {
  Troubles found;
  const auto seen = domain.judgement->seen.open();
  gather(found, domain, {.kind = probes::Subject::Kind::domain, .name = seen->domain.text()},
         seen.get(), nullptr, firing);
  return finished(std::move(found));
}

std::vector<Trouble> troubles_of_host(const probes::HostObservation& host,
                                      const std::vector<Judged>& users,
                                      const std::vector<std::string>& refused_keys,
                                      const std::set<Code>& firing) {
  const probes::Subject subject{.kind = probes::Subject::Kind::host, .name = host.host.text()};
  Troubles found;
  for (const auto& user : users) gather(found, user, subject, nullptr, &host, firing);
  merge_mismatches(found);
  go_on_in_caches(found, firing, host);
  hide(found, host, subject, firing);
  for (auto& [code, trouble] : found) {
    // What is about a key to come is not about those that are refused now.
    const auto& next = trouble.finding.next_keys;
    trouble.refused_keys = next.empty() ? refused_keys : next;
    std::ranges::sort(trouble.refused_keys);
  }
  return finished(std::move(found));
}

bool has_trouble_at(const probes::DomainJudgement& judged, const probes::Subject& subject) {
  return std::ranges::any_of(judged.findings, [&](const probes::Finding& finding) {
    return finding.subject == subject && is_grave(finding);
  });
}

}  // namespace agent

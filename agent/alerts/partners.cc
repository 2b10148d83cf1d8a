#include "agent/alerts/partners.h"

#include <algorithm>

#include <fmt/format.h>

#include "probes/catalogue.h"
#include "probes/explain.h"
#include "probes/findings.h"
#include "probes/report.h"

namespace agent {
namespace {

using config::Time;
using probes::Code;
using probes::Finding;
using probes::Severity;
using probes::Subject;
using probes::Verdict;

constexpr config::Seconds kLossTold = std::chrono::hours{24 * 14};

Severity calmer(const Finding& finding) {
  if (probes::row_of(finding.code).alerts.keeps_severity) return finding.severity;
  switch (finding.severity) {
    case Severity::critical:
      return Severity::high;
    case Severity::high:
      return Severity::medium;
    case Severity::medium:
    case Severity::low:
    case Severity::info:
      return finding.severity;
  }
  return finding.severity;
}

bool is_protected(Verdict verdict) {
  return verdict == Verdict::authenticated || verdict == Verdict::host_authenticated;
}

bool is_unprotected(Verdict verdict) {
  return verdict == Verdict::opportunistic || verdict == Verdict::cleartext;
}

Subject subject_of(const probes::DomainJudgement& judged) {
  return {.kind = Subject::Kind::domain, .name = judged.seen->domain.text()};
}

// Some host has a session that ends in a finished handshake.
bool speaks_tls(const probes::DomainJudgement& judged) {
  return std::ranges::any_of(judged.hosts, [](const probes::HostJudgement& host) {
    return std::ranges::any_of(host.seen->sessions, [](const probes::smtp::SessionRecord& session) {
      return session.tls && !session.tls->chain.empty();
    });
  });
}

// Nobody asks for TLSA records under an exception, but for addresses all the same.
bool is_stopped_by_dane(const probes::HostJudgement& host) {
  const auto& seen = *host.seen;
  const bool has_addresses = probes::dns::is_learned(seen.a.outcome) &&
                             probes::dns::is_learned(seen.aaaa.outcome) && !seen.addresses.empty();
  return host.verdict == Verdict::refused ||
         (host.verdict == Verdict::lookup_failed && has_addresses &&
          seen.tlsa.outcome == probes::dns::Outcome::failed);
}

}  // namespace

probes::DomainJudgement with_partner_severity(probes::DomainJudgement judged, config::Role role) {
  if (role == config::Role::inbound) return judged;
  for (auto& finding : judged.findings) finding.severity = calmer(finding);
  for (auto& host : judged.hosts) {
    for (auto& finding : host.findings) finding.severity = calmer(finding);
  }
  probes::weigh(judged);
  return judged;
}

std::optional<Finding> find_loss(const probes::DomainJudgement& judged,
                                 std::optional<Time> protected_until, Time at) {
  if (!is_unprotected(judged.verdict) || !protected_until || at - *protected_until >= kLossTold)
    return std::nullopt;
  if (std::ranges::find(judged.findings, Code::dane_lost, &Finding::code) != judged.findings.end())
    return std::nullopt;
  return Finding{.code = Code::dane_lost,
                 .severity = Severity::high,
                 .subject = subject_of(judged),
                 .evidence = {{"protected-until", config::rfc3339(*protected_until)}}};
}

std::optional<std::string> postmaster_text(const probes::DomainJudgement& judged) {
  const auto name = judged.seen->domain.text();
  std::string out;
  int count = 0;
  for (const auto& finding : judged.findings) {
    const auto words = probes::explain(finding);
    const bool is_told =
        probes::row_of(finding.code).alerts.is_for_postmaster && !finding.consequence_of;
    if (finding.severity < Severity::medium || !is_told) continue;
    out += fmt::format("\n{}. {}\n\n{}\n\n{}\n\nSeen", ++count, words.title, words.explanation,
                       words.senders_now);
    std::vector<std::string> facts;
    for (const auto& [key, value] : finding.evidence)
      facts.push_back(fmt::format("{} {}", key, probes::printable(value)));
    for (const auto& address : finding.addresses) facts.push_back("at " + address);
    for (std::size_t i = 0; i < facts.size(); ++i) out += (i == 0 ? ": " : "; ") + facts[i];
    out += fmt::format(" ({})\n\nWhat helps:\n", config::rfc3339(judged.seen->observed_at));
    for (const auto& step : words.fix) out += fmt::format("- {}\n", step);
    for (std::size_t i = 0; i < words.references.size(); ++i)
      out += fmt::format("{}{}", i == 0 ? "See " : ", ", words.references[i]);
    if (!words.references.empty()) out += ".\n";
  }
  if (count == 0) return std::nullopt;
  return fmt::format(
      "To: postmaster@{}\nSubject: Mail to {} is held up: DANE\n\n"
      "Dear postmaster,\n\nour mail servers, and those of everybody who follows RFC 7672 (SMTP "
      "with DANE), cannot deliver\nto {} as they should:\n{}\n"
      "Please tell us when it is fixed. You can check it yourselves with danelaw, or with\n"
      "posttls-finger(1) of Postfix: posttls-finger -l dane {}\n",
      name, name, name, out, name);
}

std::optional<Exception> exception_for(const probes::DomainJudgement& judged, Time at) {
  const bool waits =
      judged.verdict == Verdict::deferred || judged.verdict == Verdict::lookup_failed;
  if (!waits || std::ranges::none_of(judged.hosts, is_stopped_by_dane)) return std::nullopt;
  return Exception{.domain = judged.seen->domain.text(),
                   .level = speaks_tls(judged) ? "encrypt" : "may",
                   .made_at = at,
                   .until = at + kExceptionFor};
}

std::string policy_line(const Exception& exception) {
  return fmt::format("{} {}", exception.domain, exception.level);
}

std::optional<Finding> leftover_exception(const probes::DomainJudgement& judged,
                                          const std::optional<Exception>& made, Time at) {
  if (!made) return std::nullopt;
  const bool is_well = is_protected(judged.verdict);
  if (!is_well && at < made->until) return std::nullopt;
  return Finding{
      .code = Code::policy_override,
      .severity = Severity::medium,
      .subject = subject_of(judged),
      .evidence = {{"line", policy_line(*made)},
                   {"because", is_well ? "the domain is authenticated again" : "its time is over"},
                   {"since", config::rfc3339(made->made_at)}}};
}

}  // namespace agent

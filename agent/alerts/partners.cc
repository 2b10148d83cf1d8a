#include "agent/alerts/partners.h"

#include <algorithm>

#include <fmt/format.h>

#include "agent/hindsight/history_findings.h"
#include "probes/catalogue.h"
#include "probes/explain.h"
#include "probes/findings.h"
#include "probes/report.h"
#include "probes/status.h"

namespace agent {
namespace {

using config::Time;
using probes::Code;
using probes::Finding;
using probes::Severity;
using probes::Subject;
using probes::Verdict;

// While no mail goes there at all, what holds it is a matter for an alert still: only less than it
// would be of ours.
Severity calmer(const Finding& finding, bool is_held) {
  const auto& rule = probes::row_of(finding.code).alerts;
  if (rule.keeps_severity || (is_held && rule.queues && finding.severity == Severity::high))
    return finding.severity;
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

// "last reply" of "last-reply".
std::string plain(std::string key) {
  std::ranges::replace(key, '-', ' ');
  return key;
}

// A fact of a finding, in words.
std::string fact(const std::string& key, const std::string& value) {
  constexpr auto kWords = std::to_array<std::pair<std::string_view, std::string_view>>(
      {{"failing-share", "share of resolver caches that refuse"},
       {"window-from", "some caches refuse since"},
       {"window-until", "the last cache recovers at"}});
  const auto* const found =
      std::ranges::find(kWords, key, &std::pair<std::string_view, std::string_view>::first);
  return fmt::format("{} {}", found == kWords.end() ? plain(key) : found->second, value);
}

// For them to put right, unless it is about us.
void hand_over(Finding& finding, bool is_held) {
  finding.severity = calmer(finding, is_held);
  finding.is_theirs = !probes::row_of(finding.code).alerts.is_ours_to_end;
}

// "a.example", "a.example and b.example", "a.example and 4 more".
std::string listed(const std::vector<std::string>& domains) {
  if (domains.size() == 1) return domains.front();
  if (domains.size() == 2) return fmt::format("{} and {}", domains.front(), domains.back());
  return fmt::format("{} and {} more", domains.front(), domains.size() - 1);
}

// Who can change what is wrong: the operators of the zone, where that is known and is not the
// partner's own.
std::string whose_words(const Alert& alert) {
  const auto& domains = alert.domains;
  const auto& remedy = alert.finding.remedy;
  const auto zone = alert.cause.kind == Subject::Kind::zone ? alert.cause.name
                    : remedy                                ? remedy->zone
                                                            : std::string();
  const bool is_one = domains.size() == 1;
  if (!zone.empty() && std::ranges::find(domains, zone) == domains.end()) {
    return fmt::format("{} {}: only the operators of the zone {} can change this. Send them this.",
                       listed(domains), is_one ? "is a partner's domain" : "are partners' domains",
                       probes::printable(zone));
  }
  return fmt::format("{} {} can change this. Send them this.", listed(domains),
                     is_one ? "is a partner's domain: only its operators"
                            : "are partners' domains: only their operators");
}

Subject subject_of(const probes::DomainJudgement& judged) {
  return {.kind = Subject::Kind::domain, .name = judged.seen.open()->domain.text()};
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
  const bool is_held =
      judged.verdict == Verdict::deferred || judged.verdict == Verdict::lookup_failed;
  const auto hand_over_all = [&](std::vector<Finding>& all) {
    for (auto& finding : all) hand_over(finding, is_held);
  };
  for (std::size_t i = 0; i < judged.hosts.size(); ++i) {
    if (!judged.hosts[i].findings.empty()) judged.hosts.change(i).findings.edit(hand_over_all);
  }
  judged.findings.edit(hand_over_all);
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
  const auto seen = judged.seen.open();
  const auto name = seen->domain.text();
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
      facts.push_back(fact(key, probes::printable(value)));
    for (const auto& address : finding.addresses) facts.push_back("at " + address);
    for (std::size_t i = 0; i < facts.size(); ++i) out += (i == 0 ? ": " : "; ") + facts[i];
    out += fmt::format(" ({})\n\nWhat helps:\n", config::rfc3339(seen->observed_at));
    for (const auto& step : words.fix) out += fmt::format("- {}\n", step);
    for (std::size_t i = 0; i < words.references.size(); ++i)
      out += fmt::format("{}{}", i == 0 ? "See " : ", ", words.references[i]);
    if (!words.references.empty()) out += ".\n";
  }
  if (count == 0) return std::nullopt;
  const bool waits = probes::delivery_of(judged) == probes::Delivery::held_up;
  const auto how = waits ? fmt::format("cannot deliver\nto {} as they should", name)
                         : fmt::format("still deliver\nto {}, but not as they should", name);
  return fmt::format(
      "To: postmaster@{}\nSubject: Mail to {} is {}: DANE\n\n"
      "Dear postmaster,\n\nour mail servers, and those of everybody who follows RFC 7672 (SMTP "
      "with DANE), {}:\n{}\n"
      "Please tell us when it is fixed. You can check it yourselves with danelaw, or with\n"
      "posttls-finger(1) of Postfix: posttls-finger -l dane {}\n",
      name, name, waits ? "held up" : "at risk", how, out, name);
}

std::optional<PartnersTrouble> partners_trouble(const Alert& alert) {
  const auto& rule = probes::row_of(alert.finding.code).alerts;
  if (alert.direction == config::Role::inbound || rule.is_ours_to_end || alert.domains.empty())
    return std::nullopt;
  PartnersTrouble out{.domain = alert.domains.front(), .whose = whose_words(alert)};
  if (rule.is_for_postmaster)
    out.ours.push_back(fmt::format(
        "Write to postmaster@{}: the page of the domain has the letter, with the evidence.",
        out.domain));
  if (rule.is_for_postmaster && bounces_at(alert))
    out.ours.emplace_back(
        "If our mail to them cannot wait, see there whether an exception would let it through, and "
        "how: encrypted without authentication or, where they take no TLS, in the clear, until "
        "their DANE works again.");
  return out;
}

std::optional<Exception> exception_for(const probes::DomainJudgement& judged, Time at) {
  const bool waits =
      judged.verdict == Verdict::deferred || judged.verdict == Verdict::lookup_failed;
  if (!waits || std::ranges::none_of(judged.hosts, is_stopped_by_dane)) return std::nullopt;
  return Exception{.domain = judged.seen.open()->domain.text(),
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

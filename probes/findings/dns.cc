#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/findings/parts.h"
#include "probes/findings/wide_denials.h"
#include "probes/nameserver_consistency.h"
#include "probes/resolver_faults.h"

namespace probes {
namespace {

using config::Seconds;
using config::Time;
using dns::Cause;
using dns::DnssecStatus;
using dns::Outcome;
using std::chrono::hours;

std::string lookup_text(const dns::Answer& answer) {
  return fmt::format("{} {}", answer.name.text(), dns::type_name(answer.type));
}

}  // namespace

void add_lookup_failure(std::vector<Finding>& out, Code code, const Subject& subject,
                        const dns::Answer& answer) {
  std::vector<Evidence> evidence{{"lookup", lookup_text(answer)},
                                 {"cause", std::string(wire_name(answer.cause))},
                                 {"detail", answer.detail}};
  for (const auto& error : answer.extended_errors) {
    evidence.push_back({"extended-error", fmt::format("{} {}", error.code, error.text)});
  }
  std::optional<Code> root;
  switch (answer.cause) {
    case Cause::signature_expired:
    case Cause::signature_not_yet_valid:
      root = Code::dnssec_expired;
      break;
    case Cause::ds_mismatch:
    case Cause::ds_signature:
      root = Code::ds_broken;
      break;
    default:
      break;
  }
  // The resolver's own validator is a second opinion; that it differs is worth knowing.
  if (answer.status == DnssecStatus::bogus && answer.resolver_says_secure)
    evidence.push_back({"resolver", "sets the AD bit: its validator accepts what ours rejects"});
  if (answer.broken_at) evidence.push_back({"broken-at", answer.broken_at->text()});
  if (answer.signatures)
    evidence.push_back({"rrsig-expires-at", config::rfc3339(answer.signatures->expiration)});
  std::optional<ChainBreak> broken_above;
  if (answer.broken_at)
    broken_above = ChainBreak{.zone = answer.broken_at->text(),
                              .is_ds_signature = answer.cause == Cause::ds_signature};
  // Who has to act, and what commands are to name.
  std::optional<Subject> zone;
  if (!answer.broken_at && answer.signer)
    zone = Subject{.kind = Subject::Kind::zone, .name = answer.signer->text()};
  if (root)
    out.push_back({.code = *root,
                   .severity = Severity::critical,
                   .subject = subject,
                   .evidence = evidence,
                   .root = zone,
                   .broken_above = broken_above});
  out.push_back({.code = code,
                 .severity = Severity::critical,
                 .subject = subject,
                 .evidence = std::move(evidence),
                 .broken_above = std::move(broken_above)});
}

void add_signing_findings(std::vector<Finding>& out, const Subject& subject,
                          const dns::Answer& answer, bool decides) {
  const auto add = [&](Code code, Severity severity, Evidence why) {
    const bool is_told = std::ranges::any_of(
        out, [&](const Finding& told) { return told.code == code && told.subject == subject; });
    if (is_told) return;
    out.push_back({.code = code,
                   .severity = severity,
                   .subject = subject,
                   .evidence = {{"lookup", lookup_text(answer)}, std::move(why)}});
  };
  if (answer.outcome != Outcome::answer && answer.outcome != Outcome::absent) return;
  if (answer.signing.is_unsupported) {
    add(Code::dane_lost, Severity::high, {"ds", "only algorithms or digests that nobody knows"});
  }
  if (answer.status == DnssecStatus::secure && answer.signing.needs_sha1) {
    add(Code::dane_fragile, Severity::high, {"weakness", "only SHA-1 vouches for it"});
  }
  if (answer.status == DnssecStatus::secure && answer.signing.lacks_algorithm) {
    add(Code::dane_fragile, Severity::high,
        {"weakness", "not signed by every algorithm that the DS records name"});
  }
  const auto iterations = answer.signing.nsec3_iterations;
  if (iterations > dns::kFewNsec3Iterations) {
    const bool fails = decides && iterations > dns::kMostNsec3Iterations;
    add(Code::nsec3_parameters, fails ? Severity::high : Severity::medium,
        {"iterations", fmt::format("{}", iterations)});
  } else if (iterations > 0) {
    add(Code::nsec3_parameters, Severity::low, {"iterations", fmt::format("{}", iterations)});
  }
}

void add_signature_life(std::vector<Finding>& out, const Subject& subject,
                        const dns::Answer& answer, Time at) {
  if (answer.outcome == Outcome::failed || answer.status != DnssecStatus::secure ||
      !answer.signatures || answer.signing.needs_grace)
    return;
  const auto left = answer.signatures->expiration - at;
  const auto validity = answer.signatures->expiration - answer.signatures->inception;
  const bool is_short_lived = validity <= hours{72};
  const auto least = is_short_lived ? validity / 4 : std::max<Seconds>(hours{24}, validity / 10);
  if (validity > hours{24 * 180}) {
    out.push_back(
        {.code = Code::rrsig_long,
         .severity = Severity::low,
         .subject = subject,
         .evidence = {{"lookup", lookup_text(answer)},
                      {"rrsig-valid-for", fmt::format("{} days", validity / hours{24})}}});
  }
  if (left >= std::max(least, 2 * answer.ttl)) return;
  out.push_back(
      {.code = Code::rrsig_expiring,
       .severity = Severity::high,
       .subject = subject,
       .evidence = {{"lookup", lookup_text(answer)},
                    {"rrsig-expires-at", config::rfc3339(answer.signatures->expiration)}}});
}

void add_grace_finding(std::vector<Finding>& out, const Subject& subject,
                       const dns::Answer& answer) {
  if (!is_learned(answer.outcome) || !answer.signing.needs_grace) return;
  const auto is_told = [&](const Finding& told) {
    return told.code == Code::dnssec_expired && told.subject == subject;
  };
  if (std::ranges::any_of(out, is_told)) return;
  Finding finding{.code = Code::dnssec_expired,
                  .severity = Severity::critical,
                  .subject = subject,
                  .evidence = {{"lookup", lookup_text(answer)},
                               {"detail",
                                "some validators forgive it for a while (Unbound: a "
                                "tenth of the validity, at least an hour)"}},
                  .is_whole_cause = false};
  if (answer.signatures)
    finding.evidence.push_back(
        {"rrsig-expires-at", config::rfc3339(answer.signatures->expiration)});
  out.push_back(std::move(finding));
}

void add_address_findings(std::vector<Finding>& out, const HostObservation& host) {
  const auto subject = host_subject(host);
  for (const auto* answer : {&host.a, &host.aaaa}) {
    if (answer->outcome != Outcome::failed) continue;
    add_lookup_failure(out, Code::address_lookup_failed, subject, *answer);
    // With the other family's addresses most senders go on.
    if (!host.addresses.empty()) {
      for (auto& finding : out) finding.severity = std::min(finding.severity, Severity::high);
    }
  }
  if (host.cname->outcome == Outcome::failed) {
    add_lookup_failure(out, Code::address_lookup_failed, subject, *host.cname);
  }
  const bool is_known_empty = host.addresses.empty() && host.a.outcome == Outcome::absent &&
                              host.aaaa.outcome == Outcome::absent;
  if (is_known_empty) {
    out.push_back({.code = Code::mx_invalid,
                   .severity = Severity::high,
                   .subject = subject,
                   .evidence = {{"detail", kHasNoAddress}}});
  }
  const auto& answer = host.a.outcome == Outcome::answer ? host.a : host.aaaa;
  if (!answer.aliases.empty()) {
    out.push_back({.code = Code::mx_cname,
                   .severity = Severity::low,
                   .subject = subject,
                   .evidence = {{"canonical-name", answer.final_name.text()}}});
  }
}

void add_wide_denial(std::vector<Finding>& out, const DomainObservation& domain,
                     const HostObservation& seen) {
  std::vector<const dns::Answer*> answers{&seen.a, &seen.aaaa, &*seen.cname, &seen.tlsa,
                                          &domain.mx};
  for (const auto& one : seen.misplaced) answers.push_back(&one);
  auto denial = find_wide_denial(host_subject(seen), answers, seen.survey);
  if (!denial) return;
  denial->is_whole_cause = seen.addresses.empty();
  for (const auto& one : out) {
    if (one.code == Code::mx_invalid && seen.addresses.empty())
      denial->severity = Severity::critical;
  }
  out.push_back(*std::move(denial));
}

void add_host_survey_findings(std::vector<Finding>& out, const HostObservation& seen, Time at) {
  const bool is_signed = seen.tlsa.status == DnssecStatus::secure && is_learned(seen.tlsa.outcome);
  for (auto& finding : find_in_survey(host_subject(seen), seen.survey, is_signed, at))
    out.push_back(std::move(finding));
  if (seen.tlsa.outcome != Outcome::answer) return;
  auto deniers = deniers_of(seen.tlsa.name.parent(), seen.survey);
  // Who does not give the records either denies what it does not have.
  std::erase_if(deniers, [&](const dns::Server& server) {
    return std::ranges::none_of(seen.survey.answers, [&](const dns::ServerAnswer& one) {
      return one.question.type == dns::type::tlsa && one.outcome == Outcome::answer &&
             one.server == server;
    });
  });
  if (deniers.empty()) return;
  Finding denied{.code = Code::ent_nxdomain,
                 .severity = Severity::high,
                 .subject = host_subject(seen),
                 .evidence = {{"denied", seen.tlsa.name.parent().text()}}};
  for (const auto& server : deniers) {
    denied.evidence.push_back(
        {"server", fmt::format("{} ({})", server.name.text(), server.address)});
  }
  out.push_back(std::move(denied));
}

void add_resolver_faults(std::vector<Finding>& out, const DomainJudgement& judged) {
  const auto seen = judged.seen.open();
  auto answers = answers_of(*seen);
  for (const auto& host : judged.hosts)
    std::ranges::copy(answers_of(*host.seen), std::back_inserter(answers));
  constexpr std::size_t kTold = 3;
  std::map<std::string, std::vector<std::string>> by_resolver;
  for (const auto& fault : resolver_faults(answers))
    by_resolver[fault.resolver].push_back(fault.what);
  for (auto& [resolver, whats] : by_resolver) {
    if (whats.size() > kTold) whats.resize(kTold);
    out.push_back({.code = Code::monitor_fault,
                   .severity = Severity::low,
                   .subject = {.kind = Subject::Kind::monitor, .name = "resolver"},
                   .evidence = {{"resolver", resolver},
                                {"detail", fmt::format("the resolver {} {}; the zones' own servers "
                                                       "were believed instead",
                                                       resolver, fmt::join(whats, "; "))}}});
  }
}

}  // namespace probes

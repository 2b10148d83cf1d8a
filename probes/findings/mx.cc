#include <algorithm>

#include "probes/exchange.h"
#include "probes/findings/parts.h"
#include "probes/nameserver_consistency.h"

namespace probes {
namespace {

using config::Time;
using dns::DnssecStatus;
using dns::Outcome;

}  // namespace

void add_literal_finding(std::vector<Finding>& out, const DomainObservation& domain,
                         const HostObservation& seen) {
  if (!address_in(seen.host)) return;
  const bool any_name =
      std::ranges::any_of(domain.hosts, [](const MxHost& host) { return !address_in(host.name); });
  out.push_back({.code = Code::mx_invalid,
                 .severity = any_name ? Severity::low : Severity::high,
                 .subject = host_subject(seen),
                 .evidence = {{"detail",
                               "an address in place of a name: some senders deliver "
                               "there, others do not"}}});
}

void add_mx_findings(std::vector<Finding>& out, const DomainJudgement& judged, Time at) {
  const auto seen = judged.seen.open();
  const auto& domain = *seen;
  const auto subject = domain_subject(domain);
  const auto add = [&](Code code, Severity severity, std::vector<Evidence> evidence = {}) {
    out.push_back(
        {.code = code, .severity = severity, .subject = subject, .evidence = std::move(evidence)});
  };
  if (domain.mx.outcome == Outcome::failed) {
    add_lookup_failure(out, Code::mx_lookup_failed, subject, domain.mx);
    return;
  }
  // Mail for hosts that refuse for good, or have no address, bounces, too: their own findings say
  // so.
  const bool is_gone = judged.verdict == Verdict::bounced && domain.source != MxSource::mx;
  if (is_gone) add(Code::domain_gone, Severity::critical);
  if (domain.source == MxSource::null) add(Code::null_mx, Severity::info);
  if (domain.source == MxSource::implicit && !is_gone) add(Code::implicit_mx, Severity::info);
  if (domain.has_null_mx && domain.source != MxSource::null) {
    add(Code::mx_invalid, Severity::high, {{"detail", "a null MX stands beside other MX records"}});
  }
  const bool names_nobody = judged.verdict == Verdict::bounced && domain.hosts.empty();
  for (const auto& exchange : domain.invalid_exchanges) {
    add(Code::mx_invalid, names_nobody ? Severity::critical : Severity::high,
        {{"exchange", exchange}});
  }
  add_grace_finding(out, subject, domain.mx);
  add_signature_life(out, subject, domain.mx, at);
  const bool is_signed = domain.mx.status == DnssecStatus::secure;
  for (auto& finding : find_in_survey(subject, domain.survey, is_signed, at))
    out.push_back(std::move(finding));
  if (domain.misplaced->outcome == Outcome::answer) {
    add(Code::tlsa_wrong_name, Severity::medium, {{"records-at", domain.misplaced->name.text()}});
  }
  const bool any_dane = std::ranges::any_of(judged.hosts, [](const HostJudgement& host) {
    return host.seen->tlsa.outcome == Outcome::answer &&
           host.seen->tlsa.status == DnssecStatus::secure;
  });
  const bool is_denial = domain.mx.outcome == Outcome::absent;
  if (any_dane || domain.mx.signing.is_unsupported)
    add_signing_findings(out, subject, domain.mx, is_denial);
  if (any_dane && domain.mx.status == DnssecStatus::insecure)
    add(Code::mx_insecure, Severity::medium);
}

void add_openness_findings(std::vector<Finding>& out, const DomainJudgement& judged) {
  const auto is_open = [](Verdict verdict) {
    return verdict == Verdict::opportunistic || verdict == Verdict::cleartext;
  };
  bool any_protected = false;
  std::vector<Evidence> open_hosts;
  for (const auto& host : judged.hosts) {
    const bool is_protected = host.seen->tlsa.outcome == Outcome::answer &&
                              host.seen->tlsa.status == DnssecStatus::secure;
    any_protected = any_protected || is_protected;
    if (is_open(host.verdict)) open_hosts.push_back({"unprotected-host", host.seen->host.text()});
  }
  if (!any_protected || open_hosts.empty()) return;
  const auto subject = domain_subject(*judged.seen.open());
  const bool better_refuses = std::ranges::any_of(judged.hosts, [&](const HostJudgement& host) {
    return (host.verdict == Verdict::refused || host.verdict == Verdict::lookup_failed) &&
           is_open(judged.verdict);
  });
  out.push_back({.code = better_refuses ? Code::downgrade : Code::partial_dane,
                 .severity = better_refuses ? Severity::high : Severity::medium,
                 .subject = subject,
                 .evidence = open_hosts});
}

}  // namespace probes

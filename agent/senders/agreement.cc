#include "agent/senders/agreement.h"

#include <algorithm>
#include <initializer_list>

#include "probes/catalogue.h"

namespace agent {
namespace {

using probes::Code;
using probes::Verdict;

bool is_among(Code code, std::initializer_list<Code> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

// The names that senders give to a failure of DANE differ: what Postfix calls
// certificate-not-trusted is validation-failure elsewhere (RFC 8460 §4.3.3). So they are told apart
// only by what had to be looked at: the session, the records, the signatures.
enum class Kind { starttls, certificate, dnssec, missing, sts, any };

Kind kind_of(std::string_view type) {
  if (type == "starttls-not-supported") return Kind::starttls;
  if (type.starts_with("certificate-") || type == "tlsa-invalid") return Kind::certificate;
  if (type == "dnssec-invalid") return Kind::dnssec;
  if (type == "dane-required") return Kind::missing;
  if (type.starts_with("sts-")) return Kind::sts;
  return Kind::any;  // validation-failure, and words that we do not know
}

bool is_starttls(Code code) {
  return is_among(code, {Code::starttls_missing, Code::starttls_rejected, Code::starttls_stripped,
                         Code::selective_starttls, Code::intermittent, Code::endpoint_partial});
}

// The certificate does not fit what is published, or what caches hold of it.
bool is_certificate(Code code) {
  return is_among(
      code, {Code::tlsa_mismatch, Code::tlsa_mismatch_insecure_mx, Code::name_mismatch,
             Code::certificate_expired, Code::trust_anchor_not_sent, Code::trust_anchor_expired,
             Code::combination_stale, Code::key_type_partial, Code::intermittent,
             Code::endpoint_partial, Code::stale_cache_window, Code::early_retire,
             Code::nameserver_split, Code::rollover_late, Code::all_unusable, Code::tlsa_malformed,
             Code::tls_handshake_failed, Code::tls_version_old});
}

bool is_dnssec(Code code) {
  return is_among(code,
                  {Code::dnssec_expired, Code::ds_broken, Code::ds_stale, Code::tlsa_lookup_failed,
                   Code::mx_lookup_failed, Code::address_lookup_failed, Code::ent_nxdomain,
                   Code::denial_too_wide, Code::nsec3_parameters, Code::nameserver_split});
}

bool is_missing(Code code) {
  return is_dnssec(code) ||
         is_among(code, {Code::no_dane, Code::dane_lost, Code::mx_insecure, Code::dane_ineffective,
                         Code::partial_dane, Code::tlsa_wrong_name, Code::all_unusable});
}

bool is_same_fault(Kind kind, Code code) {
  switch (kind) {
    case Kind::starttls:
      return is_starttls(code);
    case Kind::certificate:
      return is_certificate(code);
    case Kind::dnssec:
      return is_dnssec(code);
    case Kind::missing:
      return is_missing(code);
    case Kind::sts:
      return is_among(code, {Code::mta_sts_invalid, Code::mta_sts_conflict});
    case Kind::any:
      return is_starttls(code) || is_certificate(code) || is_dnssec(code) ||
             probes::row_of(code).alerts.refuses;
  }
  return false;
}

bool tells(Verdict verdict) {
  switch (verdict) {
    case Verdict::authenticated:
    case Verdict::host_authenticated:
    case Verdict::encrypted:
    case Verdict::opportunistic:
    case Verdict::cleartext:
    case Verdict::refused:
    case Verdict::lookup_failed:
    case Verdict::deferred:
    case Verdict::bounced:
    case Verdict::no_mail:
      return true;
    case Verdict::down:
    case Verdict::no_address:
    case Verdict::unknown:
      return false;
  }
  return false;
}

bool is_about(const SeenSpan::Found& found, const SenderSessions& failed) {
  return failed.mx_host.empty() || found.subject == failed.mx_host ||
         found.subject == failed.domain;
}

// A fault of ours says nothing of where it kept us from looking; the host's own verdict does.
bool is_judged(const SeenSpan& span, const std::string& host) {
  return std::ranges::any_of(span.of_hosts, [&](const SeenSpan::OfHost& one) {
    return one.host == host && tells(one.verdict);
  });
}

// Of two kinds that are looked at one after the other: whoever met a fault of the one did not get
// to see the other.
bool comes_before(Code code, Kind kind) {
  const bool is_late = kind == Kind::starttls || kind == Kind::certificate;
  return (is_late && is_dnssec(code)) || (kind == Kind::certificate && is_starttls(code));
}

// Of this host we learned nothing then, whatever the others of the domain showed.
bool is_hidden(const SeenSpan& span, const SenderSessions& failed, Kind kind) {
  return std::ranges::any_of(span.findings, [&](const SeenSpan::Found& found) {
    if (found.severity >= probes::Severity::medium && is_about(found, failed) &&
        comes_before(found.code, kind))
      return true;
    // Weaker ones are remarks: a resolver that was passed over, an address family that others make
    // up for (probes/judge.h, is_blinding).
    if (found.code == Code::monitor_fault)
      return found.severity >= probes::Severity::medium && !is_judged(span, failed.mx_host);
    return found.subject == failed.mx_host &&
           is_among(found.code, {Code::host_down, Code::probe_refused});
  });
}

// Of a host that no look at the domain was about nothing is known, however well the domain was.
bool is_looked_at(const SeenSpan& span, const SenderSessions& failed) {
  return failed.mx_host.empty() || failed.mx_host == failed.domain ||
         std::ranges::find(span.hosts, failed.mx_host) != span.hosts.end();
}

}  // namespace

std::string_view wire_name(Agreement agreement) {
  switch (agreement) {
    case Agreement::yes:
      return "yes";
    case Agreement::no:
      return "no";
    case Agreement::not_seen:
      return "not-seen";
  }
  return "not-seen";
}

bool is_of_lookup(std::string_view result_type) {
  const auto kind = kind_of(result_type);
  return kind == Kind::dnssec || kind == Kind::missing;
}

bool is_same_fault(std::string_view result_type, probes::Code code) {
  return is_same_fault(kind_of(result_type), code);
}

Agreement agreement(const SenderSessions& failed, const std::vector<SeenSpan>& spans) {
  const auto kind = kind_of(failed.result_type);
  auto out = Agreement::not_seen;
  for (const auto& span : spans) {
    if (span.from > failed.until || span.until < failed.from) continue;
    for (const auto& found : span.findings) {
      // What is worth no more than a remark keeps nobody away; that there is no DANE may be one.
      const bool is_grave = kind == Kind::missing || found.severity >= probes::Severity::medium;
      if (is_grave && is_about(found, failed) && is_same_fault(kind, found.code))
        return Agreement::yes;
    }
    if (std::ranges::any_of(span.verdicts, tells) && is_looked_at(span, failed) &&
        !is_hidden(span, failed, kind))
      out = Agreement::no;
  }
  return out;
}

}  // namespace agent

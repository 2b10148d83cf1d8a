#include "probes/findings.h"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/agreement.h"
#include "probes/dane/reading.h"
#include "probes/exchange.h"
#include "probes/resolver_faults.h"
#include "probes/wide_denials.h"

namespace probes {
namespace {

using config::Seconds;
using config::Time;
using dns::Cause;
using dns::DnssecStatus;
using dns::Outcome;
using std::chrono::hours;

Subject host_subject(const HostObservation& host) {
  return {.kind = Subject::Kind::host, .name = host.host.text()};
}
Subject domain_subject(const DomainObservation& domain) {
  return {.kind = Subject::Kind::domain, .name = domain.domain.text()};
}

std::string lookup_text(const dns::Answer& answer) {
  return fmt::format("{} {}", answer.name.text(), dns::type_name(answer.type));
}

// A failed lookup: the general code, and before it the specific one when the cause is known.
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
  if (root)
    out.push_back({.code = *root,
                   .severity = Severity::critical,
                   .subject = subject,
                   .evidence = evidence,
                   .broken_above = broken_above});
  out.push_back({.code = code,
                 .severity = Severity::critical,
                 .subject = subject,
                 .evidence = std::move(evidence),
                 .is_consequence = root.has_value(),
                 .broken_above = std::move(broken_above)});
}

// What other validators make of how an answer is signed. `decides`: whether the answer being
// unsigned, or failing, changes what senders do.
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

// Without history: less than a day or a tenth of the validity left, or a quarter where signatures
// are short-lived; or so little that caches must soon drop the records before their TTL is over.
// Signatures that last very long can be replayed as long.
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

// Signatures outside their time that only the grace of some validators lets pass.
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
                                "tenth of the validity, at least an hour)"}}};
  if (answer.signatures)
    finding.evidence.push_back(
        {"rrsig-expires-at", config::rfc3339(answer.signatures->expiration)});
  out.push_back(std::move(finding));
}

std::optional<std::pair<Code, Severity>> code_of(Reason reason, bool is_mx_secure) {
  switch (reason) {
    case Reason::tlsa_mismatch:
      return std::pair(is_mx_secure ? Code::tlsa_mismatch : Code::tlsa_mismatch_insecure_mx,
                       Severity::critical);
    case Reason::name_mismatch:
      return std::pair(Code::name_mismatch, Severity::critical);
    case Reason::certificate_expired:
    case Reason::certificate_not_yet_valid:
      return std::pair(Code::certificate_expired, Severity::critical);
    case Reason::path_invalid:
    case Reason::anchor_not_sent:
    case Reason::weak_key:
      return std::pair(Code::tlsa_mismatch, Severity::critical);
    case Reason::starttls_missing:
    case Reason::ehlo_refused:
      return std::pair(Code::starttls_missing, Severity::critical);
    case Reason::starttls_stripped:
      return std::pair(Code::starttls_stripped, Severity::critical);
    case Reason::starttls_rejected:
      return std::pair(Code::starttls_rejected, Severity::critical);
    case Reason::tls_handshake_failed:
      return std::pair(Code::tls_handshake_failed, Severity::critical);
    case Reason::tls_version_old:
      return std::pair(Code::tls_version_old, Severity::critical);
    case Reason::probe_refused:
      return std::pair(Code::probe_refused, Severity::medium);
    case Reason::connect_failed:
    case Reason::smtp_broken:
      return std::pair(Code::host_down, Severity::high);
    case Reason::special_address:
      return std::pair(Code::mx_invalid, Severity::high);
    case Reason::dns_failed:
    case Reason::tlsa_match:
    case Reason::tlsa_unusable:
    case Reason::no_tlsa:
    case Reason::too_slow:
    case Reason::no_route:
      return std::nullopt;
  }
  return std::nullopt;
}

void add_session_evidence(Finding& finding, const HostJudgement& host,
                          const EndpointJudgement& endpoint) {
  const auto& session = host.seen->sessions[endpoint.session];
  const auto once = [&](std::string name, std::string value) {
    Evidence item{std::move(name), std::move(value)};
    if (std::ranges::find(finding.evidence, item) == finding.evidence.end())
      finding.evidence.push_back(std::move(item));
  };
  if (session.tls && !session.tls->chain.empty()) {
    const auto& leaf = *session.tls->chain.front();
    once("served-spki-sha256", dane::to_hex(leaf.spki_sha256));
    once("served-record", fmt::format("3 1 1 {}", dane::to_hex(leaf.spki_sha256)));
    once("served-not-before", config::rfc3339(leaf.not_before));
  }
  if (session.last_reply && session.stage < smtp::Stage::done) {
    once("last-reply", fmt::format("{} {}", session.last_reply->code, session.last_reply->text()));
  }
  if (!session.detail.empty()) once("detail", session.detail);
}

// One finding per cause over all endpoints that show it.
class EndpointFindings {
 public:
  EndpointFindings(const HostJudgement& host, bool is_mx_secure)
      : host_(host), is_mx_secure_(is_mx_secure) {}

  void collect(std::vector<Finding>& out) {
    const auto& sessions = host_.seen->sessions;
    bool any_default_delivers = false;
    for (const auto& endpoint : host_.endpoints) {
      const bool is_default = sessions[endpoint.session].key_type == tls::KeyType::by_default;
      any_default_delivers =
          any_default_delivers || (is_default && is_deliverable(endpoint.verdict));
    }
    for (const auto& endpoint : host_.endpoints) {
      const auto& session = sessions[endpoint.session];
      if (session.plaintext_after_starttls > 0) injected(endpoint);
      if (session.lax && session.lax->works && session.stage == smtp::Stage::handshake)
        works_for_the_lax(endpoint);
      if (is_deliverable(endpoint.verdict)) continue;
      if (session.key_type == tls::KeyType::by_default) {
        failed(endpoint, any_default_delivers);
      } else {
        key_type_failed(endpoint);
      }
    }
    if (any_default_delivers) partial();
    for (auto& [code, finding] : found_) out.push_back(std::move(finding));
  }

 private:
  Finding& finding(Code code, Severity severity, const EndpointJudgement& endpoint) {
    auto& entry = found_
                      .try_emplace(code, Finding{.code = code,
                                                 .severity = severity,
                                                 .subject = host_subject(*host_.seen)})
                      .first->second;
    const auto& address = host_.seen->sessions[endpoint.session].address;
    if (std::ranges::find(entry.addresses, address) == entry.addresses.end())
      entry.addresses.push_back(address);
    add_session_evidence(entry, host_, endpoint);
    return entry;
  }

  void injected(const EndpointJudgement& endpoint) {
    finding(Code::plaintext_injection, Severity::high, endpoint);
  }

  // TLS that senders take only where they authenticate nobody.
  void works_for_the_lax(const EndpointJudgement& endpoint) {
    if (!is_deliverable(endpoint.verdict)) return;
    const auto what = code_of(endpoint.reason, is_mx_secure_);
    if (!what) return;
    const bool is_encrypted = endpoint.verdict == Verdict::encrypted;
    finding(what->first, is_encrypted ? Severity::medium : Severity::low, endpoint);
  }

  void failed(const EndpointJudgement& endpoint, bool others_deliver) {
    const auto what = code_of(endpoint.reason, is_mx_secure_);
    if (!what) return;
    auto [code, severity] = *what;
    const auto& session = host_.seen->sessions[endpoint.session];
    if (succeeds_at_times(session.address)) {
      auto& entry = finding(Code::intermittent, Severity::high, endpoint);
      entry.evidence.push_back({"reason", std::string(wire_name(endpoint.reason))});
      return;
    }
    const bool is_temporary = session.stop == smtp::SessionStop::negative_reply &&
                              session.last_reply && session.last_reply->code < 500 &&
                              code == Code::starttls_rejected;
    if (is_temporary || (others_deliver && severity == Severity::critical))
      severity = Severity::high;
    if (code == Code::host_down && others_deliver) {
      // The host takes mail at another address: that is a partial fault, not a host that is down.
      finding(Code::endpoint_partial, Severity::medium, endpoint);
      return;
    }
    auto& entry = finding(code, severity, endpoint);
    if (code == Code::tlsa_mismatch || code == Code::tlsa_mismatch_insecure_mx) {
      published(entry, session.tls ? session.tls->chain : std::vector<tls::CertificatePtr>{});
    }
  }

  // Another look at the same address went well: back-ends differ.
  bool succeeds_at_times(const std::string& address) const {
    return std::ranges::any_of(host_.endpoints, [&](const EndpointJudgement& endpoint) {
      const auto& session = host_.seen->sessions[endpoint.session];
      return session.address == address && session.key_type == tls::KeyType::by_default &&
             is_deliverable(endpoint.verdict);
    });
  }

  void key_type_failed(const EndpointJudgement& endpoint) {
    // Only where the default handshake of that address fares better: else the cause is told
    // already.
    for (const auto& other : host_.endpoints) {
      const auto& mine = host_.seen->sessions[endpoint.session];
      const auto& theirs = host_.seen->sessions[other.session];
      if (theirs.address != mine.address || theirs.key_type != tls::KeyType::by_default) continue;
      if (is_deliverable(other.verdict) && endpoint.verdict == Verdict::refused) {
        auto& entry = finding(Code::key_type_partial, Severity::high, endpoint);
        entry.evidence.push_back({"key-type", std::string(wire_name(mine.key_type))});
      }
    }
  }

  void partial() {
    Finding entry{.code = Code::endpoint_partial,
                  .severity = Severity::high,
                  .subject = host_subject(*host_.seen)};
    for (const auto& [code, told] : found_) {
      if (code == Code::plaintext_injection || code == Code::key_type_partial ||
          code == Code::endpoint_partial || code == Code::intermittent ||
          told.severity < Severity::high) {
        continue;
      }
      entry.addresses.insert(entry.addresses.end(), told.addresses.begin(), told.addresses.end());
    }
    entry.is_consequence = true;
    if (!entry.addresses.empty()) found_.try_emplace(Code::endpoint_partial, std::move(entry));
  }

  // What is published, and what a record that fits nothing was probably meant to be.
  void published(Finding& entry, const std::vector<tls::CertificatePtr>& chain) const {
    const auto once = [&](Evidence item) {
      if (std::ranges::find(entry.evidence, item) == entry.evidence.end())
        entry.evidence.push_back(std::move(item));
    };
    for (const auto& record : host_.seen->records) {
      once({"published-record", dane::to_text(record).substr(0, 160)});
      const auto reading = dane::reading_of(record, chain);
      if (!reading) continue;
      once({"hint", reading->explanation});
      if (reading->corrected)
        once({"corrected-record", dane::to_text(*reading->corrected).substr(0, 160)});
    }
  }

  const HostJudgement& host_;
  bool is_mx_secure_;
  std::map<Code, Finding> found_;
};

// What the published set is worth beyond the verdict (RFC 7671 §8, §9; verdicts that pass only).
void add_record_findings(std::vector<Finding>& out, const HostJudgement& host) {
  const auto subject = host_subject(*host.seen);
  const auto& records = host.seen->records;
  std::size_t unusable = 0;
  std::size_t malformed = 0;
  std::vector<Evidence> listed;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!host.records[i].unusable) continue;
    ++unusable;
    if (dane::is_malformed(*host.records[i].unusable) || records[i].usage == 255) ++malformed;
    listed.push_back(
        {"unusable-record", fmt::format("{} ({})", dane::to_text(records[i]).substr(0, 160),
                                        dane::wire_name(*host.records[i].unusable))});
  }
  // smtp(8) of Postfix up to 3.7.x, 3.8.17, 3.9.11 and 3.10.10 ends at such a record.
  const bool any_empty = std::ranges::any_of(records, [](const dane::TlsaRecord& record) {
    return record.data.empty() && record.usage != 255;
  });
  if (any_empty) {
    auto evidence = listed;
    evidence.push_back({"hint",
                        "a record without data stops all mail of senders that run Postfix "
                        "up to 3.10.10: their delivery agent ends at it"});
    out.push_back({.code = Code::tlsa_malformed,
                   .severity = Severity::high,
                   .subject = subject,
                   .evidence = std::move(evidence)});
  }
  if (unusable == records.size()) {
    out.push_back({.code = Code::all_unusable,
                   .severity = malformed > 0 ? Severity::high : Severity::medium,
                   .subject = subject,
                   .evidence = listed});
    return;
  }
  if (malformed > 0 && !any_empty) {
    out.push_back({.code = Code::tlsa_malformed,
                   .severity = Severity::low,
                   .subject = subject,
                   .evidence = listed});
  }
  // Coverage: every published combination must match what is served (RFC 7671 §8). One that matches
  // nothing is a defect; one that a sender knowing only SHA2-256 is left with already fails there.
  std::map<std::tuple<int, int, int>, bool> combinations;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (host.records[i].unusable) continue;
    auto& matched = combinations[{records[i].usage, records[i].selector, records[i].matching_type}];
    matched = matched || host.records[i].matched;
  }
  const bool any_matched =
      std::ranges::any_of(combinations, [](const auto& entry) { return entry.second; });
  if (!any_matched) return;
  const bool fails_some = std::ranges::any_of(host.splits, [](const Split& split) {
    return split.sender == "sha256-only" && split.verdict == Verdict::refused;
  });
  bool ee_published = false;
  bool ee_matched = false;
  for (const auto& [combination, matched] : combinations) {
    const auto [usage, selector, matching_type] = combination;
    ee_published = ee_published || usage == dane::kDaneEe;
    ee_matched = ee_matched || (usage == dane::kDaneEe && matched);
    if (matched) continue;
    out.push_back(
        {.code = Code::combination_stale,
         .severity = fails_some ? Severity::high : Severity::medium,
         .subject = subject,
         .evidence = {{"combination", fmt::format("{} {} {}", usage, selector, matching_type)}}});
  }
  if (ee_published && !ee_matched) {
    out.push_back({.code = Code::fallback_only, .severity = Severity::high, .subject = subject});
  }
  const bool only_certificates = std::ranges::all_of(combinations, [](const auto& entry) {
    return !entry.second || std::get<1>(entry.first) == dane::kCert;
  });
  if (only_certificates && ee_matched) {
    out.push_back({.code = Code::selector_cert, .severity = Severity::low, .subject = subject});
  }
}

// DANE-TA(2): an anchor that is not in the chain. Without a match it is the probable cause; with
// one, some senders still want to see it (RFC 7671 §5.2.2, §5.2.3).
void add_anchor_findings(std::vector<Finding>& out, const HostJudgement& host, Time at) {
  const auto& records = host.seen->records;
  const bool split = std::ranges::any_of(
      host.splits, [](const Split& entry) { return entry.sender == "trust-anchor-strict"; });
  bool is_in_date = true;
  for (const auto& endpoint : host.endpoints) {
    const auto& tls = host.seen->sessions[endpoint.session].tls;
    if (!tls || tls->chain.empty()) continue;
    for (const auto& certificate : tls->chain)
      is_in_date = is_in_date && at <= certificate->not_after;
  }
  if (split) {
    out.push_back({.code = is_in_date ? Code::trust_anchor_not_sent : Code::trust_anchor_expired,
                   .severity = Severity::high,
                   .subject = host_subject(*host.seen)});
    return;
  }
  for (const auto& endpoint : host.endpoints) {
    const auto& tls = host.seen->sessions[endpoint.session].tls;
    if (endpoint.reason != Reason::tlsa_mismatch || !tls || tls->chain.empty() ||
        tls->chain.back()->is_self_issued)
      continue;
    const bool any_anchor = std::ranges::any_of(records, [&](const dane::TlsaRecord& record) {
      return record.usage == dane::kDaneTa && !dane::why_unusable(record) &&
             !dane::reading_of(record, tls->chain);
    });
    if (!any_anchor) continue;
    out.push_back({.code = Code::trust_anchor_not_sent,
                   .severity = Severity::critical,
                   .subject = host_subject(*host.seen),
                   .evidence = {{"issuer-not-sent", tls->chain.back()->issuer}},
                   .is_consequence = true});
    return;
  }
}

// A leaf that has used up four fifths of its life, where senders mind: not with DANE-EE(3), where
// only senders that follow MTA-STS look at its end (RFC 7672 §3.1.1, RFC 8461 §4.2).
void add_expiring_certificate(std::vector<Finding>& out, const DomainObservation& domain,
                              const HostJudgement& host, Time at) {
  const auto& fetched = domain.sts.fetched;
  const bool is_enforced = fetched && fetched->outcome == sts::FetchOutcome::policy &&
                           fetched->policy.mode == sts::Mode::enforce;
  for (const auto& endpoint : host.endpoints) {
    const auto& session = host.seen->sessions[endpoint.session];
    const bool is_anchored =
        endpoint.match && host.seen->records[endpoint.match->record].usage == dane::kDaneTa;
    // What is not valid today for another reason is an mta-sts-conflict.
    const bool is_proven = session.tls && session.tls->pkix == tls::PkixStop::none;
    if (!is_anchored && !(is_enforced && is_proven)) continue;
    if (!session.tls || session.tls->chain.empty()) continue;
    const auto& leaf = *session.tls->chain.front();
    if (leaf.not_after - at >= (leaf.not_after - leaf.not_before) / 5) continue;
    out.push_back({.code = Code::certificate_expiring,
                   .severity = Severity::medium,
                   .subject = host_subject(*host.seen),
                   .evidence = {{"not-after", config::rfc3339(leaf.not_after)}}});
    return;
  }
}

// No TLSA record where senders look.
void add_absent_tlsa_findings(std::vector<Finding>& out, const HostObservation& seen) {
  const auto subject = host_subject(seen);
  if (!seen.tlsa.aliases.empty()) {
    out.push_back({.code = Code::dane_lost,
                   .severity = Severity::high,
                   .subject = subject,
                   .evidence = {{"alias-without-records", seen.tlsa.final_name.text()}}});
    return;
  }
  if (seen.tlsa.signing.nsec3_iterations > dns::kMostNsec3Iterations)
    add_signing_findings(out, subject, seen.tlsa, true);
  for (const auto& misplaced : seen.misplaced) {
    // Records for submission (RFC 7672 §7 leaves them to others) are no mistake by themselves.
    const bool is_other_port = !misplaced.name.text().starts_with("*") &&
                               misplaced.name.parent().parent() == seen.base_domain;
    out.push_back({.code = Code::tlsa_wrong_name,
                   .severity = is_other_port ? Severity::low : Severity::medium,
                   .subject = subject,
                   .evidence = {{"records-at", misplaced.name.text()}}});
    break;
  }
  out.push_back({.code = Code::no_dane, .severity = Severity::info, .subject = subject});
}

// Works for the reference sender, not for others: weak keys, digests that some do not know.
void add_fragile_choices(std::vector<Finding>& out, const HostJudgement& host) {
  const auto differs = [&](std::string_view sender) {
    return std::ranges::any_of(host.splits,
                               [&](const Split& split) { return split.sender == sender; });
  };
  const auto add = [&](Severity severity, std::string weakness) {
    out.push_back({.code = Code::dane_fragile,
                   .severity = severity,
                   .subject = host_subject(*host.seen),
                   .evidence = {{"weakness", std::move(weakness)}}});
  };
  if (differs("strict-security-level")) add(Severity::high, "an RSA key of less than 2048 bits");
  const bool only_sha512 =
      std::ranges::all_of(host.seen->records, [](const dane::TlsaRecord& record) {
        return dane::why_unusable(record) || record.matching_type == dane::kSha512;
      });
  if (only_sha512 && differs("sha256-only")) add(Severity::low, "only SHA2-512 digests");
  // Large senders look at about a dozen.
  constexpr std::size_t kManyRecords = 12;
  if (const auto count = host.seen->records.size(); count > kManyRecords)
    add(Severity::medium,
        fmt::format("{} TLSA records: some senders read no more than about a dozen", count));
}

// An address in place of the host's name: Postfix delivers, others do not (RFC 5321 §5.1).
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

void add_tlsa_findings(std::vector<Finding>& out, const HostJudgement& host, Time at) {
  const auto& seen = *host.seen;
  const auto subject = host_subject(seen);
  switch (seen.tlsa.outcome) {
    case Outcome::failed:
      add_lookup_failure(out, Code::tlsa_lookup_failed, subject, seen.tlsa);
      return;
    case Outcome::not_queried:
      if (address_in(seen.host)) return;
      // Insecure addresses: DANE cannot apply, whatever is published (RFC 7672 §2.2.2).
      for (const auto* answer : {&seen.a, &seen.aaaa}) {
        if (!answer->signing.is_unsupported || seen.addresses.empty()) continue;
        add_signing_findings(out, subject, *answer, true);
        return;
      }
      if (!seen.addresses.empty() && !seen.is_dane_candidate &&
          seen.cname.outcome != Outcome::failed) {
        out.push_back({.code = Code::dane_ineffective,
                       .severity = Severity::medium,
                       .subject = subject,
                       .evidence = {{"addresses", "insecure"}}});
      }
      return;
    case Outcome::absent:
      add_absent_tlsa_findings(out, seen);
      return;
    case Outcome::answer:
      break;
  }
  if (seen.tlsa.status != DnssecStatus::secure) {
    // Published under a signed host, and lost on the way: a link into an unsigned zone, or a
    // wildcard whose proof fails.
    const auto& signing = seen.tlsa.signing;
    const bool is_lost = !seen.tlsa.aliases.empty() || signing.nsec3_iterations > 0 ||
                         signing.is_unsupported || signing.rests_on_opt_out;
    out.push_back({.code = is_lost ? Code::dane_lost : Code::dane_ineffective,
                   .severity = is_lost ? Severity::high : Severity::medium,
                   .subject = subject,
                   .evidence = {{"tlsa", "insecure"}, {"at", seen.tlsa.final_name.text()}}});
    if (signing.rests_on_opt_out)
      out.back().evidence.push_back(
          {"why", "a wildcard in a zone with NSEC3 Opt-Out: its answers cannot be proven"});
    return;
  }
  for (const auto* answer : {&seen.tlsa, &seen.a, &seen.aaaa}) {
    add_signing_findings(out, subject, *answer, answer == &seen.tlsa);
  }
  add_fragile_choices(out, host);
  add_record_findings(out, host);
  add_signature_life(out, subject, seen.tlsa, at);
  add_anchor_findings(out, host, at);
  constexpr Seconds kLongTtl = hours{24};
  if (seen.tlsa.ttl > kLongTtl) {
    out.push_back({.code = Code::ttl_long,
                   .severity = Severity::medium,
                   .subject = subject,
                   .evidence = {{"ttl", fmt::format("{}", seen.tlsa.ttl.count())}}});
  }
}

// Our own resolvers' faults that this look came upon. Nothing about the target follows.
void add_resolver_faults(std::vector<Finding>& out, const DomainJudgement& judged) {
  auto answers = answers_of(*judged.seen);
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

// Addresses we could not try, for want of a route or of means: nothing is said about them.
void add_own_limits(std::vector<Finding>& out, const HostJudgement& host) {
  for (const auto& session : host.seen->sessions) {
    if (session.stop != smtp::SessionStop::no_route &&
        session.stop != smtp::SessionStop::local_fault)
      continue;
    const bool is_v6 = session.address.find(':') != std::string::npos;
    const Subject subject{.kind = Subject::Kind::monitor,
                          .name = is_v6 ? "smtp_ipv6" : "smtp_ipv4"};
    auto told = std::ranges::find(out, subject, &Finding::subject);
    if (told == out.end()) {
      out.push_back(
          {.code = Code::monitor_fault,
           .severity = host.verdict == Verdict::unknown ? Severity::medium : Severity::info,
           .subject = subject,
           .evidence = {{"detail", session.detail}}});
      told = out.end() - 1;
    }
    if (std::ranges::find(told->addresses, session.address) == told->addresses.end())
      told->addresses.push_back(session.address);
  }
}

// What single name servers say about a host, beside what the resolver made of it.
void add_host_survey_findings(std::vector<Finding>& out, const HostObservation& seen, Time at) {
  const bool is_signed = seen.tlsa.status == DnssecStatus::secure && is_learned(seen.tlsa.outcome);
  for (auto& finding : find_in_survey(host_subject(seen), seen.survey, is_signed, at))
    out.push_back(std::move(finding));
  // What a resolver remembers is no record: some server must still give it.
  const bool is_given = std::ranges::any_of(seen.survey.answers, [&](const dns::ServerAnswer& one) {
    return one.question.type == dns::type::tlsa && one.outcome == Outcome::answer;
  });
  if (seen.tlsa.outcome != Outcome::answer || !is_given) return;
  const auto deniers = deniers_of(seen.tlsa.name.parent(), seen.survey);
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

// Where the host's own addresses are denied in this way, that is why it has none.
void add_wide_denial(std::vector<Finding>& out, const DomainObservation& domain,
                     const HostObservation& seen) {
  std::vector<const dns::Answer*> answers{&seen.a, &seen.aaaa, &seen.cname, &seen.tlsa, &domain.mx};
  for (const auto& one : seen.misplaced) answers.push_back(&one);
  auto denial = find_wide_denial(host_subject(seen), answers, seen.survey);
  if (!denial) return;
  for (auto& one : out) {
    if (one.code != Code::mx_invalid || !seen.addresses.empty()) continue;
    one.is_consequence = true;
    denial->severity = Severity::critical;
  }
  out.push_back(*std::move(denial));
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
  if (host.cname.outcome == Outcome::failed) {
    add_lookup_failure(out, Code::address_lookup_failed, subject, host.cname);
  }
  const bool is_known_empty = host.addresses.empty() && host.a.outcome == Outcome::absent &&
                              host.aaaa.outcome == Outcome::absent;
  if (is_known_empty) {
    out.push_back({.code = Code::mx_invalid,
                   .severity = Severity::high,
                   .subject = subject,
                   .evidence = {{"detail", "the host has no address"}}});
  }
  const auto& answer = host.a.outcome == Outcome::answer ? host.a : host.aaaa;
  if (!answer.aliases.empty()) {
    out.push_back({.code = Code::mx_cname,
                   .severity = Severity::low,
                   .subject = subject,
                   .evidence = {{"canonical-name", answer.final_name.text()}}});
  }
}

void add_mx_findings(std::vector<Finding>& out, const DomainJudgement& judged, Time at) {
  const auto& domain = *judged.seen;
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
  if (domain.misplaced.outcome == Outcome::answer) {
    add(Code::tlsa_wrong_name, Severity::medium, {{"records-at", domain.misplaced.name.text()}});
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

// Why senders that follow the policy would not deliver to some host: not named in it, or without a
// certificate that the Web's PKI vouches for.
std::vector<Evidence> omitted_by(const sts::Policy& policy, const DomainObservation& domain) {
  std::vector<Evidence> out;
  for (const auto& mx : domain.hosts) {
    if (!sts::allows(policy, mx.name.text())) out.push_back({"not-in-policy", mx.name.text()});
  }
  return out;
}

std::vector<Evidence> unproven_hosts(const DomainJudgement& judged) {
  std::vector<Evidence> out;
  for (const auto& host : judged.hosts) {
    for (const auto& session : host.seen->sessions) {
      const bool is_proven =
          !session.tls || !session.tls->pkix || *session.tls->pkix == tls::PkixStop::none;
      if (session.key_type != tls::KeyType::by_default || is_proven) continue;
      Evidence item{"certificate",
                    fmt::format("{}: {}", host.seen->host.text(), wire_name(*session.tls->pkix))};
      if (std::ranges::find(out, item) == out.end()) out.push_back(std::move(item));
    }
  }
  return out;
}

// Whether the domain's announcement of MTA-STS leads to a policy; says why not.
std::vector<Evidence> why_no_policy(const StsObservation& sts) {
  if (sts.sts.state != sts::RecordState::valid)
    return {{"record", std::string(wire_name(sts.sts.state))}, {"detail", sts.sts.detail}};
  if (!sts.fetched || sts.fetched->is_own_limit ||
      sts.fetched->outcome == sts::FetchOutcome::policy)
    return {};
  return {{"fetch", std::string(wire_name(sts.fetched->outcome))}, {"detail", sts.fetched->detail}};
}

// A record that fits no chain of its host, and one of another host of the domain.
void add_foreign_hints(std::vector<Finding>& out, const DomainJudgement& judged) {
  for (auto& finding : out) {
    if (finding.code != Code::tlsa_mismatch && finding.code != Code::tlsa_mismatch_insecure_mx)
      continue;
    const auto mine = std::ranges::find_if(judged.hosts, [&](const HostJudgement& host) {
      return host.seen->host.text() == finding.subject.name;
    });
    for (const auto& other : judged.hosts) {
      if (mine == judged.hosts.end() || other.seen->host == mine->seen->host) continue;
      const auto fits = [&](const smtp::SessionRecord& session) {
        return session.tls && dane::verify({.records = mine->seen->records}, session.tls->chain,
                                           judged.seen->observed_at)
                                  .match.has_value();
      };
      if (std::ranges::any_of(other.seen->sessions, fits))
        finding.evidence.push_back(
            {"hint", "the records fit the certificate of " + other.seen->host.text()});
    }
  }
}

// MTA-STS beside DANE: senders that know only one of them must not be turned away by the other.
void add_sts_findings(std::vector<Finding>& out, const DomainJudgement& judged) {
  const auto& sts = judged.seen->sts;
  const auto add = [&](Code code, Severity severity, std::vector<Evidence> evidence) {
    out.push_back({.code = code,
                   .severity = severity,
                   .subject = domain_subject(*judged.seen),
                   .evidence = std::move(evidence)});
  };
  const bool is_announced =
      sts.sts_txt.outcome == Outcome::answer && sts.sts.state != sts::RecordState::absent;
  const bool has_dane = std::ranges::any_of(judged.hosts, [](const HostJudgement& host) {
    return host.seen->tlsa.outcome == Outcome::answer;
  });
  const bool has_no_tlsrpt =
      sts.tlsrpt_txt.outcome == Outcome::absent ||
      (sts.tlsrpt_txt.outcome == Outcome::answer && sts.tlsrpt.state != sts::RecordState::valid);
  if (has_no_tlsrpt && (has_dane || is_announced))
    add(Code::tlsrpt_missing, Severity::low,
        {{"record", std::string(wire_name(sts.tlsrpt.state))}});
  if (!is_announced) return;
  if (auto why = why_no_policy(sts); !why.empty())
    add(Code::mta_sts_invalid, Severity::medium, std::move(why));
  if (!sts.fetched || sts.fetched->outcome != sts::FetchOutcome::policy) return;
  const auto& policy = sts.fetched->policy;
  if (policy.mode == sts::Mode::none) return;
  auto evidence = omitted_by(policy, *judged.seen);
  const bool omits_all = evidence.size() == judged.seen->hosts.size();
  auto unproven = unproven_hosts(judged);
  const bool turns_away = policy.mode == sts::Mode::enforce && (omits_all || !unproven.empty());
  evidence.insert(evidence.end(), unproven.begin(), unproven.end());
  if (evidence.empty()) return;
  evidence.push_back({"mode", std::string(wire_name(policy.mode))});
  add(Code::mta_sts_conflict, turns_away ? Severity::high : Severity::medium, std::move(evidence));
}

// Differences between the hosts that an attacker, or bad luck, turns into mail without protection.
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
  const auto subject = domain_subject(*judged.seen);
  const bool better_refuses = std::ranges::any_of(judged.hosts, [&](const HostJudgement& host) {
    return (host.verdict == Verdict::refused || host.verdict == Verdict::lookup_failed) &&
           is_open(judged.verdict);
  });
  out.push_back({.code = better_refuses ? Code::downgrade : Code::partial_dane,
                 .severity = better_refuses ? Severity::high : Severity::medium,
                 .subject = subject,
                 .evidence = open_hosts});
}

bool is_carried_by_others(const DomainJudgement& judged, const HostJudgement& host) {
  return std::ranges::any_of(judged.hosts, [&](const HostJudgement& other) {
    return other.seen->host != host.seen->host && is_deliverable(other.verdict);
  });
}

}  // namespace

std::vector<Finding> find_in_host(const DomainObservation& domain, const HostJudgement& host,
                                  Time at) {
  std::vector<Finding> out;
  add_address_findings(out, *host.seen);
  add_wide_denial(out, domain, *host.seen);
  for (const auto* answer : {&host.seen->a, &host.seen->aaaa, &host.seen->cname, &host.seen->tlsa})
    add_grace_finding(out, host_subject(*host.seen), *answer);
  add_tlsa_findings(out, host, at);
  add_literal_finding(out, domain, *host.seen);
  add_host_survey_findings(out, *host.seen, at);
  add_expiring_certificate(out, domain, host, at);
  add_own_limits(out, host);
  EndpointFindings{host, domain.mx.status == DnssecStatus::secure}.collect(out);
  return out;
}

std::vector<Finding> find_in_domain(const DomainJudgement& judged, Time at) {
  std::vector<Finding> out;
  add_resolver_faults(out, judged);
  add_mx_findings(out, judged, at);
  add_openness_findings(out, judged);
  add_sts_findings(out, judged);
  for (const auto& host : judged.hosts) {
    for (auto finding : host.findings) {
      if (is_carried_by_others(judged, host))
        finding.severity = std::min(finding.severity, Severity::high);
      // The implicit host without an address is told as the domain's own fate.
      if (finding.code == Code::mx_invalid && judged.verdict == Verdict::bounced) {
        if (judged.seen->source == MxSource::implicit) continue;
        finding.severity = Severity::critical;
      }
      out.push_back(std::move(finding));
    }
  }
  add_foreign_hints(out, judged);
  std::ranges::stable_sort(out, std::greater{}, &Finding::severity);
  return out;
}

void weigh(DomainJudgement& judged) {
  std::ranges::stable_sort(judged.findings, std::greater{}, &Finding::severity);
  judged.severity = judged.findings.empty() ? Severity::info : judged.findings.front().severity;
}

namespace {

void drop_overruled(std::vector<Finding>& findings, const Subject& subject,
                    const Hindsight& known) {
  std::erase_if(findings, [&](const Finding& finding) {
    return finding.subject == subject &&
           std::ranges::find(known.overruled, finding.code) != known.overruled.end();
  });
}

// What history knows of the same trouble may make it graver.
void raise(std::vector<Finding>& findings, const Finding& known) {
  for (auto& one : findings) {
    if (one.code == known.code && one.subject == known.subject)
      one.severity = std::max(one.severity, known.severity);
  }
}

}  // namespace

void add_hindsight(DomainJudgement& judged, const dns::Name& name, const Hindsight& known) {
  const auto host = std::ranges::find_if(
      judged.hosts, [&](const HostJudgement& one) { return one.seen->host == name; });
  if (host == judged.hosts.end()) return;
  const auto subject = host_subject(*host->seen);
  drop_overruled(host->findings, subject, known);
  drop_overruled(judged.findings, subject, known);
  const auto is_told = [&](Code code) {
    return std::ranges::find(host->findings, code, &Finding::code) != host->findings.end();
  };
  const bool is_mx_secure = judged.seen->mx.status == DnssecStatus::secure;
  for (auto finding : known.findings) {
    if (finding.code == Code::tlsa_mismatch) {
      if (!is_deliverable(host->verdict)) continue;  // the look says why, and knows better
      if (!is_mx_secure) finding.code = Code::tlsa_mismatch_insecure_mx;
    }
    if (is_carried_by_others(judged, *host))
      finding.severity = std::min(finding.severity, Severity::high);
    if (is_told(finding.code)) {
      raise(host->findings, finding);
      raise(judged.findings, finding);
      continue;
    }
    host->findings.push_back(finding);
    judged.findings.push_back(std::move(finding));
  }
  weigh(judged);
}

void add_hindsight(DomainJudgement& judged, const Hindsight& known) {
  drop_overruled(judged.findings, domain_subject(*judged.seen), known);
  for (const auto& finding : known.findings) judged.findings.push_back(finding);
  weigh(judged);
}

void add_finding(DomainJudgement& judged, Finding finding) {
  judged.findings.push_back(std::move(finding));
  weigh(judged);
}

}  // namespace probes

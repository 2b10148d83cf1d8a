#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "probes/dane/diagnose_record.h"
#include "probes/dane/usable.h"
#include "probes/dane/verify.h"
#include "probes/exchange.h"
#include "probes/findings/parts.h"
#include "probes/service.h"

namespace probes {
namespace {

using config::Seconds;
using config::Time;
using dns::DnssecStatus;
using dns::Outcome;
using std::chrono::hours;

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
                   .evidence = {{"issuer-not-sent", tls->chain.back()->issuer}}});
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

}  // namespace

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
          seen.cname->outcome != Outcome::failed) {
        // Nothing was asked for there; mail programs go by CAs.
        if (is_service(seen.host)) {
          out.push_back({.code = Code::no_dane, .severity = Severity::info, .subject = subject});
          return;
        }
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

void add_foreign_hints(std::vector<Finding>& out, const DomainJudgement& judged) {
  // A record of a CA fits whatever else that CA issued, and says nothing of where it belongs.
  const auto own_records = [](const HostObservation& host) {
    std::vector<dane::TlsaRecord> own;
    std::ranges::copy_if(host.records, std::back_inserter(own), [](const dane::TlsaRecord& record) {
      return record.usage == dane::kDaneEe;
    });
    return own;
  };
  for (auto& finding : out) {
    if (finding.code != Code::tlsa_mismatch && finding.code != Code::tlsa_mismatch_insecure_mx)
      continue;
    const auto mine = std::ranges::find_if(judged.hosts, [&](const HostJudgement& host) {
      return host.seen->host.text() == finding.subject.name;
    });
    if (mine == judged.hosts.end()) continue;
    const dane::Expectation own{.records = own_records(*mine->seen)};
    const auto fits = [&](const smtp::SessionRecord& session) {
      return session.tls && dane::verify(own, session.tls->chain, judged.seen.open()->observed_at)
                                .match.has_value();
    };
    for (const auto& other : judged.hosts) {
      if (other.seen->host == mine->seen->host) continue;
      if (std::ranges::any_of(other.seen->sessions, fits))
        finding.evidence.push_back(
            {"hint", "the records fit the certificate of " + other.seen->host.text()});
    }
  }
}

}  // namespace probes

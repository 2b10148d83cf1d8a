#include "probes/findings.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "probes/catalogue.h"
#include "probes/causes.h"
#include "probes/findings/parts.h"

namespace probes {
namespace {

using config::Time;
using dns::DnssecStatus;

bool is_carried_by_others(const DomainJudgement& judged, const HostJudgement& host) {
  return std::ranges::any_of(judged.hosts, [&](const HostJudgement& other) {
    return other.seen->host != host.seen->host && is_deliverable(other.verdict);
  });
}

void carry(Finding& finding, bool is_carried) {
  if (!is_carried) return;
  finding.is_carried = true;
  finding.severity = std::min(finding.severity, Severity::high);
}

// Of those as grave what explains stands before what follows from it.
void put_worst_first(std::vector<Finding>& findings) {
  std::ranges::stable_sort(findings, std::greater{}, [](const Finding& finding) {
    return std::pair(finding.severity, !finding.consequence_of);
  });
}

}  // namespace

std::vector<Finding> find_in_host(const DomainObservation& domain, const HostJudgement& host,
                                  Time at) {
  std::vector<Finding> out;
  add_address_findings(out, *host.seen);
  add_wide_denial(out, domain, *host.seen);
  for (const auto* answer : {&host.seen->a, &host.seen->aaaa, &*host.seen->cname, &host.seen->tlsa})
    add_grace_finding(out, host_subject(*host.seen), *answer);
  add_tlsa_findings(out, host, at);
  add_literal_finding(out, domain, *host.seen);
  add_host_survey_findings(out, *host.seen, at);
  add_expiring_certificate(out, domain, host, at);
  add_untrusted_certificate(out, host);
  add_own_limits(out, host);
  add_endpoint_findings(out, host, domain.mx.status == DnssecStatus::secure);
  add_gaps(out, domain, *host.seen, at);
  add_remedies(out, host);
  link_causes(out);
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
      carry(finding, is_carried_by_others(judged, host));
      // The implicit host without an address is told as the domain's own fate.
      if (finding.code == Code::mx_invalid && judged.verdict == Verdict::bounced) {
        if (judged.seen.open()->source == MxSource::implicit) continue;
        finding.severity = Severity::critical;
      }
      out.push_back(std::move(finding));
    }
  }
  add_foreign_hints(out, judged);
  link_causes(out);
  put_worst_first(out);
  return out;
}

void weigh(DomainJudgement& judged) {
  for (std::size_t i = 0; i < judged.hosts.size(); ++i) {
    if (!judged.hosts[i].findings.empty()) judged.hosts.change(i).findings.edit(link_causes);
  }
  judged.findings.edit([](std::vector<Finding>& all) {
    link_causes(all);
    put_worst_first(all);
  });
  judged.severity = judged.findings.empty() ? Severity::info : judged.findings.front().severity;
}

namespace {

void drop_overruled(std::vector<Finding>& findings, const Subject& subject,
                    const HistoryFindings& known) {
  std::erase_if(findings, [&](const Finding& finding) {
    return finding.subject == subject &&
           std::ranges::find(known.overruled, finding.code) != known.overruled.end();
  });
}

// What history knows of the same trouble may make it graver, and says more of it.
void enrich(std::vector<Finding>& findings, const Finding& known) {
  for (auto& one : findings) {
    if (one.code != known.code || one.subject != known.subject) continue;
    one.severity = std::max(one.severity, known.severity);
    one.is_whole_cause = one.is_whole_cause || known.is_whole_cause;
    if (known.remedy) one.remedy = known.remedy;
  }
}

// A refusal, or a remedy, is told with the past of the host.
void tell_past(std::vector<Finding>& findings, const Subject& subject, const HostPast& past) {
  for (auto& finding : findings) {
    if (finding.subject != subject) continue;
    // Where it is known who lags, what the others do not give any more is no gap of theirs.
    std::erase_if(finding.gaps, [&](const ServerGap& gap) {
      return finding.code == Code::nameserver_split && !gap.is_refusing && !gap.is_bare &&
             !past.lagging.empty() &&
             std::ranges::find(past.lagging, gap.server) == past.lagging.end();
    });
    for (auto& gap : finding.gaps) {
      const auto since =
          gap.lacks.empty() ? past.records_since.end() : past.records_since.find(gap.lacks.front());
      if (since != past.records_since.end()) gap.since = since->second;
    }
    const bool is_refusal =
        row_of(finding.code).alerts.refuses || finding.code == Code::stale_cache_window;
    if (!is_refusal) continue;
    finding.refused_since = past.refused_since;
    finding.key = finding.code == Code::stale_cache_window ? past.unchanged_key : past.key;
    finding.is_old_key_refused = past.is_old_key_refused;
    if (!finding.remedy) continue;
    if (past.recovers_after) finding.remedy->recovers_after = past.recovers_after;
    finding.remedy->recovers_at = past.recovers_at;
  }
}

// Where only some name servers refuse the key, the record was removed there only.
void tell_where_retired(std::vector<Finding>& findings, const Subject& subject) {
  const auto split = std::ranges::find_if(findings, [&](const Finding& finding) {
    return finding.code == Code::nameserver_split && finding.subject == subject;
  });
  if (split == findings.end()) return;
  for (auto& finding : findings) {
    if (finding.code != Code::early_retire || finding.subject != subject) continue;
    finding.gaps.clear();
    std::ranges::copy_if(split->gaps, std::back_inserter(finding.gaps), &ServerGap::is_refusing);
  }
}

// Where the records of a host stand, for a remedy that names only them.
void place_remedies(std::vector<Finding>& findings, const HostObservation& host) {
  for (auto& finding : findings) {
    if (!finding.remedy || finding.subject != host_subject(host)) continue;
    // Where records still stand it is not they that are missed.
    if (finding.code == Code::dane_lost && host.tlsa.outcome != dns::Outcome::absent)
      finding.remedy.reset();
    else
      place(*finding.remedy, host);
  }
}

}  // namespace

void add_history_findings(DomainJudgement& judged, const dns::Name& name,
                          const HistoryFindings& known) {
  const auto found = std::ranges::find_if(
      judged.hosts, [&](const HostJudgement& one) { return one.seen->host == name; });
  if (found == judged.hosts.end()) return;
  auto* host = &judged.hosts.change(static_cast<std::size_t>(found - judged.hosts.begin()));
  host->most_caches_refuse = known.past.most_caches_refuse;
  const auto subject = host_subject(*host->seen);
  for (auto* findings : {&host->findings, &judged.findings})
    findings->edit([&](auto& all) { drop_overruled(all, subject, known); });
  const auto is_told = [&](Code code) {
    return std::ranges::find(host->findings, code, &Finding::code) != host->findings.end();
  };
  const bool is_mx_secure = judged.seen.open()->mx.status == DnssecStatus::secure;
  for (auto finding : known.findings) {
    if (finding.code == Code::tlsa_mismatch) {
      if (!is_deliverable(host->verdict)) continue;  // the look says why, and knows better
      if (!is_mx_secure) finding.code = Code::tlsa_mismatch_insecure_mx;
    }
    carry(finding, is_carried_by_others(judged, *host));
    if (is_told(finding.code)) {
      for (auto* findings : {&host->findings, &judged.findings})
        findings->edit([&](auto& all) { enrich(all, finding); });
      continue;
    }
    host->findings.push_back(finding);
    judged.findings.push_back(std::move(finding));
  }
  for (auto* findings : {&host->findings, &judged.findings}) {
    findings->edit([&](auto& all) {
      place_remedies(all, *host->seen);
      tell_past(all, subject, known.past);
      tell_where_retired(all, subject);
    });
  }
  weigh(judged);
}

void add_history_findings(DomainJudgement& judged, const HistoryFindings& known) {
  const auto subject = domain_subject(*judged.seen.open());
  judged.findings.edit([&](auto& all) { drop_overruled(all, subject, known); });
  for (const auto& finding : known.findings) judged.findings.push_back(finding);
  weigh(judged);
}

void add_finding(DomainJudgement& judged, Finding finding) {
  judged.findings.push_back(std::move(finding));
  weigh(judged);
}

}  // namespace probes

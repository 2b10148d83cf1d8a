#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/time.h"
#include "probes/judgement.h"

// PURE
// From verdicts to findings: what is worth telling a person, with its severity and evidence.
namespace probes {

// Everything about one host of a domain; severities as if it were the domain's only host.
[[nodiscard]] std::vector<Finding> find_in_host(const DomainObservation& domain,
                                                const HostJudgement& host, config::Time at);

// Everything about a domain whose hosts have been judged, theirs included, worst first. A critical
// finding of one host becomes high while another host takes the mail.
[[nodiscard]] std::vector<Finding> find_in_domain(const DomainJudgement& domain, config::Time at);

// The past of a host, as far as it says what to do about a finding.
struct HostPast {
  std::optional<KeyPast> key;  // that is refused now by what is published
  // Of one that only caches refuse, where it was there before they did.
  std::optional<KeyPast> unchanged_key;
  bool is_old_key_refused = false;            // as in Finding
  std::optional<config::Time> refused_since;  // by what is published or by what caches hold
  // As in Remedy, of whatever puts right what is published.
  std::optional<config::Seconds> recovers_after;
  std::optional<config::Time> recovers_at;
  std::map<std::string, config::Time> records_since;  // of those published, by their text
  bool most_caches_refuse = false;                    // as in HostJudgement
  // Name servers that have not taken the last change over, as "ns1.example.org (192.0.2.53)".
  std::vector<std::string> lagging;
  bool operator==(const HostPast&) const = default;
};

// What is known of a host beyond a look at it.
struct HistoryFindings {
  std::vector<Finding> findings;
  // Codes of which more is known than a look can show: what it made of them does not count.
  std::vector<Code> overruled;
  HostPast past;
  bool operator==(const HistoryFindings&) const = default;
};

// Adds it to the host's findings and the domain's, as if the look had shown it. A code that the
// look found, and that is not overruled, stays as the look found it, with what history adds.
void add_history_findings(DomainJudgement& judged, const dns::Name& host,
                          const HistoryFindings& known);
// The same of the domain itself.
void add_history_findings(DomainJudgement& judged, const HistoryFindings& known);
// Adds what is known of the domain beyond the look.
void add_finding(DomainJudgement& judged, Finding finding);
// Puts the findings, after a change, in their order, worst first, says which follow from which, and
// puts the severity right.
void weigh(DomainJudgement& judged);

}  // namespace probes

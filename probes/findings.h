#pragma once

#include <vector>

#include "config/time.h"
#include "probes/judge.h"

// PURE
// From verdicts to findings: what is worth telling a person, with its severity and evidence.
namespace probes {

// Everything about one host of a domain; severities as if it were the domain's only host.
[[nodiscard]] std::vector<Finding> find_in_host(const DomainObservation& domain,
                                                const HostJudgement& host, config::Time at);

// Everything about a domain whose hosts have been judged, theirs included, worst first. A critical
// finding of one host becomes high while another host takes the mail.
[[nodiscard]] std::vector<Finding> find_in_domain(const DomainJudgement& domain, config::Time at);

// Adds what is known of the hosts beyond the look, as if the look had found it. A code that the
// look found at the same host stays as it is.
void add_findings(DomainJudgement& judged, const std::vector<Finding>& about_hosts);

}  // namespace probes

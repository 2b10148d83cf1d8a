#pragma once

#include <vector>

#include "config/time.h"
#include "probes/judgement.h"
#include "probes/observation.h"

// PURE
// What findings.h is made of. Each adds to `out` what it finds.
namespace probes {

[[nodiscard]] inline Subject host_subject(const HostObservation& host) {
  return {.kind = Subject::Kind::host, .name = host.host.text()};
}
[[nodiscard]] inline Subject domain_subject(const DomainObservation& domain) {
  return {.kind = Subject::Kind::domain, .name = domain.domain.text()};
}

// Detail of a finding about a host that no sender can deliver to for want of one.
inline constexpr const char* kHasNoAddress = "the host has no address";

// ---- dns.cc: DNS: lookups that fail, signatures, denials, and what single name servers say.

// A failed lookup: the general code, and before it the specific one when the cause is known.
void add_lookup_failure(std::vector<Finding>& out, Code code, const Subject& subject,
                        const dns::Answer& answer);

// What other validators make of how an answer is signed. `decides`: whether the answer being
// unsigned, or failing, changes what senders do.
void add_signing_findings(std::vector<Finding>& out, const Subject& subject,
                          const dns::Answer& answer, bool decides);

// Without history: less than a day or a tenth of the validity left, or a quarter where signatures
// are short-lived; or so little that caches must soon drop the records before their TTL is over.
// Signatures that last very long can be replayed as long.
void add_signature_life(std::vector<Finding>& out, const Subject& subject,
                        const dns::Answer& answer, config::Time at);

// Signatures outside their time that only the grace of some validators lets pass.
void add_grace_finding(std::vector<Finding>& out, const Subject& subject,
                       const dns::Answer& answer);

void add_address_findings(std::vector<Finding>& out, const HostObservation& host);

// Where the host's own addresses are denied in this way, that is why it has none.
void add_wide_denial(std::vector<Finding>& out, const DomainObservation& domain,
                     const HostObservation& seen);

// What single name servers say about a host, beside what the resolver made of it.
void add_host_survey_findings(std::vector<Finding>& out, const HostObservation& seen,
                              config::Time at);

// ---- gaps.cc: Which name server lacks which TLSA records.

// Says so in the finding that the servers differ, and that this is why the host is refused, where a
// server lacks what accepts a key in use.
void add_gaps(std::vector<Finding>& out, const DomainObservation& domain,
              const HostObservation& seen, config::Time at);

// ---- remedies.cc: What to publish.

// Says in every remedy at which owner, and gives those findings one that a record of the key in use
// would end.
void add_remedies(std::vector<Finding>& out, const HostJudgement& host);
void place(Remedy& remedy, const HostObservation& host);

// ---- dns.cc again.

// Our own resolvers' faults that this look came upon. Nothing about the target follows.
void add_resolver_faults(std::vector<Finding>& out, const DomainJudgement& judged);

// ---- tlsa.cc: TLSA records: what is published, and what it is worth.

void add_tlsa_findings(std::vector<Finding>& out, const HostJudgement& host, config::Time at);

// A record that fits no chain of its host, and one of another host of the domain.
void add_foreign_hints(std::vector<Finding>& out, const DomainJudgement& judged);

// ---- endpoints.cc: Sessions and certificates.

// A leaf that has used up four fifths of its life, where senders mind: not with DANE-EE(3), where
// only senders that follow MTA-STS look at its end (RFC 7672 §3.1.1, RFC 8461 §4.2). Mail programs
// at a service mind always.
void add_expiring_certificate(std::vector<Finding>& out, const DomainObservation& domain,
                              const HostJudgement& host, config::Time at);

// A service at which DANE vouches for a certificate that no CA does: most mail programs know only
// CAs.
void add_untrusted_certificate(std::vector<Finding>& out, const HostJudgement& host);

// Addresses we could not try, for want of a route or of means: nothing is said about them.
void add_own_limits(std::vector<Finding>& out, const HostJudgement& host);

// What the endpoints show that others than the reference sender, or nobody, can live with.
void add_endpoint_findings(std::vector<Finding>& out, const HostJudgement& host, bool is_mx_secure);

// ---- mx.cc: The MX records, and the hosts beside each other.

// An address in place of the host's name: Postfix delivers, others do not (RFC 5321 §5.1).
void add_literal_finding(std::vector<Finding>& out, const DomainObservation& domain,
                         const HostObservation& seen);

void add_mx_findings(std::vector<Finding>& out, const DomainJudgement& judged, config::Time at);

// Differences between the hosts that an attacker, or bad luck, turns into mail without protection.
void add_openness_findings(std::vector<Finding>& out, const DomainJudgement& judged);

// ---- sts.cc: MTA-STS and TLSRPT.

// MTA-STS beside DANE: senders that know only one of them must not be turned away by the other.
void add_sts_findings(std::vector<Finding>& out, const DomainJudgement& judged);

}  // namespace probes

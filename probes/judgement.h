#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "config/shared_vector.h"
#include "probes/dane/verify.h"
#include "probes/kept_domain.h"
#include "probes/observation.h"
#include "probes/verdict.h"

// PURE
// What was made of an observation, as values: made by judge.h, never changed after but by what is
// known beyond it (findings.h).
namespace probes {

// Why an endpoint's verdict is what it is: the rung where the climb ended.
enum class Reason {
  tlsa_match,
  tlsa_unusable,  // TLS is required, nothing authenticates it
  no_tlsa,
  tlsa_mismatch,
  dns_failed,  // senders do not come here: a lookup failed, whatever the session is like
  name_mismatch,
  certificate_expired,
  certificate_not_yet_valid,
  path_invalid,
  anchor_not_sent,  // only for senders that want it sent
  weak_key,
  starttls_missing,
  starttls_stripped,
  starttls_rejected,
  ehlo_refused,
  tls_handshake_failed,
  tls_version_old,
  connect_failed,
  smtp_broken,    // no SMTP dialogue, or none after TLS
  probe_refused,  // the server does not talk to us; others may fare better
  too_slow,
  special_address,
  no_route,
  web_pki,                // at a service without TLSA records: a CA vouches for the certificate
  certificate_untrusted,  // none does
};
[[nodiscard]] std::string_view wire_name(Reason reason);

struct EndpointJudgement {
  std::size_t session = 0;  // index into HostObservation::sessions
  Verdict verdict = Verdict::unknown;
  Reason reason = Reason::no_tlsa;
  std::optional<dane::Match> match;
  // Refused for good: Postfix returns the mail at once, and tries no other host.
  bool is_bounce = false;
  bool operator==(const EndpointJudgement&) const = default;
};

struct RecordJudgement {
  std::optional<dane::Unusable> unusable;
  bool matched = false;  // by the chain of some endpoint
  bool operator==(const RecordJudgement&) const = default;
};

struct Split {
  std::string_view sender;
  Verdict verdict = Verdict::unknown;
  bool operator==(const Split&) const = default;
};

struct HostJudgement {
  HostSeen seen;
  std::uint16_t preference = 0;
  Verdict verdict =
      Verdict::unknown;  // best over the addresses in the default handshake: a sender fails over
  Verdict weakest = Verdict::unknown;  // most open over everything
  std::vector<Split> splits;
  std::vector<EndpointJudgement>
      endpoints;  // without handshakes for a key type the server does not have
  std::vector<RecordJudgement> records;  // parallel to HostObservation::records
  // Known of its past: so many of the world's caches hold records that refuse it everywhere that
  // its mail counts as held up (kMostCaches), whatever the verdict, which is of what was seen.
  bool most_caches_refuse = false;
  Findings findings;
  bool operator==(const HostJudgement&) const = default;
};

struct DomainJudgement {
  KeptDomain seen;
  Verdict verdict = Verdict::unknown;
  Verdict weakest = Verdict::unknown;
  Severity severity = Severity::info;  // of the worst finding, of hosts too
  std::vector<Split> splits;
  // Those that have been observed, by preference. Domains that see a host alike share what is
  // judged of it, its findings, and the list of such hosts (agent/watch/domain_judge).
  config::SharedVector<HostJudgement> hosts;
  Findings findings;  // of the domain and of its hosts, worst first
};

}  // namespace probes

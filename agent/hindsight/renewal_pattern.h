#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/history/host_history.h"

// PURE
// How a host has renewed its certificates.
namespace agent {

// A certificate, and where it was presented last.
struct SeenCertificate {
  probes::tls::CertificatePtr leaf;
  std::optional<probes::tls::Bytes> issuing_key;  // SHA2-256; none: its certificate was not sent
  bool is_presented = false;                      // by some endpoint, still
  std::string endpoint;                           // this one has presented it, with its last chain,
  config::Time began_at;                          // since it was first seen doing so
};

// The endpoints that have presented a certificate in common, by a key type that they still present.
// A renewal is a certificate never seen before, issued a day or more after the last one: two made
// on one day are two servers', or a second try. It is dated by its notBefore, for looks may begin
// long after it.
struct RenewalPattern {
  std::vector<SeenCertificate> worn;  // in the order of issue, each once, at least one
  std::size_t renewals = 0;
  std::size_t new_keys = 0;       // renewals that brought a key never seen before
  bool brings_new_key = false;    // the next will: most of the last three did, of two the last
  config::Seconds interval{0};    // between two renewals, the median
  config::Seconds least_left{0};  // of a certificate's life when the next was issued
  std::optional<config::Time> next_at;  // when the next is to be expected; none without a renewal
};
// Of endpoints that are still there.
[[nodiscard]] std::vector<RenewalPattern> renewal_patterns_of(const HostHistory& host_history);

}  // namespace agent

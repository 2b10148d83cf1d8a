#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/history/host_history.h"

// PURE
// May a certificate go live on an MX host at one moment? (RFC 7671 §8.1, RFC 7672 §4.)
namespace agent {

enum class GateAnswer {
  yes,         // every TLSA set that a cache may hold accepts it
  not_before,  // what is published accepts it; what caches may still hold does not
  never,       // what is published refuses it: a record must be published first
  unknown,     // could not tell what is published, or what caches may hold
};
[[nodiscard]] std::string_view wire_name(GateAnswer answer);

struct GateDecision {
  GateAnswer answer = GateAnswer::unknown;
  // When `answer` is not_before: no cache holds a set that refuses it from then on.
  std::optional<config::Time> not_before;
  // Two cache times after the accepting set was published (RFC 7671 §8.1), when that is still to
  // come.
  std::optional<config::Time> recommended;
  // When `answer` is never: what to publish beside the present records, all of it, and from when on
  // the certificate may go live if that is done at once.
  std::vector<probes::dane::TlsaRecord> missing;
  std::optional<config::Time> not_before_then;
  std::vector<std::string> why;  // sentences, the one that decides first
};

// The names by which DANE-TA(2) takes a certificate: one of the host's own is enough for everybody,
// that of a domain for mail to that domain alone (RFC 7672 §3.2.2).
struct ReferenceNames {
  std::vector<std::string> own;    // the TLSA base domain and the host, not empty
  std::vector<std::string> users;  // domains whose MX host it is, as far as known
};

// How far back the past matters, far beyond what any cache holds: RFC 8767 §4 recommends to cap
// TTLs at a week.
inline constexpr config::Seconds kClearanceLookBack = std::chrono::hours{24 * 100};

// `host_history`: the past, with what is published now noted at `at`. `unheard`: servers that did
// not answer now and never before. `chain`: what the host would present, leaf first, not empty.
// Senders to each of the domains must accept it, those that know SHA2-512 and those that do not.
[[nodiscard]] GateDecision clear(const HostHistory& host_history,
                                 const std::vector<std::string>& unheard, const Chain& chain,
                                 const ReferenceNames& names, config::Time at);

}  // namespace agent

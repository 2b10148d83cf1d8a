#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/time.h"
#include "probes/sts/policy.h"
#include "probes/tls/pkix.h"

// Fetches a domain's MTA-STS policy as a sender does (RFC 8461 §3.3).
namespace probes::sts {

enum class FetchOutcome {
  policy,          // a valid policy, whatever its mode
  no_address,      // none was given
  connect_failed,  // no address took the connection
  tls_failed,      // no TLS, or not with a certificate that holds: see tls_stop
  http_status,     // not 200; redirects are never followed
  too_large,       // header over 16 KiB, interim ones too, or body over 64 KiB
  not_text,        // Content-Type is not text/plain
  malformed,       // no HTTP/1 reply, cut off, or no policy in it
  timeout,         // the deadline came first
};
[[nodiscard]] std::string_view wire_name(FetchOutcome outcome);

struct FetchPlan {
  std::string domain;  // the policy domain: A-label form, lower case, no trailing dot
  // IPv4 or IPv6 text, of policy_host(domain), in the order to try. Whether we may talk to them
  // (special_address.h) was decided by the caller.
  std::vector<std::string> addresses;
  std::uint16_t port = 443;  // §3.3 knows no other; the lab does
  config::Time at;           // what certificates are compared with
};

// What a fetch taught us. Every failure of the world is a value in here.
struct Fetched {
  FetchOutcome outcome = FetchOutcome::no_address;
  std::string detail;   // in words unless `policy`; may quote the outside world, escape where shown
  std::string address;  // the one that took the connection; empty when none did
  // Whether connect_failed is our own limit: no address is of a family this machine has a route
  // for. It says nothing about the domain.
  bool is_own_limit = false;
  tls::PkixStop tls_stop = tls::PkixStop::none;  // why, when tls_failed
  tls::CertificatePtr certificate;               // the policy host's, when it showed one
  int status = 0;                                // of HTTP; 0 when there was no reply
  Policy policy;                                 // means nothing unless `policy`
};

// "mta-sts." and the domain: whose addresses to look up and whose name the certificate must bear.
[[nodiscard]] std::string policy_host(std::string_view domain);

// Gets https://mta-sts.<domain>/.well-known/mta-sts.txt by libcurl, over a connection of our own
// so that an address is told from another and our own limits from theirs. Addresses are tried in
// turn until one takes the connection, each with an equal share of the time left; that one's answer
// counts. The deadline is for everything together, however slowly octets come. `pki` may be shared;
// keeps nothing. The process ignores SIGPIPE.
[[nodiscard]] Fetched fetch_policy(const FetchPlan& plan, const tls::WebPki& pki,
                                   config::Deadline deadline);

}  // namespace probes::sts

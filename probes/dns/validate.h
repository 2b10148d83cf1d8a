#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"
#include "config/time.h"
#include "probes/dns/answer.h"
#include "probes/dns/message.h"

// DNSSEC validation offline, at any time asked for (getdns_validate_dnssec2): pure in effect, no
// packet is sent, no clock is read. Whoever calls has fetched what the proof needs.
namespace probes::dns {

// DS and DNSKEY records, in zone-file form, one a line, as in Debian's dns-root-data; comments and
// blank lines are skipped. The error names the line.
[[nodiscard]] config::Result<std::vector<Record>, std::string> parse_trust_anchors(
    std::string_view text);

struct Proof {
  DnssecStatus status = DnssecStatus::indeterminate;
  Cause cause = Cause::none;  // why bogus or indeterminate
  // Secure or insecure only by signatures outside their time, within the grace that Unbound gives:
  // a tenth of their life, at least an hour and at most a day (val-sig-skew-min and -max).
  bool needs_grace = false;
  // Not bogus for certain: libgetdns judges this wrongly. Another validator must tell.
  bool is_beyond_us = false;
};

// How far `part` (a message with one RRset and its signatures, or a denial) is vouched for at `at`,
// given the DNSKEY and DS messages in `support` and trust in `anchors` (DS or DNSKEY records of one
// name). Signature times are serial numbers (RFC 4034 §3.1.5), inclusive at both ends (RFC 4035
// §5.3.1). More signatures or keys than
// kMaxSignatures or kMaxKeys are not tried: too_large (CVE-2023-50387).
[[nodiscard]] Proof prove(const Message& part, const std::vector<const Message*>& support,
                          const std::vector<Record>& anchors, config::Time at);

inline constexpr std::size_t kMaxSignatures = 24;
inline constexpr std::size_t kMaxKeys = 24;

}  // namespace probes::dns

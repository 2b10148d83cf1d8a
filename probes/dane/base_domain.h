#pragma once

#include <vector>

#include "probes/dns/answer.h"

// PURE
namespace probes::dane {

// What the address lookups of a host allow a sender to conclude (RFC 7672 §2.2.2, §2.2.3).
struct BaseDomains {
  enum class Kind {
    candidates,      // look for TLSA at `names` in turn; the first secure RRset gives the TLSA base
                     // domain
    not_applicable,  // insecure: no TLSA query is made
    no_address,      // the host has no address
    failed,          // the addresses could not be learned: the host is skipped
    ask_cname,  // an insecure target proves nothing about the alias itself: a CNAME query at the
                // host must tell
  };
  Kind kind = Kind::no_address;
  std::vector<dns::Name> names;
};

// `cname` is the answer to that separate query, when it has been made.
[[nodiscard]] BaseDomains base_domains(const dns::Name& host, const dns::Answer& a,
                                       const dns::Answer& aaaa, const dns::Answer* cname);

}  // namespace probes::dane

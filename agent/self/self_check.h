#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/time.h"
#include "probes/dns/lookup.h"

namespace agent {

// One sense of ours and whether it can be trusted. What we see of others means nothing while it
// fails.
struct SelfCheck {
  std::string check;  // "dns", "clock", "resolver", "smtp_ipv4", "smtp_ipv6", "service_ipv4",
                      // "service_ipv6", "greeting",
                      // "storage", "looks", "trust_anchor", "domain_list:NAME"
  bool is_up = true;
  std::optional<std::string> detail;  // why not, in words
  config::Time checked_at;
  bool is_limit = false;  // a limit that operators may live with (no IPv6): shown, never alarming
  bool blinds = true;     // nothing can be said of others while it fails
};

// Whether one of our resolvers validates, as Postfix on this machine needs it to; we do that
// ourselves.
struct ResolverCheck {
  std::string resolver;               // its address, with "@port" unless that is 53
  std::optional<bool> is_validating;  // nothing: it did not answer, or with an error
  std::optional<std::string> fault;   // what it does wrong, in words
};

// Looks up the SOA record of the trust anchor's own zone: it must arrive, and must validate. A
// signature there that is out of its time says that our clock is wrong.
[[nodiscard]] std::vector<SelfCheck> check_ourselves(probes::dns::Lookup& lookup,
                                                     const probes::dns::Name& anchor,
                                                     config::Time at, config::Deadline deadline);

// The check of an OutboundSmtp to blame when mail servers can be reached over no family and so
// nothing can be said about any MX host; null while one works, or is not known not to. Services
// have ports of their own.
[[nodiscard]] const SelfCheck* cut_off(const std::vector<SelfCheck>& way_out);

// The first sense that fails and blinds; nothing when all are well.
[[nodiscard]] const SelfCheck* first_failing(const std::vector<SelfCheck>& checks);

}  // namespace agent

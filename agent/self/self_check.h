#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/time.h"
#include "probes/dns/lookup.h"

namespace agent {

// One sense of ours and whether it can be trusted.
struct SelfCheck {
  std::string check;  // "dns", "clock", "resolver", "smtp_ipv4", "smtp_ipv6", "service_ipv4",
                      // "service_ipv6", "greeting",
                      // "storage", "looks", "trust_anchor", "domain_list:NAME"
  bool is_up = true;
  std::optional<std::string> detail;  // why not, in words
  config::Time checked_at;
  bool is_limit = false;  // a limit that operators may live with (no IPv6): shown, never alarming
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

// PURE. What keeps us from saying anything about others, of all checks as they stand: "dns" or
// "clock" that fails, or no way out to mail servers (cut_off). Whatever else fails says that much
// is missing, not that the rest is wrong.
[[nodiscard]] std::vector<const SelfCheck*> blinding(const std::vector<SelfCheck>& checks);

// PURE. Whether it was found out since the start whether we can see.
[[nodiscard]] bool is_sight_known(const std::vector<SelfCheck>& checks);

// PURE. It was, and nothing keeps us from it.
[[nodiscard]] bool can_see(const std::vector<SelfCheck>& checks);

}  // namespace agent

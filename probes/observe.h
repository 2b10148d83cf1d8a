#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "config/time.h"
#include "probes/dns/lookup.h"
#include "probes/dns/survey.h"
#include "probes/observation.h"
#include "probes/tls/handshake.h"

namespace probes {

// How to look: the operator's settings, the same for every target.
struct ProbeSettings {
  std::uint16_t port = 25;
  std::string helo = "localhost";
  config::Seconds session_timeout{60};
  bool allow_special_addresses = false;
  std::uint16_t https_port = 443;
  config::Seconds https_timeout{20};
  bool looks_at_sts = true;  // at MTA-STS policies, and what CAs say of MX hosts
  unsigned looks = 1;        // default handshakes with each address, to find back-ends that differ
  // How TLS begins at services for which it is not as usual at their port.
  std::map<dns::Name, config::Starttls> services = {};
  bool every_key_type = true;  // also a handshake with the kind of key the default one did not show
};

// What one thread looks with. Nothing in it is shared with another thread.
struct ProbeClients {
  dns::Lookup& lookup;
  tls::Client& tls;
  dns::Surveyor* surveyor = nullptr;  // null: name servers are not asked one by one
  tls::WebPki* pkix = nullptr;        // null: nobody looks at MTA-STS, or asks CAs of services
};

// The MX RRset of a domain: MX or implicit, its hosts in order. Of a service (service.h), which has
// none: itself, and nothing is asked.
[[nodiscard]] DomainObservation observe_domain(const dns::Name& domain,
                                               const ProbeSettings& settings, ProbeClients clients,
                                               config::Time at, config::Deadline deadline);

// What DNS says of one host, without a session: addresses first, TLSA only where the addresses
// allow it (RFC 7672 §2.2.2).
[[nodiscard]] HostObservation observe_records(const dns::Name& host, const ProbeSettings& settings,
                                              ProbeClients clients, config::Time at,
                                              config::Deadline deadline);

// The same, and then a session per address. Sessions are had also where no TLSA applies: whether
// TLS works decides between opportunistic and cleartext. At a service its own protocol is spoken,
// and the name that a mail program has is always said.
[[nodiscard]] HostObservation observe_host(const dns::Name& host, const ProbeSettings& settings,
                                           ProbeClients clients, config::Time at,
                                           config::Deadline deadline);

// One session with one address of a host or service.
[[nodiscard]] smtp::SessionRecord try_address(const dns::Name& host, const std::string& address,
                                              const ProbeSettings& settings, tls::Client& tls,
                                              config::Deadline deadline);

}  // namespace probes

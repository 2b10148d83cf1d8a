#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <vector>

#include "agent/cli/check.h"
#include "agent/foresight/next_key.h"
#include "agent/foresight/renewal_advice.h"
#include "agent/history/host_history.h"

namespace agent {

// What `danelaw gate` was asked.
struct GateQuestion {
  probes::dns::Name host;
  std::filesystem::path certificate;  // as read_certificates(); the chain that the server will send
};

using Announced = std::vector<AnnouncedCertificate>;

// What the agent has recorded of a host; empty when it does not watch it.
struct Recalled {
  HostHistory host_history;
  config::Seconds delegation_ttl{0};  // as in zone_past.h
  Announced announced;
  RenewalBook renewals;            // what CAs suggest
  std::vector<std::string> users;  // domains whose MX host it is
};
using Recall = std::function<config::Result<Recalled, std::string>(const probes::dns::Name& host,
                                                                   config::Time since)>;

// Asks the name servers what they publish now, holds that and the recorded past against the
// certificate, and writes whether it may go live: the first line begins with yes, not-before, never
// or unknown. Never connects to the host. ok: yes; warning: not before a time to come; critical:
// never, the missing records are printed as zone-file lines.
[[nodiscard]] Exit gate(const config::Config& config, const GateQuestion& question,
                        const Recall& recall, std::ostream& out, std::ostream& errors);

}  // namespace agent

#pragma once

#include <string>
#include <vector>

#include "agent/chronicle.h"
#include "tests/support/scene.h"

namespace support {

// The past of one host as looks noted it, one line a look.
class Past {
 public:
  static constexpr config::Seconds kTtl{3600};
  using Records = std::vector<probes::dane::TlsaRecord>;

  // All servers that a look may see give this; TTL 3600 if not said.
  static agent::Published give(Records records, config::Seconds ttl = kTtl) {
    return {.ttl = ttl, .is_secure = true, .records = std::move(records)};
  }

  // One look: what "ns1" and "ns2" gave, and the chain at the one endpoint (none: not looked at).
  Past& look(config::Time at, const agent::Published& ns1, const agent::Published& ns2,
             const agent::Chain& chain = {}) {
    agent::Sighting sighting{.servers = {{"ns1", ns1}, {"ns2", ns2}}, .knows_servers = true};
    if (!chain.empty()) sighting.endpoints["192.0.2.1/default"] = chain;
    agent::note(chronicle, sighting, at);
    return *this;
  }
  Past& look(config::Time at, const agent::Published& both, const agent::Chain& chain = {}) {
    return look(at, both, both, chain);
  }

  agent::Chronicle chronicle;
};

}  // namespace support

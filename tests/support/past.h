#pragma once

#include <string>
#include <vector>

#include "agent/history/host_history.h"
#include "tests/support/scene.h"

namespace support {

// The chain of mx.example.test with a leaf of that key, issued then for 90 days.
inline agent::Chain issued_at(config::Time at, const Key& key, const Issued& by = Pki::get().inter,
                              config::Seconds life = std::chrono::days{90}) {
  const auto leaf = issue({.common_name = "mx.example.test",
                           .dns_names = {"mx.example.test"},
                           .not_before = at,
                           .not_after = at + life},
                          key, by);
  return {leaf.certificate, by.certificate};
}

// Of the key that mx.example.test had first, and of the one after it: chain, and the record that
// fits.
inline agent::Chain old_chain() {
  return {Pki::get().old_leaf.certificate, Pki::get().inter.certificate};
}
inline agent::Chain new_chain() {
  return {Pki::get().leaf.certificate, Pki::get().inter.certificate};
}
inline auto old_record() {
  return record(3, 1, 1, *Pki::get().old_leaf.certificate);
}
inline auto new_record() {
  return record(3, 1, 1, *Pki::get().leaf.certificate);
}

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
    agent::Sample sample{.servers = {{"ns1", ns1}, {"ns2", ns2}}, .knows_servers = true};
    if (!chain.empty()) sample.endpoints["192.0.2.1/default"] = chain;
    agent::record_sample(host_history, sample, at, at);
    return *this;
  }
  Past& look(config::Time at, const agent::Published& both, const agent::Chain& chain = {}) {
    return look(at, both, both, chain);
  }

  // One look that learned only what one endpoint presents; none: it is no more.
  Past& show(config::Time at, const std::string& endpoint, const agent::Chain& chain) {
    agent::record_sample(host_history, {.endpoints = {{endpoint, chain}}}, at, at);
    return *this;
  }
  // One look that learned only how long the signature over the records is good.
  Past& sign(config::Time at, config::Time until) {
    agent::record_sample(
        host_history,
        {.seen_at = at,
         .signatures = {{agent::kAllServers, agent::Signature{.expiration = until}}}},
        at, at);
    return *this;
  }

  agent::HostHistory host_history;
};

}  // namespace support

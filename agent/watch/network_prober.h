#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/self/self_check.h"
#include "agent/self/trust_anchor.h"
#include "agent/watch/prober.h"
#include "config/config.h"
#include "config/mutex.h"
#include "config/result.h"
#include "probes/codec/recorded.h"
#include "probes/dns/chain.h"
#include "probes/dns/getdns_client.h"
#include "probes/observe.h"
#include "probes/tls/handshake.h"

namespace agent {

// What zones ask their parents for, as learned last. One for all threads, so that none comes up
// with what another knows to be over.
class WantedBook {
 public:
  // Null: not known, or it has to be asked again.
  [[nodiscard]] std::optional<probes::dns::WantedDs> find(const probes::dns::Name& zone,
                                                          config::Time at);
  // Good for `ttl`, between five seconds and a minute; unless a later one is there already.
  void take(const probes::dns::Name& zone, const probes::dns::WantedDs& wanted, config::Time at,
            config::Seconds ttl);

 private:
  struct Known {
    probes::dns::WantedDs wanted;
    config::Time asked_at, until;
  };
  config::Mutex mutex_;
  std::map<probes::dns::Name, Known> known_ GUARDED_BY(mutex_);
};

// One for all threads, and for as long as the agent runs.
class AnchorBook {
 public:
  // What was remembered; before anything is taken up.
  void restore(std::vector<AnchorKey> known);
  // What another knows.
  void go_on_from(AnchorBook& other);
  // As AnchorKeys; all that is known after that.
  [[nodiscard]] AnchorKeys take(const probes::dns::Name& zone,
                                const std::vector<probes::dns::Bytes>& keys, config::Seconds ttl,
                                config::Time at);
  // What is to be remembered since this was asked last.
  [[nodiscard]] std::vector<AnchorKey> take_news();

 private:
  config::Mutex mutex_;
  AnchorKeys keys_ GUARDED_BY(mutex_);
  std::vector<AnchorKey> news_ GUARDED_BY(mutex_);
};

// What all probers share: caches, counters and the settings of probing. Outlives every prober.
class ProbeContext {
 public:
  // Reads the trust anchor file. The error says what to do.
  [[nodiscard]] static config::Result<std::shared_ptr<ProbeContext>, std::string> make(
      const config::Config& config);

  const std::vector<config::ResolverAddress> resolvers;
  const config::Seconds question_timeout;
  const bool every_server;  // name servers are asked one by one, too
  const probes::ProbeSettings settings;
  const config::Agent agent;  // who looks, and from where
  TrustAnchor anchor;         // usually of the root
  AnchorBook anchor_keys;     // what its zone has shown
  probes::dns::Chain chain;
  probes::tls::CertificateCache certificates;
  probes::dns::QueryCounts queries;
  probes::dns::Standings standings;           // of the resolvers
  WantedBook wanted;                          // by zones
  probes::dns::DirectReach reach;             // of name servers
  std::unique_ptr<probes::tls::WebPki> pkix;  // null: nobody asks CAs

  // What was seen, with who saw it.
  [[nodiscard]] probes::Recorded signed_by_us(probes::Recorded seen) const;
  // The trust anchor file was written since it was read, or since this was asked last: a package
  // that brings the next key of the root reloads nobody.
  [[nodiscard]] bool has_new_anchor();

  ProbeContext(const config::Config& config, std::vector<config::ResolverAddress> servers,
               std::vector<probes::dns::Record> anchors, std::vector<std::string> root_hints = {});

 private:
  config::Mutex mutex_;
  std::filesystem::path anchor_file_;  // empty: not from a file
  std::optional<std::filesystem::file_time_type> anchor_written_ GUARDED_BY(mutex_);
};

// One thread's clients.
class NetworkProber final : public Prober {
 public:
  [[nodiscard]] static config::Result<std::unique_ptr<NetworkProber>, std::string> make(
      std::shared_ptr<ProbeContext> context);

  [[nodiscard]] probes::DomainObservation probe_domain(const probes::dns::Name& domain,
                                                       config::Time at) override;
  [[nodiscard]] probes::HostObservation probe_host(const probes::dns::Name& host,
                                                   config::Time at) override;
  [[nodiscard]] probes::HostObservation probe_records(const probes::dns::Name& host,
                                                      config::Time at) override;
  [[nodiscard]] probes::smtp::SessionRecord try_address(const probes::dns::Name& host,
                                                        const std::string& address) override;
  [[nodiscard]] std::vector<SelfCheck> probe_ourselves(config::Time at) override;
  [[nodiscard]] std::vector<ResolverCheck> probe_resolvers(const Controls& controls,
                                                           config::Time at) override;
  [[nodiscard]] std::size_t count_failing(const std::vector<probes::dns::Question>& questions,
                                          config::Time at) override;
  [[nodiscard]] std::vector<probes::dns::ZoneSerials> ask_serials(
      const std::set<probes::dns::Name>& zones, config::Time at) override;

 private:
  NetworkProber(std::shared_ptr<ProbeContext> context,
                std::unique_ptr<probes::dns::GetdnsClient> client);
  [[nodiscard]] probes::ProbeClients clients();
  [[nodiscard]] probes::dns::WantedDs wanted_of(const probes::dns::Name& zone, config::Time at);
  // With the time for which it is good.
  [[nodiscard]] std::pair<probes::dns::WantedDs, config::Seconds> ask_wanted(
      probes::dns::Lookup& lookup, const probes::dns::Name& zone, config::Time at);
  void examine(ResolverCheck& sight, std::size_t place, const Controls& controls, config::Time at);

  std::shared_ptr<ProbeContext> context_;
  std::unique_ptr<probes::dns::GetdnsClient> client_;
  std::vector<std::unique_ptr<probes::dns::Resolver>> each_;  // empty when there is but one
  probes::dns::Authorities authorities_;
  probes::dns::Lookup lookup_;
  probes::dns::Lookup own_lookup_;  // through the resolvers only: to learn how these are
  // Through the resolvers only, too: no resolver is blamed for what hardly anybody else asks for.
  probes::dns::Lookup wish_lookup_;
  probes::dns::Lookup direct_lookup_;  // at the zones' own servers only
  probes::tls::Client tls_;
  probes::dns::Surveyor surveyor_;
};

}  // namespace agent

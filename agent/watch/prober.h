#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/self/resolver_watch.h"
#include "agent/self/self_check.h"
#include "config/result.h"
#include "probes/dns/survey.h"
#include "probes/observation.h"

namespace agent {

// What the runner needs of the network. Used by one thread. Implemented by NetworkProber, and by
// fakes in tests.
class Prober {
 public:
  Prober() = default;
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;
  virtual ~Prober() = default;

  [[nodiscard]] virtual probes::DomainObservation probe_domain(const probes::dns::Name& domain,
                                                               config::Time at) = 0;
  [[nodiscard]] virtual probes::HostObservation probe_host(const probes::dns::Name& host,
                                                           config::Time at) = 0;
  // The same without sessions.
  [[nodiscard]] virtual probes::HostObservation probe_records(const probes::dns::Name& host,
                                                              config::Time at) = 0;
  // One short session, to learn whether anybody answers there.
  [[nodiscard]] virtual probes::smtp::SessionRecord try_address(const probes::dns::Name& host,
                                                                const std::string& address) = 0;
  [[nodiscard]] virtual std::vector<SelfCheck> probe_ourselves(config::Time at) = 0;
  // Each once. It is asked what we rely on it for: at the trust anchor an answer, both denials, a
  // large answer over TCP; and the controls, as far as these are right at the zones' own servers.
  // One that claims to validate must refuse what is bogus.
  [[nodiscard]] virtual std::vector<ResolverCheck> probe_resolvers(const Controls& controls,
                                                                   config::Time at) = 0;
  // How many of the questions our resolvers cannot answer now, or not so that it validates.
  [[nodiscard]] virtual std::size_t count_failing(
      const std::vector<probes::dns::Question>& questions, config::Time at) = 0;
  // Of these zones, as dns::Surveyor, without serial numbers where name servers are not asked one
  // by one; and which DS records each asks for.
  [[nodiscard]] virtual std::vector<probes::dns::ZoneSerials> ask_serials(
      const std::set<probes::dns::Name>& zones, config::Time at) = 0;
};

}  // namespace agent

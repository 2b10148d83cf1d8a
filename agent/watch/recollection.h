#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/alerts/ports.h"
#include "agent/hindsight/lagging_nameservers.h"
#include "agent/history/host_history.h"
#include "agent/history/zone_past.h"
#include "probes/dns/survey.h"

namespace agent {

// What was seen before, read from the recorder when it is first asked for and kept up with what
// looks show. It reads the disk: nobody who has to be quick may wait for who calls it. What cannot
// be read now is a fault, and read the next time.
class Recollection {
 public:
  explicit Recollection(Recorder& recorder);

  // What could not be read since this was called last, in words.
  [[nodiscard]] std::vector<std::string> take_faults();

  [[nodiscard]] std::optional<HostHistory> history_of(const probes::dns::Name& host,
                                                      config::Time at);
  // When each domain was last seen authenticated.
  [[nodiscard]] std::map<std::string, config::Time> protected_domains(config::Time at);

  // Takes up what answers tell of their zones' keys; what is to be recorded of it.
  [[nodiscard]] std::vector<ZoneNews> take_zones(
      const std::vector<const probes::dns::Answer*>& answers, config::Time at);
  // Takes up which serial numbers the zones' servers give.
  void take_serials(const std::vector<probes::dns::ZoneSerials>& seen);
  // Takes up how the MX RRset that was just seen is signed; what is to be recorded of it.
  [[nodiscard]] std::optional<Signature> take_mx_signature(const probes::DomainObservation& seen,
                                                           config::Time at);
  // Null when they cannot be read now. Good until the next call.
  [[nodiscard]] const Signatures* mx_signatures(const probes::dns::Name& domain, config::Time at);

  // What caches hold of the keys of the zones that vouch for these answers about `subject`, and
  // which of their servers are late, and what becomes of them when their parents do as asked.
  [[nodiscard]] std::vector<probes::Finding> zone_findings(
      const probes::Subject& subject, const std::vector<const probes::dns::Answer*>& answers,
      config::Time at);
  // How long caches go on taking what these names publish for protected (zone_past.h): the longest.
  [[nodiscard]] config::Seconds delegation_ttl(const std::vector<probes::dns::Name>& names,
                                               config::Time at);

  void restate(const ClockStep& step);
  // So many domains are watched now: whether what is known of them can be kept at hand.
  void expect(std::size_t domains);
  // They are not asked any more, perhaps.
  void forget_servers() { servers_.clear(); }

 private:
  Signatures* signatures_of(const probes::dns::Name& domain, config::Time at);
  ZonePast* past_of(const probes::dns::Name& zone, config::Time at);

  Recorder& recorder_;
  std::vector<std::string> faults_;
  std::map<probes::dns::Name, ZonePast> zones_;  // that vouch for what was seen
  struct Servers {
    probes::dns::ZoneSerials serials;  // as given last
    LaggingServers lagging;
  };
  std::map<probes::dns::Name, Servers> servers_;  // of those zones
  std::map<probes::dns::Name, Signatures> mx_signatures_;
  std::size_t most_zones_, most_mx_signatures_;  // that are kept
};

// The answers whose zones vouch for a host.
[[nodiscard]] std::vector<const probes::dns::Answer*> answers_about(
    const probes::HostObservation& host);
// The zones that vouch for these answers.
[[nodiscard]] std::set<probes::dns::Name> vouching_for(
    const std::vector<const probes::dns::Answer*>& answers);

// Everything that is remembered with its time, in the time that holds now.
void restate(HostHistory& history, const ClockStep& step);

}  // namespace agent

#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/self/self_check.h"
#include "config/time.h"
#include "probes/observation.h"

// PURE
namespace agent {

// Whether sessions get out of here, by address family. A session that gets stuck before anybody
// answers may fail because of the host or because of us (port 25 blocked, no route); so before a
// stuck look is believed, hosts that answered lately are tried, and when nobody was reached at
// three addresses of two hosts or more since somebody last was, the fault is likelier ours than
// everybody's. Services (probes/service.h) stand by themselves: port 25 is blocked where their
// ports are not.
class OutboundSmtp {
 public:
  struct ControlHost {
    probes::dns::Name host;
    std::string address;
  };

  // Takes up how sessions with a host fared that were begun at that moment or later.
  void record_sessions(const probes::dns::Name& host,
                       const std::vector<probes::smtp::SessionRecord>& sessions,
                       config::Time began);
  // Nobody asks about the host any more.
  void forget(const probes::dns::Name& host);

  // Whom to try before the look, begun at that moment, is believed: of each family in which it got
  // stuck and nobody was reached of late, the hosts that answered last. A family known to be down
  // is not tried for every look.
  [[nodiscard]] std::vector<ControlHost> controls_for(const probes::HostObservation& seen,
                                                      config::Time began) const;
  // Whom to try while a family is down: to learn when it is up again, and whether the other is.
  [[nodiscard]] std::vector<ControlHost> controls_while_down() const;

  // "smtp_ipv4", "smtp_ipv6", "service_ipv4", "service_ipv6"; a family of which too little is known
  // is not in the list.
  [[nodiscard]] std::vector<SelfCheck> checks(config::Time at) const;

  // Marks what got stuck in a family that is down as what it is, our own limit. True when the look
  // is worth repeating for that: a family that never worked here is no reason.
  [[nodiscard]] bool mark_as_local(probes::HostObservation& seen) const;

 private:
  struct Answered {
    std::string address;
    config::Time at;
  };
  // Times are those at which looks began.
  struct Family {
    std::map<probes::dns::Name, Answered> answered;                // where and when a host did last
    std::set<std::pair<config::Time, probes::dns::Name>> by_time;  // the same hosts
    std::optional<config::Time> reached_at;                        // somebody, the last time
    std::map<std::pair<probes::dns::Name, std::string>, config::Time> stuck;  // since then
    bool was_tried = false;                                                   // a packet was sent
  };
  // IPv4 and IPv6 of mail servers, and of services.
  static constexpr std::size_t kFamilies = 4;

  static void record_sessions(Family& family, const probes::dns::Name& host,
                              const probes::smtp::SessionRecord& session, config::Time began);
  static void add_controls(std::vector<ControlHost>& out, const Family& family,
                           const probes::dns::Name* besides);
  static bool is_proven_down(const Family& family);
  static std::optional<config::Time> first_stuck(const Family& family);
  static bool is_limit(const Family& family);
  [[nodiscard]] bool is_down(std::size_t family) const;
  [[nodiscard]] std::string detail_of(std::size_t family) const;

  std::array<Family, kFamilies> families_;
};

}  // namespace agent

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/alerts/alert_book.h"
#include "agent/foresight/announcements.h"
#include "agent/watch/inventory.h"
#include "agent/watch/snapshot.h"

// PURE
namespace agent {

// What is shown of those who are watched, kept apart from what decides about them, so that nobody
// who reads waits for a decision. A change costs the same however much is kept; a copy for a reader
// costs a pointer for each host, alert and 256 domains.
class SnapshotSource {
 public:
  // The domains that are watched, none of them judged but those that were before.
  void adopt(const Inventory& inventory, const config::Schedule& schedule, config::Time at);
  // The domains that a round judged, and the alerts that it changed.
  void take(const Round& round);
  void take(const Inventory::Host& host);
  void drop_host(const probes::dns::Name& host);
  void set_next_check(std::string_view domain, config::Time at);
  // All alerts anew: their times were restated.
  void set_alerts(const AlertBook& book);
  void set_people(std::vector<Silence> silences, std::vector<Exception> exceptions);
  void set_announced(const Announcements& known);
  void set_renewals(const RenewalBook& known);
  // Forgets what ended so long ago that the alert book has forgotten it, too.
  void forget_ended(config::Time at);

  // By its name as configured; nothing when it is not watched.
  [[nodiscard]] std::optional<DomainState> domain(std::string_view name) const;
  struct Known {
    probes::HostSeen seen;  // null: not yet
    bool is_ours = false;   // an inbound domain uses it
  };
  [[nodiscard]] Known host(const probes::dns::Name& name) const;
  // Domains, hosts, rollovers, alerts, silences and exceptions.
  void fill(Snapshot& out) const;

 private:
  void put(const Alert& alert);

  DomainList domains_;
  struct Host {
    std::shared_ptr<const Snapshot::Host> seen;
    std::shared_ptr<const Snapshot::Followed> followed;  // null: no TLSA owner to follow
    bool is_ours = false;
    std::shared_ptr<const std::vector<Snapshot::SeenFrom>> places;  // null: there is but one
  };
  std::map<probes::dns::Name, Host> hosts_;
  using AlertPtr = std::shared_ptr<const Alert>;
  std::map<std::string, AlertPtr> open_;      // by id
  std::map<AlertBook::Key, AlertPtr> ended_;  // the newest of each
  std::vector<Silence> silences_;
  std::vector<Exception> exceptions_;
  std::shared_ptr<const Snapshot::Shown> announced_;
  std::shared_ptr<const RenewalBook> renewals_;
};

}  // namespace agent

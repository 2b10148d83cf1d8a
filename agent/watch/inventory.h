#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/alerts/round.h"
#include "agent/hindsight/views.h"
#include "agent/history/host_history.h"
#include "agent/rollover/rollover.h"
#include "agent/watch/alike.h"
#include "config/boxed.h"
#include "config/shared.h"
#include "config/shared_vector.h"
#include "config/time.h"
#include "probes/findings.h"

// PURE
namespace agent {

// Who is watched, who uses whom, and what was seen last. Each change says which targets came and
// went by it, and costs the same among a million domains.
class Inventory {
 public:
  struct Host;
  // A host of a domain's, and where the domain stands among its users.
  struct Use {
    Host* host = nullptr;
    std::size_t place = 0;
  };
  // Few, and of very many domains: no room is held for more.
  class Uses {
   public:
    Uses() = default;
    explicit Uses(const std::vector<Use>& uses)
        : uses_(std::make_unique<Use[]>(uses.size())),
          size_(static_cast<std::uint32_t>(uses.size())) {
      std::ranges::copy(uses, uses_.get());
    }
    Uses(Uses&& other) noexcept
        : uses_(std::move(other.uses_)), size_(std::exchange(other.size_, 0)) {}
    Uses& operator=(Uses&& other) noexcept {
      uses_ = std::move(other.uses_);
      size_ = std::exchange(other.size_, 0);
      return *this;
    }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] Use* begin() { return uses_.get(); }
    [[nodiscard]] Use* end() { return uses_.get() + size_; }
    [[nodiscard]] const Use* begin() const { return uses_.get(); }
    [[nodiscard]] const Use* end() const { return uses_.get() + size_; }

   private:
    std::unique_ptr<Use[]> uses_;
    std::uint32_t size_ = 0;
  };
  static constexpr auto kNever = config::Time::min();
  struct Domain {
    const probes::dns::Name* name = nullptr;
    config::Shared<config::Domain> configured;
    std::uint32_t place = 0;        // in the configuration
    bool knows_hosts = false;       // its MX RRset was learned
    bool awaits_judgement = false;  // its last look could not be followed for want of one
    probes::KeptDomain seen;
    std::shared_ptr<const probes::DomainJudgement> judged;
    config::Time protected_until = kNever;  // last seen authenticated
    Uses hosts;                             // of its MX RRset, as last learned
  };
  struct ByName {
    bool operator()(const Domain* a, const Domain* b) const { return *a->name < *b->name; }
  };
  struct Host {
    probes::dns::Name name;
    probes::HostSeen seen;
    std::vector<Domain*> users;          // in no order
    std::size_t own_users = 0;           // of them, those that are inbound
    std::set<Domain*, ByName> troubled;  // users whose judgement has something to alert of about it
    // What its users hold of it is kept once, as far as it is equal: the judgement, what is found
    // at it as it stands among a domain's findings, and, of those whose first host it is, the whole
    // list of what they hold of their hosts.
    Alike<probes::HostJudgement> judgements;
    Alike<probes::Finding> findings;
    Alike<config::SharedVector<probes::HostJudgement>::Values> lists;
    // For the user for which it is worst; null: to be found anew.
    std::shared_ptr<const probes::HostJudgement> judged;
    std::optional<HostHistory> history;  // nothing before the first look
    std::shared_ptr<const Rollovers> rollovers;
    std::optional<RolloverStanding> standing;   // at the last look that learned anything
    probes::HistoryFindings foreseen;           // what history then adds to the judgement
    std::vector<std::string> refused_keys;      // as in Hit
    std::optional<config::Time> rolling_since;  // null while no change of key is under way
    bool awaits_judgement = false;              // as of a domain
    // Of a fleet: what each place saw last, since when they are held against each other for trouble
    // that some see, and what it means that they differ.
    Views views;
    std::optional<config::Time> asked_since;
    config::Boxed<Split> split;
  };

  // Targets that are to be probed (some of them are already), and those that are not any more.
  struct Change {
    std::vector<Target> appeared, vanished;
  };

  // Watches these domains and no others. Of a name that is there twice the first counts, and what
  // is no name is not watched.
  Change adopt(const std::vector<config::Domain>& configured);
  // The domain's look has learned that it uses these hosts and no others.
  Change use(Domain& domain, const std::vector<probes::MxHost>& hosts);

  // What was seen of it last; the one before, null at first.
  probes::KeptDomain take(Domain& domain, probes::KeptDomain seen);
  probes::HostSeen take(Host& host, probes::HostSeen seen);

  // Null when it is not watched. Stays where it is as long as it is watched.
  [[nodiscard]] Domain* domain(const probes::dns::Name& name);
  [[nodiscard]] const Domain* domain(const probes::dns::Name& name) const;
  [[nodiscard]] Host* host(const probes::dns::Name& name);
  [[nodiscard]] const Host* host(const probes::dns::Name& name) const;
  [[nodiscard]] std::map<probes::dns::Name, Domain>& domains() { return domains_; }
  [[nodiscard]] const std::map<probes::dns::Name, Domain>& domains() const { return domains_; }
  [[nodiscard]] std::map<probes::dns::Name, Host>& hosts() { return hosts_; }
  [[nodiscard]] const std::map<probes::dns::Name, Host>& hosts() const { return hosts_; }

  // Whom a host of many users' news is about: in an order that no look decides.
  [[nodiscard]] static std::vector<Domain*> users_by_name(const Host& host);

  // The other hosts whose TLSA records are the same RRset.
  [[nodiscard]] std::vector<const Host*> sharing_owner_with(
      const probes::HostObservation& seen) const;

  // The MX RRset of every domain has been learned, so that all hosts are known.
  [[nodiscard]] bool knows_all_hosts() const { return unknown_domains_ == 0; }
  [[nodiscard]] bool has_seen_all_hosts() const { return unseen_hosts_ == 0; }
  // Every domain has been looked at since the start, whatever that taught.
  [[nodiscard]] bool has_seen_all_domains() const { return unseen_domains_ == 0; }

 private:
  void leave(Change& change, Domain& domain, const Use& use);
  void index_owner(const Host& host, const probes::HostSeen& seen, bool is_there);

  std::map<probes::dns::Name, Domain> domains_;
  std::map<probes::dns::Name, Host> hosts_;
  std::map<probes::dns::Name, std::set<probes::dns::Name>> by_owner_;  // of TLSA records: hosts
  std::size_t unknown_domains_ = 0, unseen_domains_ = 0, unseen_hosts_ = 0;
};

[[nodiscard]] probes::Subject subject_of_domain(const probes::dns::Name& name);
[[nodiscard]] probes::Subject subject_of_host(const probes::dns::Name& name);

// The watched domains that use the host, in the order of their names.
[[nodiscard]] std::vector<std::string> names_of_users(const Inventory::Host& host);

// The host's judgement for that domain. Null: not judged, or the host is none of its.
[[nodiscard]] std::shared_ptr<const probes::HostJudgement> judgement_of(
    const probes::dns::Name& host, const probes::DomainJudgement* judged);
// Of all users that were judged with the host any; for facts of the host alone.
[[nodiscard]] std::shared_ptr<const probes::HostJudgement> some_judgement_of(
    const Inventory::Host& host);
// For the user for which it is worst. Null: no user is judged yet.
[[nodiscard]] std::shared_ptr<const probes::HostJudgement> worst_judgement_of(
    const Inventory::Host& host);

}  // namespace agent

#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/alerts/exception_book.h"
#include "agent/alerts/ports.h"
#include "agent/self/sight.h"
#include "agent/senders/refusals.h"
#include "agent/watch/alarm.h"
#include "agent/watch/domain_judge.h"
#include "agent/watch/foresight.h"
#include "agent/watch/inventory.h"
#include "agent/watch/recollection.h"
#include "agent/watch/seeing.h"
#include "config/config.h"

namespace agent {

// Follows what was seen: takes it up into the inventory and the past, has it judged (DomainJudge),
// and has alerts open and end by it (Alarm). Every decision that the agent makes about others is
// made here, one at a time, in the time that is handed in; what it reads of the past comes from the
// recorder. It has no thread, no clock and no lock; who calls it holds one.
class Follower {
 public:
  // `restored`: what to go on with. `recorder` outlives the follower.
  // `config`: by whose schedule, and who is told, until others are adopted.
  Follower(Recorder& recorder, Recorder::RestoredState restored, const config::Config& config);
  Follower(const Follower&) = delete;  // its parts refer to each other
  Follower& operator=(const Follower&) = delete;

  // What a round led to beyond what it holds.
  struct Consequences {
    bool again = false;        // the target itself is to be probed again soon
    std::vector<Target> soon;  // so are these
    std::vector<Target> now;   // and these at once
    // Hosts of which a domain's look has changed whom their trouble hits. What their alerts say of
    // it is decided by looks at them: in time, and one for all domains of which it is learned by
    // then.
    std::vector<Target> spread;
    Inventory::Change change;               // targets that came and went
    const Inventory::Host* host = nullptr;  // that was followed; good until the next call
    std::vector<std::string> faults;        // what of the past could not be read, in words
    // Between two probes of this target, where that is not the schedule's.
    std::optional<config::Seconds> interval;
    // Of a fleet: the places from which the host is to be looked at at once, and when the one that
    // has just looked is to look again.
    std::set<std::string> awaited;
    std::optional<config::Seconds> next_from_there;
  };

  // Watches these domains, by this schedule, and tells these.
  Consequences adopt(Round& round, const config::Config& config);
  [[nodiscard]] bool is_watched(const Target& target) const;
  // What looks have seen. Whatever is not watched any more is passed over.
  Consequences follow(Round& round, const probes::DomainSeen& seen,
                      const std::vector<probes::dns::ZoneSerials>& serials, const Seeing& seeing);
  Consequences follow(Round& round, const probes::HostSeen& seen,
                      const std::vector<probes::dns::ZoneSerials>& serials, const Seeing& seeing);
  // The same of a host, of a look from any place of the fleet: what is followed is what counts
  // there (agent/hindsight/views.h), and the round has it.
  Consequences follow(Round& round, probes::Recorded look,
                      const std::vector<probes::dns::ZoneSerials>& serials, const Seeing& seeing);
  // Where other agents look from now.
  void set_places(std::set<std::string> others) { places_.others = std::move(others); }
  [[nodiscard]] const Places& places() const { return places_; }
  // The domain could not be looked at, for this fault of ours.
  void follow_blind(Round& round, const probes::dns::Name& domain, const SelfCheck& fault);
  // Our own checks. True when one of them is to be made again soon.
  bool follow(Round& round, const std::vector<SelfCheck>& checks);
  // The same of those of the way out and our welcome. When it has turned, all domains are judged
  // anew.
  Consequences follow_way_out(Round& round, const OwnSight::WayOut& way_out, const Seeing& seeing);

  // What senders report now, in place of what they did. The domains concerned are judged anew and
  // probed soon: a report alone neither opens nor ends an alert.
  Consequences take_reports(Round& round, ReportsBySubject reports, const Seeing& seeing);

  // Decides what people are told: of what the round changed, or of everything, for time alone may
  // be a reason.
  using Scope = Alarm::Scope;
  void tell(Round& round, Scope scope, const Seeing& seeing) { alarm_.tell(round, scope, seeing); }

  // People.
  AlertBook& book() { return alarm_.book(); }
  [[nodiscard]] const AlertBook& book() const { return alarm_.book(); }
  [[nodiscard]] config::Result<Exception, std::string> make_exception(Round& round,
                                                                      const std::string& domain);
  // Null, or why not.
  [[nodiscard]] std::optional<std::string> end_exception(Round& round, const std::string& domain,
                                                         const Seeing& seeing);
  [[nodiscard]] std::vector<Exception> exceptions() const { return exceptions_.all(); }
  // A certificate was issued. What it means for each host that it is for; those are to be probed at
  // once. One that is for nobody is forgotten, unless some hosts are not known yet.
  struct Announced {
    Foreseen foreseen;
    Consequences led_to;
  };
  // Such a certificate was held against the host's records as they were seen last: whoever looks at
  // the host now looks at the records first.
  [[nodiscard]] bool awaits_records(const probes::dns::Name& host) const;
  // They were looked at for that.
  void confirm_next_key(Round& round, probes::Recorded look, const Seeing& seeing);
  Announced announce(Round& round, AnnouncedCertificate announced, const Seeing& seeing);
  // Null, or why not. The hosts that have a certificate of the key are to be probed at once.
  [[nodiscard]] std::optional<std::string> set_not_for_mail(Round& round, const NotForMail& said);
  [[nodiscard]] std::optional<std::string> set_for_mail(Round& round, const std::string& key);
  [[nodiscard]] std::vector<Target> targets_of_key(const std::string& key) const;
  [[nodiscard]] const Announcements& announcements() const { return foresight_.announcements(); }
  // CAs told when certificates are to be renewed. Hosts of which that says anything new are judged
  // anew; those that are to renew at once are to be probed at once.
  Consequences take_renewals(Round& round, const std::vector<RenewalAdvice>& told,
                             const Seeing& seeing);
  [[nodiscard]] const RenewalBook& renewals() const { return foresight_.renewals(); }
  // The certificates that hosts present, each once; of partners' hosts only if asked for.
  [[nodiscard]] std::vector<Chain> chains_in_use(bool partners) const {
    return foresight_.chains_in_use(partners);
  }

  // Everything that is remembered with its time is restated.
  void restate(const ClockStep& step);
  // We look with other means from now on.
  void start_anew() { past_.forget_servers(); }
  // Which chains lead to CAs that the Web believes: only those teach from which keys CAs issue.
  void set_vouch(IssuerBook::Vouch vouch) { foresight_.set_vouch(std::move(vouch)); }

  [[nodiscard]] const Inventory& inventory() const { return inventory_; }

 private:
  using Domain = Inventory::Domain;
  using Host = Inventory::Host;

  void take_config(const config::Config& config);
  void let_go(Round& round, Consequences& out, Inventory::Change change);
  bool judge(Round& round, Domain& domain, const Seeing& seeing);
  void publish(Round& round, const Domain& domain) const;
  void follow_waiting(Round& round, Consequences& out, Domain& domain, const Seeing& seeing);
  std::shared_ptr<const Rollovers> follow_history(Round& round, Host& host,
                                                  const probes::HostObservation& seen);
  bool take_standing(Round& round, Host& host, std::shared_ptr<const Rollovers> rollovers);
  [[nodiscard]] std::optional<config::Seconds> interval_of(const Host& host, config::Time at) const;
  void notice(Round& round, Host& host, probes::Code code, const Seeing& seeing);

  Inventory inventory_;
  Recollection past_;
  ExceptionBook exceptions_;
  Foresight foresight_;
  DomainJudge judge_;
  Alarm alarm_;
  config::Schedule schedule_;
  Places places_;
  config::Seconds cross_check_{3600};
};

}  // namespace agent

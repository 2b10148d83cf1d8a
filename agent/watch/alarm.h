#pragma once

#include <set>
#include <string>
#include <vector>

#include "agent/alerts/alert_book.h"
#include "agent/alerts/evidence_book.h"
#include "agent/self/sight.h"
#include "agent/watch/foresight.h"
#include "agent/watch/inventory.h"
#include "agent/watch/seeing.h"
#include "config/config.h"

// PURE
namespace agent {

// What the judgements of those who are watched, and our own checks, mean for alerts: what opens,
// what goes on and what is over, and whom it hits. Every change is written into the round at hand.
class Alarm {
 public:
  using Domain = Inventory::Domain;
  using Host = Inventory::Host;

  // `inventory` and `foresight` outlive it. `alerts`, `silences`: as recorded.
  Alarm(Inventory& inventory, Foresight& foresight, std::vector<Alert> alerts,
        std::vector<Silence> silences);

  // Who is told, and of which lists of domains from elsewhere there are checks.
  void adopt(const config::Config& config);

  // What was judged of them last. True when they are to be probed again soon.
  bool follow_domain(Round& round, Domain& domain);
  bool follow_host(Round& round, Host& host, const Seeing& seeing);
  // Follows those among the domain and its hosts that could not be followed for want of a
  // judgement, which the domain has now: not an interval later. Those of them that are to be probed
  // again soon.
  [[nodiscard]] std::vector<Target> follow_waiting(Round& round, Domain& domain,
                                                   const Seeing& seeing);
  // Only what is found of that code at the host, which has been seen; no look was made, and nothing
  // else is said.
  void follow_only(Round& round, const Host& host, probes::Code code, const Seeing& seeing);
  // Our own checks. True when one of them is to be made again soon.
  bool follow_checks(Round& round, const std::vector<SelfCheck>& checks);
  // The same of those of the way out.
  void follow_way_out(Round& round, const OwnSight::WayOut& way_out);

  // Nobody watches the target any more.
  void drop(Round& round, const Target& target);
  // Ends what a restart or a change of configuration left without a target. A host is given up
  // when the MX records of all domains are known that used it.
  void abandon_orphans(Round& round);
  // The same of hosts that waited for that domain, whose MX records are known now.
  void abandon_orphans_of(Round& round, const probes::dns::Name& domain);

  // An alert of what is there now is open, high or worse: not of what is still to come, nor of
  // places only.
  [[nodiscard]] bool is_troubled(const Host& host) const;
  // An alert of the code is open at the host and waits to be confirmed.
  [[nodiscard]] bool is_waiting(const probes::dns::Name& host, probes::Code code) const;

  // Decides what people are told: of what the round changed, or of everything, for time alone may
  // be a reason. Keeps what was seen for alerts that opened.
  enum class Scope { changed, all };
  void tell(Round& round, Scope scope, const Seeing& seeing);

  void restate(const ClockStep& step) { book_.restate(step); }

  [[nodiscard]] AlertBook& book() { return book_; }
  [[nodiscard]] const AlertBook& book() const { return book_; }

 private:
  [[nodiscard]] Host* host_of(const probes::Subject& subject);
  [[nodiscard]] std::vector<Trouble> found_at(const Host& host) const;
  [[nodiscard]] std::vector<Trouble> troubles_at(const Host& host) const;
  void keep_unjudged(Trouble& trouble) const;
  [[nodiscard]] bool is_in_trouble(const Host& host, const AlertBook::Key& key) const;
  [[nodiscard]] bool is_seen_over(const Alert& alert, const Host& host,
                                  const probes::HostJudgement& judged);
  void follow_heirs(Round& round, const std::vector<AlertBook::Key>& led,
                    const probes::Subject& before, const Seeing& seeing);

  Inventory& inventory_;
  Foresight& foresight_;
  AlertBook book_;
  EvidenceBook evidence_;
  Audience audience_;
  std::set<std::string> lists_;  // of domains from elsewhere, by name
  // Hosts with alerts that no domain is known to use since the start, by those that did and whose
  // MX records are not known yet; and how many of these each has.
  std::map<probes::dns::Name, std::set<probes::Subject>> unplaced_;
  std::map<probes::Subject, std::size_t> waits_for_;
};

}  // namespace agent

#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/alerts/exception_book.h"
#include "agent/alerts/round.h"
#include "agent/hindsight/judge_with_history.h"
#include "agent/hindsight/mx_change.h"
#include "agent/senders/refusals.h"
#include "agent/watch/inventory.h"
#include "agent/watch/recollection.h"
#include "agent/watch/seeing.h"

namespace agent {

// Judges watched domains by what was seen last, with all that is known beside it: the past, what
// senders report, what was approved for partners. It has no thread, no clock and no lock; what it
// reads of the past comes from the recorder.
class DomainJudge {
 public:
  // All outlive it.
  DomainJudge(Inventory& inventory, Recollection& past, ExceptionBook& exceptions)
      : inventory_(inventory), past_(past), exceptions_(exceptions) {}

  void set_sender_classes(std::vector<std::string> classes) {
    sender_classes_ = std::move(classes);
  }
  // What senders report now; the subjects of which they reported anything else before.
  std::set<probes::Subject> set_reports(ReportsBySubject reports);
  // The domain's MX RRset has changed.
  void take_mx_change(const probes::dns::Name& domain, const MxChange& change) {
    mx_changes_.insert_or_assign(domain, change);
  }
  void forget(const probes::dns::Name& domain) { mx_changes_.erase(domain); }

  // False while not all of the domain's hosts have been seen: it keeps the judgement that it had.
  bool judge(Round& round, Inventory::Domain& domain, const Seeing& seeing);
  // The domain could not be looked at, for this fault of ours.
  static void judge_blind(Round& round, Inventory::Domain& domain, const SelfCheck& fault);

  void restate(const ClockStep& step);

 private:
  using Hosts = std::map<probes::dns::Name, probes::HostSeen>;
  [[nodiscard]] KnownBefore known_of(const Inventory::Domain& domain,
                                     const probes::DomainSeen& looked, const Hosts& hosts,
                                     config::Time at);
  void add_findings(Round& round, Inventory::Domain& domain, bool is_hidden,
                    probes::DomainJudgement& judged);
  void keep(Inventory::Domain& domain, probes::DomainJudgement judged);

  Inventory& inventory_;
  Recollection& past_;
  ExceptionBook& exceptions_;
  std::vector<std::string> sender_classes_;           // that the operator asks for
  std::map<probes::dns::Name, MxChange> mx_changes_;  // the last one
  ReportsBySubject reports_;                          // of senders
};

}  // namespace agent

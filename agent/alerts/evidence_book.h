#pragma once

#include <map>
#include <vector>

#include "agent/alerts/alert_book.h"
#include "agent/alerts/round.h"
#include "agent/hindsight/views.h"

// PURE
namespace agent {

// The last looks at what has trouble that is not confirmed yet, so that an alert that opens has all
// that it rests on.
class EvidenceBook {
 public:
  // To be called when alerts have been told. Keeps what was seen for those that the round opened or
  // made worse: its look, the looks before that are confirmed by it, and what other places saw of
  // the host (`views`).
  void keep(Round& round, const AlertBook& alerts, const Views& views);
  // Nobody asks about it any more.
  void drop(const Target& target) { unconfirmed_.erase(target); }

 private:
  std::map<Target, std::vector<probes::Recorded>> unconfirmed_;
};

}  // namespace agent

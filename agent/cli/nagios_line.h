#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "probes/judge.h"
#include "probes/status.h"

// PURE
namespace agent {

// The output of a Nagios plug-in: one line, whose first words say the worst. Of many domains only
// those are named that somebody must look at.
class NagiosLine {
 public:
  void add(const probes::DomainJudgement& judged);
  // Of one whose words are known: "example.org refused".
  void add(probes::Status status, std::string words);
  // The line with performance data of what was judged.
  [[nodiscard]] std::string text();
  // What stands before performance data.
  [[nodiscard]] std::string words();

 private:
  struct Domain {
    probes::Status status;
    std::string words;
  };
  std::vector<Domain> domains_;
  std::set<probes::dns::Name> hosts_;
  std::int64_t findings_ = 0;
};

}  // namespace agent

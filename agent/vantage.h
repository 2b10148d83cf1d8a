#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/time.h"
#include "probes/dns/lookup.h"

namespace agent {

// One sense of ours and whether it can be trusted: what we see of others means nothing while it
// fails.
struct VantageCheck {
  std::string check;  // "dns", "clock"
  bool is_up = true;
  std::optional<std::string> detail;  // why not, in words
  config::Time checked_at;
};

// Looks up the SOA record of the trust anchor's own zone: it must arrive, and must validate. A
// signature there that is out of its time says that our clock is wrong.
[[nodiscard]] std::vector<VantageCheck> check_vantage(probes::dns::Lookup& lookup,
                                                      const probes::dns::Name& anchor,
                                                      config::Time at, config::Deadline deadline);

// The first sense that fails; nothing when all are well.
[[nodiscard]] const VantageCheck* first_failing(const std::vector<VantageCheck>& checks);

}  // namespace agent

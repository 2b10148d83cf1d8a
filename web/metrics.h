#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "web/backend.h"

namespace web {

// What the snapshot does not know of the agent.
struct Vitals {
  Build build;
  std::vector<agent::NotifierHealth> notifiers;
  Reload reload;
  std::uint64_t storage_bytes = 0;
  std::map<std::string, std::int64_t> storage_rows;  // by table
  RequestStats::Answered requests;
  std::optional<agent::PostfixWatch::View> postfix;
  int streams = 0;  // of events, open
};

// The text that Prometheus scrapes (format 0.0.4), from one snapshot: a domain that is no longer
// watched leaves no series behind. Labels hold names only, printable and bounded; enumerations are
// spelled out in HELP. How far it goes into detail is the snapshot's metrics.detail.
[[nodiscard]] std::string metrics_text(const agent::Snapshot& snapshot, const Vitals& vitals);
// The same of an agent that stands by while another leads: of itself only, or alerts would come
// twice.
[[nodiscard]] std::string standby_metrics_text(const Build& build);
// How many series such a text has.
[[nodiscard]] std::size_t series_in(std::string_view text);

}  // namespace web

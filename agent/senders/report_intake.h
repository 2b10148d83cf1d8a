#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/senders/sender_sessions.h"

namespace agent {

// What became of one report.
struct TakenReport {
  std::string organization, report_id;  // empty: it could not be read
  std::size_t policies = 0;
  std::size_t skipped = 0;           // parts of it that were malformed
  bool is_new = false;               // false: taken before
  std::optional<std::string> fault;  // why it was not taken, in words
  bool is_ours = false;              // the fault: the store's, and another time it may be taken
};

// Reads reports from the octets of a file, a mail or a request (probes/reports/read_reports.h), and
// has the store take them. At least one, for octets without a report are a fault. A report of hours
// to come is refused: it would count as the newest until then. Any thread may call.
[[nodiscard]] std::vector<TakenReport> take_reports(SenderReportStore& store,
                                                    std::string_view octets, config::Time at);

// The same of a report that was read.
[[nodiscard]] TakenReport take_report(SenderReportStore& store,
                                      const probes::reports::TlsReport& report, config::Time at);

}  // namespace agent

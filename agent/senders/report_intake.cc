#include "agent/senders/report_intake.h"

#include <algorithm>
#include <utility>

#include "probes/reports/read_reports.h"

namespace agent {
namespace {

// Days end at other times elsewhere, and a sender's clock may be wrong.
constexpr config::Seconds kAhead = std::chrono::hours{26};
// Reports come within a day or two (RFC 8460 §4.1); who reads a mailbox anew has older ones.
constexpr config::Seconds kLongAgo = std::chrono::hours{24 * 366 * 2};

}  // namespace

TakenReport take_report(SenderReportStore& store, const probes::reports::TlsReport& report,
                        config::Time at) {
  TakenReport out{.organization = report.organization,
                  .report_id = report.report_id,
                  .policies = report.policies.size(),
                  .skipped = report.skipped};
  if (report.until > at + kAhead || report.from > at) {
    out.fault = "the report is of hours to come";
    return out;
  }
  if (report.from < at - kLongAgo) {
    out.fault = "the report is of hours long ago";
    return out;
  }
  // Of hours to come it says nothing: no later report would be newer.
  auto until_now = report;
  until_now.until = std::min(report.until, at);
  const auto taken = store.take(until_now, at);
  if (taken)
    out.is_new = *taken;
  else
    out.fault = taken.error();
  out.is_ours = !taken;
  return out;
}

std::vector<TakenReport> take_reports(SenderReportStore& store, std::string_view octets,
                                      config::Time at) {
  std::vector<TakenReport> out;
  const auto delivered = probes::reports::read_reports(octets);
  for (const auto& report : delivered.reports) out.push_back(take_report(store, report, at));
  for (const auto& fault : delivered.faults) {
    out.emplace_back();
    out.back().fault = fault;
  }
  return out;
}

}  // namespace agent

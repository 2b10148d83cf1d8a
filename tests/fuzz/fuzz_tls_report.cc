// Any octets are reports within their bounds, or faults with few words; as JSON, as gzip, and as a
// mail.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/name.h"
#include "probes/reports/read_reports.h"
#include "tests/fuzz/demand.h"

namespace {

using fuzz::demand;
using namespace probes::reports;

bool is_plain(std::string_view text, std::size_t most) {
  for (const char c : text) {
    if (c < 0x20 || c > 0x7e) return false;
  }
  return !text.empty() && text.size() <= most;
}

// The same in any script.
bool is_text(std::string_view text, std::size_t most) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return !text.empty() && text.size() <= most;
}

bool is_name(const std::string& name) {
  const auto normal = config::normal_domain(name);
  return normal && *normal == name;
}

void check(const TlsReport& report) {
  demand(is_text(report.organization, kMostName), "an organization is bounded and printable");
  demand(is_text(report.report_id, kMostName), "an id is bounded and printable");
  demand(report.from <= report.until && report.until - report.from <= kLongestReport,
         "dates are in order");
  demand(!report.policies.empty() && report.policies.size() <= kMostPolicies,
         "policies are bounded");
  std::size_t failures = 0;
  for (const auto& policy : report.policies) {
    demand(is_name(policy.domain), "a domain is a name in its one form");
    demand(policy.mx_hosts.size() <= kMostMxHosts, "hosts are bounded");
    demand(policy.successful <= kMostSessions && policy.failed <= kMostSessions,
           "sessions are bounded");
    failures += policy.failures.size();
    for (const auto& failure : policy.failures) {
      demand(is_text(failure.result_type, 128), "a result type is bounded and printable");
      demand(failure.mx_host.empty() || is_name(failure.mx_host), "a host is a name");
      demand(failure.sessions > 0 && failure.sessions <= policy.failed, "failures add up");
    }
  }
  demand(failures <= kMostFailures + report.policies.size(), "failures are bounded");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto delivered = read_reports(text);
  for (const auto& report : delivered.reports) check(report);
  for (const auto& fault : delivered.faults)
    demand(is_plain(fault, 200), "a fault has few printable words");
  demand(!delivered.reports.empty() || !delivered.faults.empty(), "nothing is passed over");
  if (const auto report = read_tls_report(text)) check(*report);
  return 0;
}

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"
#include "probes/reports/tlsrpt.h"

// Reports from what they came in: JSON, gzip of it, or a mail.
namespace probes::reports {

// What one file, mail or request held. A part that is no report is a fault, and hides no other.
struct Delivered {
  std::vector<TlsReport> reports;
  std::vector<std::string> faults;  // phrases that quote nothing of the octets
};

[[nodiscard]] Delivered read_reports(std::string_view octets);

// JSON or gzip of it, by its own first octets.
[[nodiscard]] config::Result<TlsReport, std::string> read_report(std::string_view octets);

}  // namespace probes::reports

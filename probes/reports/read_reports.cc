#include "probes/reports/read_reports.h"

#include <utility>

#include "probes/reports/gunzip.h"
#include "probes/reports/report_mail.h"

namespace probes::reports {

config::Result<TlsReport, std::string> read_report(std::string_view octets) {
  if (!is_gzip(octets)) return read_tls_report(octets);
  const auto json = gunzip(octets, kMostReport);
  if (!json) return config::Failure<std::string>(json.error());
  return read_tls_report(*json);
}

Delivered read_reports(std::string_view octets) {
  Delivered out;
  const auto take = [&](std::string_view one) {
    auto report = read_report(one);
    if (report)
      out.reports.push_back(*std::move(report));
    else
      out.faults.push_back(report.error());
  };
  if (is_gzip(octets) || !is_mail(octets)) {
    take(octets);
    return out;
  }
  const auto parts = parts_of_mail(octets);
  if (!parts) {
    out.faults.push_back(parts.error());
    return out;
  }
  for (const auto& part : *parts) {
    if (part.is_declared) take(part.octets);
  }
  const bool has_some = !out.reports.empty() || !out.faults.empty();
  const auto faults = out.faults;
  for (const auto& part : *parts) {
    if (!part.is_declared) take(part.octets);
  }
  // A signature or a picture beside a report is none.
  if (has_some || !out.reports.empty()) out.faults = faults;
  return out;
}

}  // namespace probes::reports

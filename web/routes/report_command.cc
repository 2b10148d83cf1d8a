#include "web/routes/report_command.h"

#include <ostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "probes/explain.h"
#include "web/routes/report_read.h"
#include "web/routes/report_render.h"

namespace web {
namespace {

using config::Failure;
using config::Result;
using config::Time;

constexpr int kNoneOfThem = 2, kBadUsage = 3;

Result<TimeSpan, std::string> span_of(const ReportFlags& flags, Time now) {
  const auto wrong = [](std::string_view flag, const std::string& text, std::string_view wanted) {
    return Failure<std::string>(fmt::format("{} {}: {}", flag, probes::printable(text), wanted));
  };
  TimeSpan out = month_before(now);
  if (!flags.month.empty()) {
    if (!flags.from.empty() || !flags.until.empty())
      return Failure<std::string>("give --month, or --from and --until");
    const auto month = month_of(flags.month);
    if (!month) return wrong("--month", flags.month, "write year and month, e.g. 2027-01");
    out = *month;
  }
  if (!flags.from.empty()) {
    const auto from = config::parse_rfc3339(flags.from);
    if (!from) return wrong("--from", flags.from, "write a time as 2027-01-15T08:00:00Z");
    out = {*from, now};
  } else if (!flags.until.empty()) {
    return Failure<std::string>("--until needs --from");
  }
  if (!flags.until.empty()) {
    const auto until = config::parse_rfc3339(flags.until);
    if (!until) return wrong("--until", flags.until, "write a time as 2027-01-15T08:00:00Z");
    out.until = *until;
  }
  if (out.from >= now) return Failure<std::string>("that time has not begun");
  if (out.until <= out.from) return Failure<std::string>("it ends before it begins");
  if (out.until - out.from > kLongestReport)
    return Failure<std::string>("a report is of 400 days at most");
  return out;
}

std::optional<std::string> if_given(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional{text};
}

}  // namespace

void add_report(CLI::App& app, ReportFlags& flags) {
  app.add_option("--config", flags.config_file, "configuration file, for storage.path");
  app.add_option("--month", flags.month, "YYYY-MM, in UTC; default: the last month that is over");
  app.add_option("--from", flags.from, "instead: from that time, e.g. 2027-01-15T08:00:00Z");
  app.add_option("--until", flags.until, "to that time; default: now");
  app.add_option("--group", flags.group, "only domains of this group");
  app.add_option("--role", flags.role, "only domains of this role")
      ->check(CLI::IsMember({"inbound", "outbound"}));
  app.add_option("--format", flags.format, "how it is printed")
      ->check(CLI::IsMember({"text", "csv", "html", "json"}));
}

int print_report(const config::Config& settings, const ReportFlags& flags, Time now,
                 std::ostream& out, std::ostream& errors) {
  const auto span = span_of(flags, now);
  if (!span) {
    errors << "danelaw report: " << span.error() << '\n';
    return kBadUsage;
  }
  auto queries = storage::Queries::open(settings.storage);
  if (!queries) {
    errors << "danelaw report: " << queries.error() << '\n';
    return kBadUsage;
  }
  const auto report = read_report(
      **queries, {.from = span->from,
                  .until = span->until,
                  .now = now,
                  .role = if_given(flags.role),
                  .group = if_given(flags.group),
                  .longest_silence = storage::longest_silence(settings.schedule.interval)});
  if (!report) {
    errors << "danelaw report: " << report.error() << '\n';
    return kBadUsage;
  }
  // A group that is misspelled would read as one to which nothing happened.
  if (!flags.group.empty() && report->domains.empty()) {
    errors << fmt::format("danelaw report: no {}domain was of the group {} then\n",
                          flags.role.empty() ? "" : flags.role + " ",
                          probes::printable(flags.group));
    return kNoneOfThem;
  }
  if (flags.format == "json") {
    out << report_json(*report).dump() << '\n';
  } else if (flags.format == "csv") {
    out << report_csv(*report);
  } else if (flags.format == "html") {
    out << report_html(*report);
  } else {
    out << report_text(*report);
  }
  out << std::flush;
  return 0;
}

}  // namespace web

#include <array>

#include "web/routes/api.h"
#include "web/routes/parts.h"
#include "web/routes/query.h"
#include "web/routes/report_read.h"
#include "web/routes/report_render.h"

namespace web {
namespace {

std::optional<std::string> format_from(const std::string& word) {
  constexpr std::array<std::string_view, 4> kFormats{"json", "csv", "html", "text"};
  return std::ranges::find(kFormats, word) == kFormats.end() ? std::nullopt : std::optional{word};
}

std::optional<std::string> role_word(const std::string& word) {
  return role_from(word) ? std::optional{word} : std::nullopt;
}

Reply in_format(const Report& report, const std::string& format) {
  if (format == "csv") {
    Reply out{.content_type = "text/csv; charset=utf-8; header=present",
              .body = report_csv(report)};
    out.headers["Content-Disposition"] = "attachment; filename=\"report.csv\"";
    return out;
  }
  if (format == "text") return text(report_text(report));
  if (format == "html") {
    Reply out{.content_type = "text/html; charset=utf-8", .body = report_html(report)};
    // Its style stands within; nothing else is allowed, and no script at all.
    out.headers["Content-Security-Policy"] =
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'";
    return out;
  }
  return json(report_json(report));
}

}  // namespace

// As `danelaw report`.
Reply Api::report(const Call& call) const {
  Query query(call.request);
  const auto month = query.word("month", month_of);
  const auto from = query.moment("from"), until = query.moment("until");
  const auto role = query.word("role", role_word);
  const auto group = query.text("group");
  const auto format = query.word("format", format_from).value_or("json");
  if (auto fault = query.fault()) return *std::move(fault);
  const auto snapshot = backend_.snapshot();
  const auto now = snapshot->now;
  auto span = month.value_or(month_before(now));
  if (from) span = {*from, until.value_or(now)};
  if ((month && from) || (until && !from) || span.until <= span.from || span.from >= now ||
      span.until - span.from > kLongestReport) {
    return problem(400, "bad time",
                   "give month (YYYY-MM), or from and until: of 400 days at most, begun already");
  }
  std::function<bool(const std::string&)> is_theirs;
  if (view_) is_theirs = [&](const std::string& one) { return view_->theirs().has_domain(one); };
  const auto report =
      read_report(*backend_.queries,
                  {.from = span.from,
                   .until = span.until,
                   .now = now,
                   .role = role,
                   .group = group,
                   .has_domain = is_theirs,
                   .longest_silence = storage::longest_silence(snapshot->schedule.interval)});
  return report ? in_format(*report, format) : storage_failed(report.error());
}

}  // namespace web

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/result.h"
#include "storage/queries.h"
#include "web/routes/report.h"

namespace web {

struct ReportWish {
  config::Time from, until, now;
  std::optional<std::string> role, group;
  std::function<bool(const std::string& domain)> has_domain = {};  // null: all
  config::Seconds longest_silence{0};                              // as SpanQuery's
};

// From storage, whether the agent runs or not: as many rows as changed in that time. The error is
// that of the database, in words.
[[nodiscard]] config::Result<Report, std::string> read_report(storage::Queries& queries,
                                                              const ReportWish& wish);

// A calendar month in UTC, from its beginning to that of the next: "2027-01".
struct TimeSpan {
  config::Time from, until;
};
[[nodiscard]] std::optional<TimeSpan> month_of(std::string_view text);
// The last one that is over at that time.
[[nodiscard]] TimeSpan month_before(config::Time now);
// More than this is not asked of storage at once.
inline constexpr config::Seconds kLongestReport = std::chrono::hours{24 * 400};

}  // namespace web

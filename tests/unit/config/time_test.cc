#include "config/time.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace config {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::sys_days;

struct MomentRow {
  std::string_view says;
  Time time;
  std::string_view text;
};

const MomentRow moments[] = {
    {"the epoch", Time{0s}, "1970-01-01T00:00:00Z"},
    {"before the epoch", Time{-1s}, "1969-12-31T23:59:59Z"},
    {"every field padded", Time{sys_days{2026y / 1 / 2} + 3h + 4min + 5s}, "2026-01-02T03:04:05Z"},
    {"a leap day", Time{sys_days{2024y / 2 / 29}}, "2024-02-29T00:00:00Z"},
    {"past 2038", Time{sys_days{2106y / 2 / 7}}, "2106-02-07T00:00:00Z"},
    {"the first moment RFC 3339 can say", Time{sys_days{0y / 1 / 1}}, "0000-01-01T00:00:00Z"},
    {"the last one", Time{sys_days{10000y / 1 / 1} - 1s}, "9999-12-31T23:59:59Z"},
};

TEST(Rfc3339, WritesAndReadsTheSame) {
  for (const auto& row : moments) {
    SCOPED_TRACE(row.says);
    EXPECT_EQ(rfc3339(row.time), row.text);
    EXPECT_EQ(parse_rfc3339(row.text), row.time);
  }
}

TEST(Rfc3339, WritesTheNearestMomentItCanSay) {
  EXPECT_EQ(rfc3339(Time{Seconds{std::numeric_limits<std::int64_t>::max()}}),
            "9999-12-31T23:59:59Z");
  EXPECT_EQ(rfc3339(Time{Seconds{std::numeric_limits<std::int64_t>::min()}}),
            "0000-01-01T00:00:00Z");
}

struct RefusedRow {
  std::string_view says;
  std::string_view text;
};

const RefusedRow refused_moments[] = {
    {"empty", ""},
    {"a date alone", "2026-01-02"},
    {"lower case", "2026-01-02t03:04:05z"},
    {"an offset", "2026-01-02T03:04:05+00:00"},
    {"a fraction", "2026-01-02T03:04:05.5Z"},
    {"something behind", "2026-01-02T03:04:05ZZ"},
    {"a space before", " 2026-01-02T03:04:05Z"},
    {"signs for digits", "2026-01-02T+3:04:05Z"},
    {"month 0", "2026-00-02T03:04:05Z"},
    {"month 13", "2026-13-02T03:04:05Z"},
    {"no leap year", "2026-02-29T03:04:05Z"},
    {"hour 24", "2026-01-02T24:00:00Z"},
    {"minute 60", "2026-01-02T03:60:05Z"},
    {"a leap second, which sys_seconds cannot hold", "2016-12-31T23:59:60Z"},
};

TEST(Rfc3339, ReadsNoOtherForm) {
  for (const auto& row : refused_moments) {
    EXPECT_EQ(parse_rfc3339(row.text), std::nullopt) << row.says;
  }
}

struct DurationRow {
  std::string_view says;
  std::string_view text;
  std::optional<Seconds> want;
};

const DurationRow durations[] = {
    {"seconds", "90s", 90s},
    {"minutes", "15m", 15min},
    {"hours", "2h", 2h},
    {"days", "14d", days{14}},
    {"nothing at all is a duration", "0s", 0s},
    {"ten years", "3650d", days{3650}},
    {"more than ten years", "3653d", std::nullopt},
    {"more than fits in 64 bits", "99999999999999999999s", std::nullopt},
    {"what would overflow when multiplied", "9223372036854775807d", std::nullopt},
    {"empty", "", std::nullopt},
    {"a unit without a number", "s", std::nullopt},
    {"a number without a unit", "90", std::nullopt},
    {"a sign", "-1s", std::nullopt},
    {"a plus", "+1s", std::nullopt},
    {"a space", "1 s", std::nullopt},
    {"two units", "1h30m", std::nullopt},
    {"a fraction", "1.5h", std::nullopt},
    {"weeks", "1w", std::nullopt},
    {"milliseconds", "10ms", std::nullopt},
    {"capitals", "1H", std::nullopt},
};

TEST(Duration, IsOneWholeNumberAndOneUnit) {
  for (const auto& row : durations) EXPECT_EQ(parse_duration(row.text), row.want) << row.says;
}

}  // namespace
}  // namespace config

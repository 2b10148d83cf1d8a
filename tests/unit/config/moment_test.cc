#include "config/moment.h"

#include <gtest/gtest.h>

namespace config {
namespace {

TEST(Moment, IsReadAsOthersWriteIt) {
  const auto want = parse_rfc3339("2026-11-27T00:00:00Z");
  for (const auto* text :
       {"2026-11-27T00:00:00Z", "2026-11-27t00:00:00z", "2026-11-27 00:00:00",
        "2026-11-27T00:00:00.123456789Z", "2026-11-27T00:00:00+00:00", "2026-11-27T01:30:00+0130",
        "2026-11-26T22:00:00-02", "2026-11-27 00:00:00 UTC", "2026-11-27T00:00:00.5 +00:00"})
    EXPECT_EQ(parse_moment(text), want) << text;
  EXPECT_EQ(parse_moment("2026-11-26T23:59:60Z"), parse_rfc3339("2026-11-26T23:59:59Z"));
  for (const auto* text :
       {"", "2026-11-27", "2026-11-31T00:00:00Z", "2026-11-27T00:00:00Zx", "2026-11-27T00:00:00.Z",
        "2026-11-27T00:00:00+24:00", "2026-11-27T00:00:00+0:00", "2026-11-27T00:00:00+-100",
        "2026-11-27T00:00:00+00:60", "2026-11-27T24:00:00Z"})
    EXPECT_EQ(parse_moment(text), std::nullopt) << text;
}

}  // namespace
}  // namespace config

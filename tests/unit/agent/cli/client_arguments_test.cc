#include "agent/cli/client_arguments.h"

#include <gtest/gtest.h>

namespace {

using namespace agent;
using Json = nlohmann::ordered_json;
using namespace std::chrono_literals;

struct MatcherRow {
  std::string text, name, value;
  bool is_regex, is_equal;
};

TEST(ClientArguments, ReadsTheFourKindsOfMatchers) {
  for (const auto& row : {
           MatcherRow{"domain=example.org", "domain", "example.org", false, true},
           MatcherRow{"domain!=example.org", "domain", "example.org", false, false},
           MatcherRow{"domain=~.*[.]org", "domain", ".*[.]org", true, true},
           MatcherRow{"domain!~.*[.]org", "domain", ".*[.]org", true, false},
           // What stands behind the first sign is the value, whatever it holds.
           MatcherRow{"group==~", "group", "=~", false, true},
           MatcherRow{"group!==", "group", "=", false, false},
           MatcherRow{"group=", "group", "", false, true},
           MatcherRow{"mx=~", "mx", "", true, true},
       }) {
    const auto read = parse_matcher(row.text);
    ASSERT_TRUE(read) << row.text << ": " << read.error();
    EXPECT_EQ(*read, Json({{"name", row.name},
                           {"value", row.value},
                           {"is_regex", row.is_regex},
                           {"is_equal", row.is_equal}}))
        << row.text;
    EXPECT_EQ(matcher_text(*read), row.text);
  }
}

TEST(ClientArguments, RefusesWhatIsNoMatcher) {
  for (const auto* text :
       {"", "domain", "=x", "!=x", "~x", "domain~x", "domain!x", "a b=c", "!~x", "\x1b[31m=x"}) {
    const auto read = parse_matcher(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().find('\x1b'), std::string::npos) << text;
  }
}

TEST(ClientArguments, ReadsMomentsAndDurations) {
  const config::Time now{1'800'000'000s};
  EXPECT_EQ(parse_until("2h", now), now + 2h);
  EXPECT_EQ(parse_until("2027-01-15T08:00:00Z", now), now);
  for (const auto* text : {"", "tomorrow", "2", "-2h", "2027-01-15"})
    EXPECT_FALSE(parse_until(text, now)) << text;
}

TEST(ClientArguments, ShowsMatchersOfOtherShapes) {
  EXPECT_EQ(matcher_text(Json{{"name", "a"}, {"value", "b"}}), "a=b");
  EXPECT_EQ(matcher_text(Json{{"name", 1}, {"is_regex", "x"}}), "=");
  EXPECT_EQ(matcher_text(Json(nullptr)), "=");
}

}  // namespace

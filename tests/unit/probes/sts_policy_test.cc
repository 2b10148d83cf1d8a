#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/sts/policy.h"

namespace probes::sts {

// For messages of failing tests.
inline void PrintTo(const Policy& policy, std::ostream* out) {
  *out << wire_name(policy.mode) << " max_age " << policy.max_age.count();
  for (const auto& mx : policy.mx) *out << " mx " << mx;
}

namespace {

using config::Seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kGood =
    "version: STSv1\nmode: enforce\nmx: mx.example.org\nmax_age: 86400\n";

std::string replaced(std::string_view what, std::string_view with) {
  std::string file{kGood};
  file.replace(file.find(what), what.size(), with);
  return file;
}

TEST(PolicyFile, IsReadInAllItsForms) {
  const Policy good{.mode = Mode::enforce, .mx = {"mx.example.org"}, .max_age = Seconds{86400}};
  struct Row {
    std::string_view says;
    std::string file;
    Policy want;
  };
  const Row rows[] = {
      {"LF", std::string{kGood}, good},
      {"CR LF", "version: STSv1\r\nmode: enforce\r\nmx: mx.example.org\r\nmax_age: 86400\r\n",
       good},
      {"line ends of both kinds",
       "version: STSv1\nmode: enforce\r\nmx: mx.example.org\nmax_age: 86400\r\n", good},
      {"no line end at the end", std::string{kGood.substr(0, kGood.size() - 1)}, good},
      {"blank lines at the end", std::string{kGood} + "\n \t\r\n\n", good},
      {"any order", "max_age: 86400\nmx: mx.example.org\nmode: enforce\nversion: STSv1\n", good},
      {"no blank behind the colon",
       "version:STSv1\nmode:enforce\nmx:mx.example.org\nmax_age:86400\n", good},
      {"many blanks behind the colon and at line ends",
       "version:  \tSTSv1 \t\nmode:   enforce  \nmx: mx.example.org\t\nmax_age: 86400 \r\n", good},
      {"unknown fields are ignored",
       std::string{kGood} + "x-a.b_c: anything: \xc3\xa4 at all\nMode: none\n", good},
      {"host names have no case", replaced("mx.example.org", "MX.Example.ORG"), good},
      {"mode testing",
       replaced("enforce", "testing"),
       {.mode = Mode::testing, .mx = {"mx.example.org"}, .max_age = Seconds{86400}}},
      {"mode none",
       replaced("enforce", "none"),
       {.mode = Mode::none, .mx = {"mx.example.org"}, .max_age = Seconds{86400}}},
      {"mode none without mx, RFC 8461 §3.2",
       "version: STSv1\nmode: none\nmax_age: 86400\n",
       {.mode = Mode::none, .mx = {}, .max_age = Seconds{86400}}},
      {"the example of RFC 8461 §3.2",
       "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\n"
       "mx: backupmx.example.com\nmax_age: 604800\n",
       {.mode = Mode::enforce,
        .mx = {"mail.example.com", "*.example.net", "backupmx.example.com"},
        .max_age = Seconds{604800}}},
      {"the same mx twice is one", std::string{kGood} + "mx: MX.example.org\n", good},
      {"of a field given twice the first counts, RFC 8461 §3.2",
       std::string{kGood} + "mode: none\nmax_age: 1\nversion: STSv2\nmode: -\nmax_age: -\n", good},
      {"the least max_age",
       replaced("86400", "0"),
       {.mode = Mode::enforce, .mx = {"mx.example.org"}, .max_age = Seconds{0}}},
      {"the greatest max_age",
       replaced("86400", "31557600"),
       {.mode = Mode::enforce, .mx = {"mx.example.org"}, .max_age = Seconds{31'557'600}}},
      {"leading zeros", replaced("86400", "0000086400"), good},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto policy = parse_policy(row.file);
    ASSERT_TRUE(policy) << policy.error().line << ": " << policy.error().words;
    EXPECT_EQ(*policy, row.want);
  }
}

TEST(PolicyFile, ThatIsNotInOrderIsRefusedWithTheLineAndTheReason) {
  struct Row {
    std::string_view says;
    std::string file;
    std::size_t line;
    std::string_view words;
  };
  const Row rows[] = {
      {"an empty file", "", 0, "no version"},
      {"a file of blanks", " \r\n\t\n", 0, "no version"},
      {"no version", replaced("version: STSv1\n", ""), 0, "no version"},
      {"no mode", replaced("mode: enforce\n", ""), 0, "no mode"},
      {"no max_age", replaced("max_age: 86400\n", ""), 0, "no max_age"},
      {"no mx, mode enforce", replaced("mx: mx.example.org\n", ""), 0, "no mx"},
      {"no mx, mode testing", "version: STSv1\nmode: testing\nmax_age: 1\n", 0, "no mx"},
      {"another version", replaced("STSv1", "STSv2"), 1, "version is not STSv1"},
      {"values have case", replaced("STSv1", "stsv1"), 1, "version is not STSv1"},
      {"a mode of the drafts", replaced("enforce", "report"), 2, "mode is not"},
      {"a mode in capitals", replaced("enforce", "ENFORCE"), 2, "mode is not"},
      {"field names have case", replaced("mode:", "Mode:"), 0, "no mode"},
      {"a max_age over a year", replaced("86400", "31557601"), 4, "max_age is not"},
      {"a max_age of eleven digits", replaced("86400", "00000086400"), 4, "max_age is not"},
      {"a max_age that would overflow", replaced("86400", "9999999999"), 4, "max_age is not"},
      {"a negative max_age", replaced("86400", "-1"), 4, "max_age is not"},
      {"a max_age with a unit", replaced("86400", "1d"), 4, "max_age is not"},
      {"a max_age with a fraction", replaced("86400", "1.5"), 4, "max_age is not"},
      {"an mx without a value", replaced("mx.example.org", ""), 3, "no value for \"mx\""},
      {"two host names", replaced("mx.example.org", "a.example.org b.example.org"), 3, "mx is no"},
      {"host names with a comma", replaced("mx.example.org", "a.example.org,b.example.org"), 3,
       "mx is no"},
      {"a dot at the end", replaced("mx.example.org", "mx.example.org."), 3, "mx is no"},
      {"a dot at the begin, as the drafts had", replaced("mx.example.org", ".example.org"), 3,
       "mx is no"},
      {"a wildcard alone", replaced("mx.example.org", "*"), 3, "mx is no"},
      {"a wildcard of nothing", replaced("mx.example.org", "*."), 3, "mx is no"},
      {"a wildcard in the middle", replaced("mx.example.org", "mx.*.org"), 3, "mx is no"},
      {"a wildcard twice", replaced("mx.example.org", "*.*.example.org"), 3, "mx is no"},
      {"part of a label as wildcard", replaced("mx.example.org", "mx*.example.org"), 3, "mx is no"},
      {"an underscore", replaced("mx.example.org", "_mx.example.org"), 3, "mx is no"},
      {"a hyphen at the begin of a label", replaced("mx.example.org", "-mx.example.org"), 3,
       "mx is no"},
      {"a hyphen at the end of a label", replaced("mx.example.org", "mx-.example.org"), 3,
       "mx is no"},
      {"an IDN that is no A-label", replaced("mx.example.org", "mx.m\xc3\xbcller.example"), 3,
       "mx is no"},
      {"a label of 64 octets", replaced("mx.example.org", std::string(64, 'a') + ".example"), 3,
       "mx is no"},
      {"an address", replaced("mx.example.org", "[192.0.2.1]"), 3, "mx is no"},
      {"an empty line in the middle", replaced("mx:", "\nmx:"), 3, "an empty line"},
      {"a blank line in the middle", replaced("mx:", " \r\nmx:"), 3, "an empty line"},
      {"an empty line at the begin", "\n" + std::string{kGood}, 1, "an empty line"},
      {"a line without a colon", std::string{kGood} + "hello\n", 5, "no \":\" in \"hello\""},
      {"a blank before the colon", replaced("mode:", "mode :"), 2, "no field name"},
      {"a blank at a line's begin", replaced("mode:", " mode:"), 2, "no field name"},
      {"an unknown field without a name", std::string{kGood} + ": x\n", 5, "no field name"},
      {"an unknown field without a value", std::string{kGood} + "x:\n", 5, "no value for \"x\""},
      {"an unknown field with a name too long", std::string{kGood} + std::string(33, 'x') + ": y\n",
       5, "no field name"},
      {"a byte order mark", "\xef\xbb\xbf" + std::string{kGood}, 1, "no field name"},
      {"a Web page", "<!DOCTYPE html>\n<html></html>\n", 1, "no \":\""},
      {"a bare CR", "version: STSv1\rmode: enforce\r", 1, "a control character"},
      {"a NUL", replaced("enforce", std::string_view{"enforce\0", 8}), 2, "a control character"},
      {"an escape sequence", std::string{kGood} + "x: \x1b[31m\n", 5, "a control character"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto policy = parse_policy(row.file);
    ASSERT_FALSE(policy);
    EXPECT_EQ(policy.error().line, row.line);
    EXPECT_THAT(policy.error().words, HasSubstr(row.words));
  }
}

TEST(PolicyFile, OfTheGreatestSizeIsReadAndNoneAbove) {
  std::string file{kGood};
  file += "x: ";
  file += std::string(kMaxPolicy - file.size(), 'y');
  ASSERT_THAT(file, SizeIs(65'536));
  EXPECT_TRUE(parse_policy(file));
  const auto above = parse_policy(file + "y");
  ASSERT_FALSE(above);
  EXPECT_EQ(above.error().words, "larger than 64 KiB");
}

TEST(PolicyFile, HasABoundedNumberOfPatterns) {
  std::string file = "version: STSv1\nmode: enforce\nmax_age: 1\n";
  for (std::size_t i = 0; i < kMaxPatterns; ++i) file += "mx: m" + std::to_string(i) + ".example\n";
  const auto most = parse_policy(file);
  ASSERT_TRUE(most) << most.error().words;
  EXPECT_THAT(most->mx, SizeIs(kMaxPatterns));
  EXPECT_TRUE(parse_policy(file + "mx: m0.example\n")) << "one of them again is no further one";
  const auto above = parse_policy(file + "mx: one-more.example\n");
  ASSERT_FALSE(above);
  EXPECT_EQ(above.error().words, "more than 1000 mx");
}

TEST(PolicyFile, IsQuotedOnlyInPart) {
  const auto policy = parse_policy("version: " + std::string(60'000, 'x'));
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().words, "version is not STSv1 but \"" + std::string(64, 'x') + '"');
}

TEST(PolicyFile, TakesNamesAsLongAsDnsHasThem) {
  std::string name;
  for (int i = 0; i < 3; ++i) name += std::string(63, 'a') + '.';
  name += std::string(61, 'b');  // 253 octets
  EXPECT_TRUE(parse_policy(replaced("mx.example.org", name)));
  EXPECT_FALSE(parse_policy(replaced("mx.example.org", name + "b")));
}

TEST(PolicyMatch, IsOfTheSameNameOrOfOneLabelForTheWildcard) {
  struct Row {
    std::string_view says, pattern, host;
    bool want;
  };
  const Row rows[] = {
      {"the same", "mx.example.org", "mx.example.org", true},
      {"letters have no case", "mx.Example.org", "MX.example.ORG", true},
      {"another", "mx.example.org", "mx2.example.org", false},
      {"below a name", "example.org", "mx.example.org", false},
      {"above a name", "mx.example.org", "example.org", false},
      {"the end of a label", "x.example.org", "mx.example.org", false},
      {"one label for the wildcard, RFC 8461 §4.1", "*.example.org", "mx.example.org", true},
      {"no case there either", "*.EXAMPLE.org", "mx.example.ORG", true},
      {"no label for the wildcard", "*.example.org", "example.org", false},
      {"two labels for the wildcard", "*.example.org", "a.mx.example.org", false},
      {"an empty label for the wildcard", "*.example.org", ".example.org", false},
      {"the wildcard of another", "*.example.org", "mx.example.net", false},
      {"a longer end than the wildcard's", "*.example.org", "mx.example.org.net", false},
      {"a host of one label", "*.org", "org", false},
      {"a pattern of one label", "localhost", "localhost", true},
      {"no host", "*.example.org", "", false},
      {"no host and no pattern", "", "", false},
      {"a host that looks like the pattern", "*.example.org", "*.example.org", true},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(matches(row.pattern, row.host), row.want)
        << row.says << ": " << row.pattern << " and " << row.host;
  }
}

TEST(PolicyMatch, M06AHostOutsideAllPatternsIsNotAllowed) {
  const Policy policy{.mode = Mode::enforce, .mx = {"mx1.example.org", "*.example.net"}};
  EXPECT_TRUE(allows(policy, "mx1.example.org"));
  EXPECT_TRUE(allows(policy, "b.example.net"));
  EXPECT_FALSE(allows(policy, "mx2.example.org"));
  EXPECT_FALSE(allows(Policy{.mode = Mode::none}, "mx1.example.org"));
}

}  // namespace
}  // namespace probes::sts

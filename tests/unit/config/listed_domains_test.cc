#include "config/listed_domains.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> names_in(std::string_view body) {
  const auto read = parse_listed_domains(body);
  if (!read) {
    ADD_FAILURE() << read.error();
    return {};
  }
  std::vector<std::string> out;
  for (const auto& one : *read) out.push_back(one.name);
  return out;
}

std::string fault_of(std::string_view body) {
  const auto read = parse_listed_domains(body);
  return read ? "" : read.error();
}

// ---- lines

TEST(DomainLines, PassOverBlanksAndComments) {
  const auto lines = parse_domain_lines(
      "\xef\xbb\xbf"
      "a.test\r\n\n  # none\n\tB.test. # ours\na.test");
  EXPECT_THAT(lines.names, ElementsAre("a.test", "b.test", "a.test"));
  EXPECT_THAT(lines.faults, IsEmpty());
}

TEST(DomainLines, SayWhereSomethingElseStands) {
  const auto lines = parse_domain_lines("a.test\n  b test\n");
  ASSERT_THAT(lines.faults, SizeIs(1));
  EXPECT_EQ(lines.faults[0].line, 2);
  EXPECT_EQ(lines.faults[0].column, 3);
  EXPECT_EQ(lines.faults[0].text, "b test");
  EXPECT_THAT(lines.names, ElementsAre("a.test"));
}

TEST(DomainLines, NameAThousandFaultsAtMost) {
  std::string text;
  for (int i = 0; i < 1100; ++i) text += "?\n";
  EXPECT_THAT(parse_domain_lines(text).faults, SizeIs(1000));
}

// ---- what a URL gives

TEST(ListedDomains, AreLinesAsInAFile) {
  EXPECT_THAT(names_in("b.test\nA.test # x\nb.test\n"), ElementsAre("b.test", "a.test"));
}

TEST(ListedDomains, AreJsonAsPrometheusReadsIt) {
  const auto read = parse_listed_domains(R"(
    [{"targets": ["a.test", "B.test."], "labels": {"role": "inbound", "group": "ours", "x": "y"}},
     {"targets": ["b.test", "c.test"]}, {"labels": {}, "targets": []}])");
  ASSERT_TRUE(read) << read.error();
  EXPECT_THAT(*read,
              ElementsAre(ListedDomain{.name = "a.test", .role = Role::inbound, .group = "ours"},
                          ListedDomain{.name = "b.test", .role = Role::inbound, .group = "ours"},
                          ListedDomain{.name = "c.test", .role = {}, .group = {}}))
      << "the first of two that are the same stands";
}

TEST(ListedDomains, MayBeNoneWhereTheBodySaysSo) {
  EXPECT_THAT(names_in("[]"), IsEmpty());
  EXPECT_THAT(names_in(" [ ]\n"), IsEmpty());
}

TEST(ListedDomains, AreNotABodyThatIsNoList) {
  struct Row {
    std::string says;
    std::string body;
    std::string want;
  };
  const Row rows[] = {
      {"nothing came", "", "names no domain"},
      {"nothing but a comment", "# nothing\n", "names no domain"},
      {"a page", "<html>\n", "line 1: \"<html>\""},
      {"an object", R"({"targets": ["a.test"]})", "JSON, but no list"},
      {"half of it", R"([{"targets": ["a.test")", "not JSON"},
      {"a list of names", R"(["a.test"])", "entry 1: it is no object"},
      {"no targets", R"([{"targets": []}, {"labels": {}}])", "entry 2: it has no list of"},
      {"a target that is a number", R"([{"targets": [1]}])", "a target is no text"},
      {"a target that is an address", R"([{"targets": ["192.0.2.1:25"]}])", "\"192.0.2.1:25\""},
      {"one bad name among good ones", "a.test\nb_.test.\n-.x\n", "line 3: \"-.x\""},
      {"a role that is none", R"([{"targets": [], "labels": {"role": "both"}}])", "\"role\""},
      {"a group that is a list", R"([{"targets": [], "labels": {"group": []}}])", "\"group\""},
      {"a group with a line end", R"([{"targets": [], "labels": {"group": "a\nb"}}])", "\"group\""},
      {"labels that are a list", R"([{"targets": [], "labels": []}])", "\"labels\""},
      {"too deep", std::string(20, '['), "nested too deeply"},
  };
  for (const auto& row : rows) EXPECT_THAT(fault_of(row.body), HasSubstr(row.want)) << row.says;
  EXPECT_THAT(fault_of(std::string(kLargestList + 1, '\n')), HasSubstr("larger than 16 MiB"));
}

TEST(ListedDomains, AreQuotedAsTheyCame) {
  EXPECT_THAT(fault_of("a\\b.test\n"), HasSubstr(R"("a\b.test")")) << "escaped where it is shown";
  EXPECT_THAT(fault_of(std::string(100, 'a') + "é\n"), HasSubstr(std::string(60, 'a') + "…\""));
}

}  // namespace
}  // namespace config

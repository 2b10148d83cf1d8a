#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/codec/recorded.h"
#include "probes/dns/validate.h"
#include "probes/evidence.h"
#include "tests/support/source_dir.h"

// Recorded observations are read, judged and verified again: tests/recorded.
namespace {

using namespace probes;

const std::filesystem::path kFolder = support::source_dir() / "tests/recorded";

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// file → "verdict<TAB>findings"
std::map<std::string, std::string> expected() {
  std::istringstream lines(content_of(kFolder / "expected.tsv"));
  std::map<std::string, std::string> out;
  for (std::string line; std::getline(lines, line);) {
    const auto tab = line.find('\t');
    if (tab != std::string::npos) out[line.substr(0, tab)] = line.substr(tab + 1);
  }
  return out;
}

std::string said_of(const Recorded& recorded, const Argument& argument) {
  std::set<std::string> codes;
  for (const auto& finding : argument.judged.findings)
    codes.insert(fmt::format("{}/{}", wire_name(finding.code), wire_name(finding.severity)));
  const auto verdict = recorded.host && !argument.judged.hosts.empty()
                           ? argument.judged.hosts.front().verdict
                           : argument.judged.verdict;
  return fmt::format("{}\t{}", wire_name(verdict), fmt::join(codes, " "));
}

TEST(RecordedCorpus, IsJudgedAsItWas) {
  const auto anchors = dns::parse_trust_anchors(content_of(kFolder / "root.key"));
  ASSERT_TRUE(anchors) << anchors.error();
  const auto wanted = expected();
  std::map<std::string, std::string> said;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".cbor") continue;
    const auto name = entry.path().filename().string();
    const auto text = content_of(entry.path());
    const dns::Bytes octets(text.begin(), text.end());
    const auto recorded = decode(octets);
    ASSERT_TRUE(recorded) << name << ": " << recorded.error();
    EXPECT_EQ(encode(*recorded), octets) << name;
    const auto argument = verify(*recorded, *anchors);
    for (const auto& step : argument.steps) {
      EXPECT_NE(step.standing, Standing::refuted) << name << ": " << step.what;
      // As people read it, postmasters among them: no address in hexadecimal, no reason left out.
      EXPECT_THAT(step.what, testing::Not(testing::ContainsRegex("AAAA of [^:]*: [0-9a-f]{32}")));
      EXPECT_THAT(step.what, testing::Not(testing::EndsWith(": ")));
      EXPECT_THAT(step.what, testing::Not(testing::HasSubstr("ended at starttls")));
    }
    said[name] = said_of(*recorded, argument);
  }
  EXPECT_GE(said.size(), 60U);
  if (std::getenv("DANELAW_RECORD") != nullptr) {  // tests/recorded/record
    std::ofstream out(kFolder / "expected.tsv", std::ios::trunc);
    for (const auto& [name, what] : said) out << name << '\t' << what << '\n';
    return;
  }
  EXPECT_EQ(said, wanted);
}

}  // namespace

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
#include "tests/support/recorded_corpus.h"
#include "tests/support/source_dir.h"

// Recorded observations are read, judged and verified again: tests/recorded.
namespace {

using namespace probes;
using support::kept_in;

const std::filesystem::path kFolder = support::source_dir() / "tests/recorded";

// file → "verdict<TAB>findings<TAB>splits"
std::map<std::string, std::string> expected() {
  std::istringstream lines(kept_in("expected.tsv"));
  std::map<std::string, std::string> out;
  for (std::string line; std::getline(lines, line);) {
    const auto tab = line.find('\t');
    if (tab != std::string::npos) out[line.substr(0, tab)] = line.substr(tab + 1);
  }
  return out;
}

std::string said_of(const DomainJudgement& judged, bool is_host) {
  std::set<std::string> codes, splits;
  for (const auto& finding : judged.findings)
    codes.insert(fmt::format("{}/{}", wire_name(finding.code), wire_name(finding.severity)));
  const auto* host = is_host && !judged.hosts.empty() ? &judged.hosts.front() : nullptr;
  for (const auto& split : host != nullptr ? host->splits : judged.splits)
    splits.insert(fmt::format("{}={}", split.sender, wire_name(split.verdict)));
  return fmt::format("{}\t{}\t{}", wire_name(host != nullptr ? host->verdict : judged.verdict),
                     fmt::join(codes, " "), fmt::join(splits, " "));
}

// By the name of its file.
std::map<std::string, Recorded> corpus() {
  std::map<std::string, Recorded> out;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".cbor") continue;
    const auto name = entry.path().filename().string();
    const auto text = kept_in(name);
    const dns::Bytes octets(text.begin(), text.end());
    auto recorded = decode(octets);
    EXPECT_TRUE(recorded) << name << ": " << recorded.error();
    if (!recorded) continue;
    EXPECT_EQ(encode(*recorded), octets) << name;
    out.emplace(name, *std::move(recorded));
  }
  return out;
}

void expect_told_to_people(const std::string& name, const Argument& argument) {
  for (const auto& step : argument.steps) {
    EXPECT_NE(step.standing, Standing::refuted) << name << ": " << step.what;
    // As people read it, postmasters among them: no address in hexadecimal, no reason left out.
    EXPECT_THAT(step.what, testing::Not(testing::ContainsRegex("AAAA of [^:]*: [0-9a-f]{32}")));
    EXPECT_THAT(step.what, testing::Not(testing::EndsWith(": ")));
    EXPECT_THAT(step.what, testing::Not(testing::HasSubstr("ended at starttls")));
  }
}

TEST(RecordedCorpus, IsKeptAsItWasSeen) {
  std::size_t count = 0;
  for (const auto& [name, recorded] : corpus()) {
    if (!recorded.domain) continue;
    KeptDomain kept{recorded.domain};
    kept.pack();
    EXPECT_TRUE(is_same({.domain = recorded.domain}, {.domain = kept.open()})) << name;
    ++count;
  }
  EXPECT_GT(count, 0U);
}

TEST(RecordedCorpus, IsJudgedAsItWas) {
  const auto anchors = dns::parse_trust_anchors(kept_in("root.key"));
  ASSERT_TRUE(anchors) << anchors.error();
  const auto wanted = expected();
  const auto all = corpus();
  std::map<std::string, std::string> said;
  std::map<dns::Name, HostSeen> hosts;
  // A domain is judged with its hosts, so these come first.
  for (const bool is_host : {true, false}) {
    for (const auto& [name, recorded] : all) {
      if ((recorded.host != nullptr) != is_host) continue;
      const auto argument = verify(recorded, *anchors, hosts);
      expect_told_to_people(name, argument);
      if (is_host) hosts[recorded.host->host] = argument.host;
      said[name] = said_of(argument.judged, is_host);
    }
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

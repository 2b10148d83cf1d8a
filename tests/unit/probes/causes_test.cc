#include "probes/causes.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/catalogue.h"

// One cause and what comes of it.
namespace {

using namespace probes;
using testing::ElementsAre;
using testing::IsEmpty;

const Subject kHost{.kind = Subject::Kind::host, .name = "mx.example.test"};
const Subject kOther{.kind = Subject::Kind::host, .name = "mx.other.test"};
const Subject kDomain{.kind = Subject::Kind::domain, .name = "example.test"};

Finding finding(Code code, const Subject& subject = kHost) {
  return {.code = code, .severity = Severity::critical, .subject = subject};
}

std::vector<Code> codes_of(const std::vector<Consequence>& consequences) {
  std::vector<Code> out;
  for (const auto& one : consequences) out.push_back(one.code);
  return out;
}

TEST(Causes, AnEarlyRetirementExplainsTheMismatchAndTheWindowThatComeOfIt) {
  std::vector found{finding(Code::tlsa_mismatch), finding(Code::early_retire),
                    finding(Code::stale_cache_window)};
  link_causes(found);
  EXPECT_EQ(found[0].consequence_of, Code::early_retire);
  EXPECT_EQ(found[1].consequence_of, std::nullopt);
  EXPECT_EQ(found[2].consequence_of, Code::early_retire);
  EXPECT_THAT(codes_of(found[1].consequences),
              ElementsAre(Code::tlsa_mismatch, Code::stale_cache_window));
  EXPECT_THAT(found[0].consequences, IsEmpty()) << "the window is the root's, not the mismatch's";
}

TEST(Causes, NoCauseIsLessGraveThanWhatComesOfIt) {
  std::vector found{finding(Code::nameserver_split), finding(Code::early_retire),
                    finding(Code::nameserver_split, kOther)};
  found[0].severity = found[2].severity = Severity::high;
  link_causes(found);
  EXPECT_EQ(found[0].severity, Severity::critical);
  EXPECT_EQ(found[2].severity, Severity::high) << "nothing comes of it";
}

// The lab's drift: three alerts with three fixes were one trouble.
TEST(Causes, ServersThatDifferExplainAllThatTheirDifferenceLeadsTo) {
  std::vector found{finding(Code::early_retire), finding(Code::nameserver_split),
                    finding(Code::tlsa_mismatch), finding(Code::stale_cache_window)};
  link_causes(found);
  for (const auto i : {0U, 2U, 3U})
    EXPECT_EQ(found[i].consequence_of, Code::nameserver_split) << wire_name(found[i].code);
  EXPECT_EQ(found[1].consequences.size(), 3U);
}

TEST(Causes, WhatMayHaveAnotherCauseBesideItIsNotExplained) {
  std::vector found{finding(Code::nameserver_split), finding(Code::tlsa_mismatch)};
  found[0].is_whole_cause = false;  // e.g. they differ in an address
  link_causes(found);
  EXPECT_EQ(found[1].consequence_of, std::nullopt);
  EXPECT_THAT(found[0].consequences, IsEmpty());
}

TEST(Causes, AreOfTheSameHostOrOfAHostForItsDomain) {
  std::vector found{finding(Code::early_retire), finding(Code::tlsa_mismatch, kOther),
                    finding(Code::downgrade, kDomain)};
  link_causes(found);
  EXPECT_EQ(found[1].consequence_of, std::nullopt) << "another host's";
  EXPECT_EQ(found[2].consequence_of, Code::tlsa_mismatch);
}

TEST(Causes, AreLinkedAnewWhenTheFindingsChange) {
  std::vector found{finding(Code::tlsa_mismatch), finding(Code::early_retire)};
  link_causes(found);
  found.pop_back();
  link_causes(found);
  EXPECT_EQ(found[0].consequence_of, std::nullopt) << "nothing falls silent with its cause";
}

void walk(Code code, std::set<Code> above) {
  ASSERT_TRUE(above.insert(code).second) << wire_name(code) << " explains itself";
  for (const auto effect : row_of(code).alerts.explains) walk(effect, above);
}

TEST(Causes, TheOrderOfTheCatalogueHasNoCircles) {
  for (const auto& row : catalogue()) walk(row.code, {});
}

}  // namespace

#include "agent/hindsight/asked_senders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"
#include "probes/judge.h"
#include "tests/support/scene.h"

// Classes of senders that the operator asks for.
namespace {

using agent::asked_sender_findings;
using probes::Code;
using probes::Verdict;
using testing::IsEmpty;
using testing::SizeIs;

probes::DomainJudgement judged(Verdict split) {
  auto out = support::Scene{}.judge();
  out.splits = {{.sender = "rsa-only", .verdict = split}};
  return out;
}

TEST(AskedSenders, ARareClassCountsOnlyWhenItIsAskedFor) {
  EXPECT_THAT(asked_sender_findings(judged(Verdict::deferred), {}), IsEmpty());
  EXPECT_THAT(asked_sender_findings(judged(Verdict::deferred), {"strict-time"}), IsEmpty());
  const auto found = asked_sender_findings(judged(Verdict::deferred), {"rsa-only"});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].code, Code::dane_fragile);
  EXPECT_EQ(found[0].subject.name, "example.test");
  EXPECT_THAT(found[0].evidence[0].value, testing::HasSubstr("(rsa-only): deferred"));
}

TEST(AskedSenders, CountNotWhereTheyDeliverOrNobodyDoes) {
  EXPECT_THAT(asked_sender_findings(judged(Verdict::opportunistic), {"rsa-only"}), IsEmpty());
  EXPECT_THAT(asked_sender_findings(judged(Verdict::unknown), {"rsa-only"}), IsEmpty());
  auto held_up = judged(Verdict::bounced);
  held_up.verdict = Verdict::deferred;
  EXPECT_THAT(asked_sender_findings(held_up, {"rsa-only"}), IsEmpty());
}

TEST(AskedSenders, AreThoseThatTheConfigurationKnows) {
  std::vector<std::string_view> known;
  for (const auto& one : probes::other_senders()) known.push_back(one.name);
  EXPECT_THAT(config::kSenderClasses, testing::ElementsAreArray(known));
}

}  // namespace

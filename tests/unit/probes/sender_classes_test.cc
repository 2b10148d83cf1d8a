#include "probes/sender_classes.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/judge.h"
#include "probes/report.h"
#include "tests/support/scene.h"

// How common a class of senders is.
namespace {

using namespace probes;

TEST(SenderClasses, AreThoseOfTheJudgeEachWithItsSource) {
  std::vector<std::string_view> known, wanted;
  for (const auto& one : sender_classes()) {
    known.push_back(one.name);
    EXPECT_FALSE(one.source.empty()) << one.name;
    EXPECT_GE(one.year, 1987) << one.name;
  }
  for (const auto* classes : {&other_senders(), &other_clients()}) {
    for (const auto& one : *classes) {
      if (std::ranges::find(wanted, one.name) == wanted.end()) wanted.push_back(one.name);
    }
  }
  EXPECT_EQ(known, wanted);
}

// 17 of 18 sound domains were marked red for them.
TEST(SenderClasses, SendersWithoutEcdsaAreRareAndTheJsonSaysSo) {
  EXPECT_EQ(weight_of("rsa-only"), Weight::rare);
  EXPECT_EQ(weight_of("secure-mx-only"), Weight::common);
  auto judged = support::Scene{}.judge();
  judged.splits = {{"rsa-only", Verdict::deferred}, {"secure-mx-only", Verdict::deferred}};
  const auto json = to_json(judged);
  ASSERT_EQ(json["splits"].size(), 2U);
  for (const auto& split : json["splits"])
    EXPECT_EQ(split["weight"], wire_name(weight_of(split["sender"].get<std::string>()))) << split;
}

}  // namespace

#include "agent/alerts/exception_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

// When an exception for a partner is over, and who ends it.
namespace agent {
namespace {

using config::Seconds;
using support::kNow;
using support::Pki;
using support::Scene;
using testing::ElementsAre;
using testing::IsEmpty;

class WithExceptions : public testing::Test {
 protected:
  // As seen, and judged, a minute after the one before.
  std::optional<probes::Finding> look(Scene scene = {}) {
    now_ += Seconds{60};
    for (auto& [name, host] : scene.hosts) host.observed_at = now_;
    return follow(scene.judge());
  }
  std::optional<probes::Finding> follow(const probes::DomainJudgement& judged) {
    round_ = {};
    round_.at = now_;
    return book_.follow(round_, "example.test", judged);
  }
  static Scene mismatched() {
    Scene scene;
    scene.serve({Pki::get().old_leaf.certificate, Pki::get().inter.certificate});
    return scene;
  }
  void make() {
    now_ += Seconds{60};
    Round round{.at = now_};
    ASSERT_TRUE(book_.make(round, "example.test", mismatched().judge()));
    ASSERT_EQ(round.exceptions.size(), 1U);
  }
  [[nodiscard]] bool is_ended() const { return !round_.ended_exceptions.empty(); }

  ExceptionBook book_{{}};
  Round round_;
  config::Time now_ = kNow;
};

TEST_F(WithExceptions, IsMadeOnlyAgainstWhatDaneStops) {
  Round round{.at = kNow};
  EXPECT_EQ(book_.make(round, "example.test", Scene().judge()), std::nullopt);
  EXPECT_THAT(round.exceptions, IsEmpty());
  EXPECT_THAT(book_.all(), IsEmpty());
}

TEST_F(WithExceptions, OneThatIsServedEndsWhenTwoLooksSawMailDelivered) {
  book_.set_serving(true);
  make();
  look(mismatched());
  EXPECT_FALSE(is_ended());
  EXPECT_EQ(look(), std::nullopt) << "nobody has to do anything";
  EXPECT_FALSE(is_ended()) << "one look may be luck";
  look();
  EXPECT_THAT(round_.ended_exceptions, ElementsAre("example.test"));
  EXPECT_THAT(book_.all(), IsEmpty());
}

TEST_F(WithExceptions, WhatIsJudgedAnewWasNotLookedAtAnew) {
  book_.set_serving(true);
  make();
  look();
  Scene same;
  for (auto& [name, host] : same.hosts) host.observed_at = now_;
  follow(same.judge());
  EXPECT_FALSE(is_ended());
}

TEST_F(WithExceptions, ALookThatCouldNotTellSaysNeither) {
  book_.set_serving(true);
  make();
  look();
  auto untold = Scene().judge();
  untold.verdict = probes::Verdict::unknown;
  follow(untold);
  EXPECT_FALSE(is_ended());
  look();
  EXPECT_TRUE(is_ended()) << "the second that told";
}

TEST_F(WithExceptions, TroubleBetweenBeginsTheCountAnew) {
  book_.set_serving(true);
  make();
  look();
  look(mismatched());
  look();
  EXPECT_FALSE(is_ended());
}

TEST_F(WithExceptions, OneThatIsServedEndsWithItsTime) {
  book_.set_serving(true);
  make();
  now_ += kExceptionFor;
  look(mismatched());
  EXPECT_TRUE(is_ended());
}

TEST_F(WithExceptions, OneInAFileIsAskedToBeTakenOut) {
  make();
  EXPECT_EQ(look(mismatched()), std::nullopt);
  const auto asked = look();
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->code, probes::Code::policy_override);
  EXPECT_FALSE(is_ended()) << "it is for the operator to take it out";
}

TEST_F(WithExceptions, EndsWithAPartnerWhoIsWatchedNoMore) {
  make();
  Round round{.at = now_};
  book_.end_unless(round, [](const std::string&) { return true; });
  EXPECT_THAT(round.ended_exceptions, IsEmpty());
  book_.end_unless(round, [](const std::string& domain) { return domain != "example.test"; });
  EXPECT_THAT(round.ended_exceptions, ElementsAre("example.test"));
  EXPECT_FALSE(book_.end(round, "example.test")) << "there is none";
}

}  // namespace
}  // namespace agent

#include "probes/dns/standings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using probes::dns::Standings;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

class Order : public testing::Test {
 protected:
  void hear(std::size_t who, Standings::Heard heard, milliseconds took = milliseconds{5}) {
    standings.record_reply(who, heard, took, at, ++about);
  }
  std::size_t about = 0;
  Standings standings{3};
  Standings::Moment at{std::chrono::hours{5}};
};

TEST_F(Order, is_as_configured_while_all_answer) {
  hear(2, Standings::Heard::well);
  EXPECT_THAT(standings.order(at), ElementsAre(0, 1, 2));
}

TEST_F(Order, whoever_is_silent_is_asked_last_for_a_while_that_doubles) {
  hear(0, Standings::Heard::nothing);
  EXPECT_THAT(standings.order(at + seconds{4}), ElementsAre(1, 2, 0));
  hear(0, Standings::Heard::nothing);
  EXPECT_THAT(standings.order(at + seconds{9}), ElementsAre(1, 2, 0));
  for (int i = 0; i < 20; ++i) hear(0, Standings::Heard::nothing);
  EXPECT_THAT(standings.order(at + seconds{59}), ElementsAre(1, 2, 0));
  EXPECT_THAT(standings.order(at + seconds{60}), ElementsAre(0, 1, 2)) << "no ban is for ever";
}

TEST_F(Order, one_caller_tries_whose_time_has_come) {
  hear(0, Standings::Heard::nothing);
  at += seconds{5};
  EXPECT_THAT(standings.order(at), ElementsAre(0, 1, 2));
  EXPECT_THAT(standings.order(at), ElementsAre(1, 2, 0)) << "the others wait for what it learns";
  hear(0, Standings::Heard::well);
  EXPECT_THAT(standings.order(at), ElementsAre(0, 1, 2));
}

TEST_F(Order, slow_and_wrong_answers_count_as_none) {
  hear(0, Standings::Heard::well, milliseconds{1500});
  hear(1, Standings::Heard::badly);
  EXPECT_THAT(standings.order(at), ElementsAre(2, 0, 1));
}

TEST_F(Order, all_are_poor_only_when_each_failed_again_and_again) {
  for (unsigned times = 0; times < Standings::kPoor; ++times) {
    EXPECT_FALSE(standings.is_poor(at));
    for (const auto who : {0, 1, 2}) hear(static_cast<std::size_t>(who), Standings::Heard::nothing);
  }
  EXPECT_TRUE(standings.is_poor(at));
  hear(1, Standings::Heard::well);
  EXPECT_FALSE(standings.is_poor(at));
}

TEST_F(Order, failures_about_one_zone_make_nobody_poor) {
  for (unsigned times = 0; times < 10; ++times) {
    for (const auto who : {0U, 1U, 2U})
      standings.record_reply(who, Standings::Heard::nothing, milliseconds{1000}, at, 7);
  }
  EXPECT_FALSE(standings.is_poor(at));
}

TEST_F(Order, doubt_lasts_a_while) {
  EXPECT_FALSE(standings.is_doubted(at));
  standings.doubt(at);
  EXPECT_TRUE(standings.is_doubted(at + seconds{599}));
  EXPECT_FALSE(standings.is_doubted(at + seconds{600}));
}

TEST_F(Order, who_needs_long_is_given_long) {
  EXPECT_EQ(standings.patience(0), milliseconds{0});
  hear(0, Standings::Heard::well, milliseconds{1200});
  EXPECT_EQ(standings.patience(0), milliseconds{2400});
  hear(0, Standings::Heard::well, milliseconds{9000});
  EXPECT_EQ(standings.patience(0), milliseconds{3000});
}

}  // namespace

#include "agent/watch/manners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

namespace agent {
namespace {

using config::Seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;
using testing::SizeIs;

const std::vector<std::string> kNetwork{"192.0.2.0/24"};

class WithManners : public testing::Test {
 protected:
  std::optional<Ticks> hold(std::size_t sessions = 1) {
    return manners_.hold(kNetwork, sessions, politeness_, at_);
  }
  void end(bool was_sent_away) { manners_.end(kNetwork, was_sent_away, Seconds{120}, at_); }
  Manners manners_;
  config::Politeness politeness_;
  Ticks at_{Seconds{1000}};
};

TEST(Providers, are_known_by_their_networks) {
  EXPECT_THAT(providers_of({"192.0.2.1", "192.0.2.200", "198.51.100.7"}),
              ElementsAre("192.0.2.0/24", "198.51.100.0/24"));
  EXPECT_THAT(providers_of({"2001:db8:1:2::3", "2001:db8:1:ffff::4"}),
              ElementsAre("2001:db8:1::/48"));
  EXPECT_THAT(providers_of({"127.0.0.1", "::1", "nonsense", ""}), IsEmpty());
}

TEST(Providers, send_away_with_421_and_450_and_at_the_door) {
  const auto said = [](int code, probes::smtp::Stage stage) {
    auto host = support::Scene().mx();
    auto& session = host.sessions.front();
    session.stop = probes::smtp::SessionStop::negative_reply;
    session.stage = stage;
    session.last_reply = probes::smtp::Reply{.code = code};
    return is_sent_away(host);
  };
  EXPECT_TRUE(said(421, probes::smtp::Stage::ehlo));
  EXPECT_TRUE(said(450, probes::smtp::Stage::ehlo));
  EXPECT_TRUE(said(554, probes::smtp::Stage::banner));
  EXPECT_TRUE(said(550, probes::smtp::Stage::ehlo)) << "probe-refused";
  EXPECT_FALSE(said(220, probes::smtp::Stage::banner)) << "no refusal";
  EXPECT_FALSE(said(454, probes::smtp::Stage::starttls));
  EXPECT_FALSE(is_sent_away(support::Scene().mx()));
}

TEST(OperatorOf, IsTheNameAboveTheHosts) {
  EXPECT_EQ(operator_of(support::name("mx1.mail.example.test")), "mail.example.test");
  EXPECT_EQ(operator_of(support::name("mx1.example.test")), "example.test");
  EXPECT_EQ(operator_of(support::name("example.test")), "example.test") << "not all of a TLD";
}

TEST_F(WithManners, so_many_are_under_way_at_once) {
  politeness_.at_once = 2;
  manners_.begin(kNetwork);
  EXPECT_FALSE(hold());
  manners_.begin(kNetwork);
  EXPECT_THAT(hold(), Optional(at_ + Seconds{5}));
  EXPECT_FALSE(manners_.hold({"198.51.100.0/24"}, 1, politeness_, at_)) << "another provider";
  end(false);
  EXPECT_FALSE(hold());
}

TEST_F(WithManners, so_many_sessions_a_minute_each_with_a_turn_of_its_own) {
  politeness_.per_minute = 60;
  int begun = 0;
  while (!hold(4) && begun < 100) ++begun;
  EXPECT_EQ(begun, 16) << "a minute's worth at once: 15, and the one that uses it up";
  const auto first = hold(4), second = hold(4);
  ASSERT_TRUE(first && second);
  EXPECT_GT(*first, at_);
  EXPECT_EQ(*second - *first, Seconds{4});
  at_ = *first;
  EXPECT_FALSE(hold(4));
}

TEST_F(WithManners, one_that_sends_us_away_is_left_alone_for_longer_and_longer_up_to_a_day) {
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 12; ++i) {
    EXPECT_FALSE(hold());
    manners_.begin(kNetwork);
    end(true);
    const auto until = hold();
    ASSERT_TRUE(until);
    waits.push_back(std::chrono::duration_cast<Seconds>(*until - at_).count());
    at_ = *until;
  }
  EXPECT_THAT(waits,
              ElementsAre(120, 240, 480, 960, 1920, 3840, 7680, 15360, 30720, 61440, 86400, 86400));
  EXPECT_THAT(manners_.held(at_), IsEmpty());
  manners_.begin(kNetwork);
  end(true);
  ASSERT_THAT(manners_.held(at_), SizeIs(1));
  EXPECT_EQ(manners_.held(at_).front().times, 13);
}

TEST_F(WithManners, one_that_goes_on_sending_us_away_is_not_made_up_for_by_others_of_its_network) {
  end(true);
  at_ += Seconds{120};
  end(false);  // another host there
  end(true);
  EXPECT_THAT(hold(), Optional(at_ + Seconds{240}));
  at_ += Seconds{240 + 239};
  end(false);
  at_ += Seconds{1};
  end(false);
  end(true);
  EXPECT_THAT(hold(), Optional(at_ + Seconds{120})) << "nobody did for as long as it was spared";
}

TEST_F(WithManners, a_refusal_counts_of_a_host_that_was_not_known_before) {
  manners_.begin(kNetwork);
  manners_.take_refusal(kNetwork, Seconds{120}, at_);
  EXPECT_THAT(hold(), Optional(at_ + Seconds{120}));
  politeness_.at_once = 2;
  at_ += Seconds{120};
  manners_.begin(kNetwork);
  EXPECT_TRUE(hold()) << "and ends nothing that is under way";
}

TEST_F(WithManners, whoever_goes_on_with_it_spares_as_long) {
  EXPECT_FALSE(manners_.take_news(at_));
  end(true);
  at_ += Seconds{120};
  end(true);
  const auto news = manners_.take_news(at_);
  ASSERT_TRUE(news);
  EXPECT_FALSE(manners_.take_news(at_)) << "once";
  Manners next;
  for (const auto& one : *news) next.restore(one);
  EXPECT_THAT(next.hold(kNetwork, 1, politeness_, at_), Optional(at_ + Seconds{240}));
  at_ += Seconds{240};
  next.end(kNetwork, true, Seconds{120}, at_);
  EXPECT_THAT(next.hold(kNetwork, 1, politeness_, at_), Optional(at_ + Seconds{480}));
}

TEST_F(WithManners, those_under_way_together_are_sent_away_once) {
  manners_.begin(kNetwork);
  manners_.begin(kNetwork);
  end(true);
  end(true);
  EXPECT_THAT(hold(), Optional(at_ + Seconds{120}));
}

}  // namespace
}  // namespace agent

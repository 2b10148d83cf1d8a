#include "agent/self/outbound_smtp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

namespace {

using namespace agent;
using config::Seconds;
using probes::smtp::SessionStop;
using probes::smtp::Stage;
using support::kNow;
using support::name;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

MATCHER_P(WitnessIs, host, "") {
  return arg.host.text() == host;
}

// Looks at hosts, at seconds of a clock.
class OutboundSmtpTest : public testing::Test {
 protected:
  static probes::HostObservation look(const std::string& host,
                                      std::initializer_list<std::string> addresses,
                                      SessionStop stop) {
    probes::HostObservation seen;
    seen.host = name(host);
    for (const auto& address : addresses) {
      auto session = support::session(address, {});
      session.stop = stop;
      if (stop != SessionStop::none) session.stage = Stage::connect;
      seen.sessions.push_back(session);
    }
    return seen;
  }

  void record_sessions(int second, const probes::HostObservation& seen) {
    reach.record_sessions(seen.host, seen.sessions, at(second));
  }
  void answered(int second, const std::string& host, const std::string& address) {
    record_sessions(second, look(host, {address}, SessionStop::none));
  }
  void stuck(int second, const std::string& host, std::initializer_list<std::string> addresses) {
    record_sessions(second, look(host, addresses, SessionStop::connect_timeout));
  }

  static config::Time at(int second) { return kNow + Seconds{second}; }
  [[nodiscard]] bool is_up(int second) const {
    const auto checks = reach.checks(at(second));
    return cut_off(checks) == nullptr;
  }

  OutboundSmtp reach;
};

TEST_F(OutboundSmtpTest, nobody_reached_at_three_addresses_of_two_hosts_is_our_fault) {
  stuck(0, "a.test", {"192.0.2.1", "192.0.2.2"});
  EXPECT_THAT(reach.checks(at(0)), IsEmpty());
  stuck(1, "b.test", {"192.0.2.3"});
  const auto checks = reach.checks(at(1));
  ASSERT_THAT(checks, SizeIs(1));
  EXPECT_EQ(checks[0].check, "smtp_ipv4");
  EXPECT_FALSE(checks[0].is_up);
  EXPECT_FALSE(checks[0].is_limit);
  EXPECT_THAT(*checks[0].detail, testing::HasSubstr("none of 3 mail servers"));
  EXPECT_NE(cut_off(checks), nullptr);
}

TEST_F(OutboundSmtpTest, services_stand_by_themselves) {
  stuck(0, "a.test", {"192.0.2.1", "192.0.2.2"});
  stuck(1, "b.test", {"192.0.2.3"});
  answered(2, "imap.a.test:993", "192.0.2.1");
  auto checks = reach.checks(at(2));
  ASSERT_THAT(checks, SizeIs(2));
  EXPECT_FALSE(checks[0].is_up) << "port 25 is blocked all the same";
  EXPECT_EQ(checks[1].check, "service_ipv4");
  EXPECT_TRUE(checks[1].is_up);
  stuck(3, "imap.a.test:993", {"192.0.2.1", "192.0.2.2", "192.0.2.3"});
  stuck(4, "imap.a.test:143", {"192.0.2.1"});
  EXPECT_TRUE(reach.checks(at(4))[1].is_up) << "the doors of one host";
  stuck(5, "imap.b.test:993", {"192.0.2.4"});
  checks = reach.checks(at(5));
  EXPECT_FALSE(checks[1].is_up);
  EXPECT_THAT(*checks[1].detail, testing::HasSubstr("none of 4 services"));
  auto seen = look("imap.b.test:993", {"192.0.2.4"}, SessionStop::connect_timeout);
  EXPECT_TRUE(reach.mark_as_local(seen));
  EXPECT_EQ(seen.sessions[0].stop, SessionStop::no_route);
}

TEST_F(OutboundSmtpTest, fewer_than_that_may_well_be_theirs) {
  stuck(0, "a.test", {"192.0.2.1", "192.0.2.2", "192.0.2.3"});
  EXPECT_THAT(reach.checks(at(0)), IsEmpty()) << "one host";
  OutboundSmtp other;
  const auto a = look("a.test", {"192.0.2.1"}, SessionStop::connect_timeout);
  const auto b = look("b.test", {"192.0.2.2"}, SessionStop::connect_timeout);
  other.record_sessions(a.host, a.sessions, kNow);
  other.record_sessions(b.host, b.sessions, kNow);
  EXPECT_THAT(other.checks(kNow), IsEmpty()) << "two addresses";
}

TEST_F(OutboundSmtpTest, one_session_that_got_somewhere_at_that_time_clears_us) {
  for (const bool first : {true, false}) {
    reach = {};
    if (first) answered(0, "c.test", "192.0.2.4");
    stuck(0, "a.test", {"192.0.2.1", "192.0.2.2"});
    stuck(0, "b.test", {"192.0.2.3"});
    if (!first) answered(0, "c.test", "192.0.2.4");
    const auto checks = reach.checks(at(0));
    ASSERT_THAT(checks, SizeIs(1));
    EXPECT_TRUE(checks[0].is_up);
  }
}

TEST_F(OutboundSmtpTest, before_a_stuck_look_is_believed_those_who_answered_last_are_tried) {
  answered(0, "a.test", "192.0.2.1");
  answered(100, "b.test", "192.0.2.2");
  answered(200, "c.test", "192.0.2.3");
  answered(300, "d.test", "192.0.2.4");
  answered(50, "e.test", "192.0.2.5");
  answered(400, "mx.test", "192.0.2.9");
  const auto seen = look("mx.test", {"192.0.2.9"}, SessionStop::connect_timeout);
  record_sessions(500, seen);
  EXPECT_THAT(reach.controls_for(seen, at(500)),
              ElementsAre(WitnessIs("d.test"), WitnessIs("c.test"), WitnessIs("b.test")));
  // One of them answers: it is the host.
  answered(505, "d.test", "192.0.2.4");
  EXPECT_THAT(reach.controls_for(seen, at(500)), IsEmpty());
  EXPECT_TRUE(is_up(505));
}

TEST_F(OutboundSmtpTest, when_those_who_answered_last_do_not_it_is_our_fault_from_the_first_look) {
  answered(0, "a.test", "192.0.2.1");
  answered(0, "b.test", "192.0.2.2");
  answered(0, "c.test", "192.0.2.3");
  stuck(900, "a.test", {"192.0.2.1"});
  stuck(901, "b.test", {"192.0.2.2"});
  EXPECT_TRUE(is_up(901));
  stuck(902, "c.test", {"192.0.2.3"});
  EXPECT_FALSE(is_up(902));
}

TEST_F(OutboundSmtpTest, somebody_reached_a_moment_ago_needs_no_witness) {
  answered(0, "a.test", "192.0.2.1");
  const auto seen = look("mx.test", {"192.0.2.9"}, SessionStop::connect_timeout);
  EXPECT_THAT(reach.controls_for(seen, at(2)), IsEmpty());
  EXPECT_THAT(reach.controls_for(seen, at(3)), SizeIs(1));
}

TEST_F(OutboundSmtpTest, hosts_that_failed_before_somebody_was_reached_are_no_evidence) {
  stuck(0, "a.test", {"192.0.2.1", "192.0.2.2"});
  answered(1, "c.test", "192.0.2.4");
  stuck(2, "b.test", {"192.0.2.3"});
  EXPECT_TRUE(is_up(2));
}

TEST_F(OutboundSmtpTest, a_long_look_begun_before_the_fault_does_not_hide_it) {
  stuck(10, "a.test", {"192.0.2.1", "192.0.2.2"});
  answered(5, "c.test", "192.0.2.4");  // noted later, begun before
  stuck(11, "b.test", {"192.0.2.3"});
  EXPECT_FALSE(is_up(11));
  answered(6, "d.test", "192.0.2.5");
  EXPECT_FALSE(is_up(12));
}

TEST_F(OutboundSmtpTest, it_stays_down_until_somebody_answers) {
  answered(0, "c.test", "192.0.2.4");
  stuck(10, "a.test", {"192.0.2.1", "192.0.2.2"});
  stuck(11, "b.test", {"192.0.2.3"});
  EXPECT_FALSE(is_up(7200));
  const auto seen = look("a.test", {"192.0.2.1"}, SessionStop::connect_timeout);
  EXPECT_THAT(reach.controls_for(seen, at(7200)), IsEmpty()) << "it is known already";
  EXPECT_THAT(reach.controls_while_down(), ElementsAre(WitnessIs("c.test")));
  answered(7200, "c.test", "192.0.2.4");
  EXPECT_TRUE(is_up(7200));
  EXPECT_THAT(reach.controls_while_down(), IsEmpty());
}

TEST_F(OutboundSmtpTest, hosts_nobody_asks_about_are_not_tried) {
  answered(0, "c.test", "192.0.2.4");
  reach.forget(name("c.test"));
  EXPECT_THAT(
      reach.controls_for(look("a.test", {"192.0.2.1"}, SessionStop::connect_timeout), at(60)),
      IsEmpty());
}

TEST_F(OutboundSmtpTest, only_what_got_stuck_in_the_family_that_is_down_is_our_own_limit) {
  answered(0, "a.test", "192.0.2.1");
  answered(0, "a.test", "2001:db8::1");
  stuck(100, "a.test", {"2001:db8::1", "2001:db8::2"});
  stuck(100, "b.test", {"2001:db8::3"});
  auto seen = look("c.test", {"2001:db8::4", "192.0.2.7"}, SessionStop::connect_timeout);
  EXPECT_TRUE(reach.mark_as_local(seen));
  EXPECT_EQ(seen.sessions[0].stop, SessionStop::no_route);
  EXPECT_THAT(seen.sessions[0].detail, testing::HasSubstr("none of 3 mail servers"));
  EXPECT_EQ(seen.sessions[1].stop, SessionStop::connect_timeout);
  EXPECT_TRUE(is_up(100)) << "the other family works";
  auto well = look("c.test", {"2001:db8::4"}, SessionStop::none);
  EXPECT_FALSE(reach.mark_as_local(well));
}

TEST_F(OutboundSmtpTest, a_family_of_which_little_is_known_shares_the_fate_of_the_other) {
  answered(0, "a.test", "192.0.2.1");
  answered(0, "a.test", "2001:db8::1");
  stuck(100, "a.test", {"192.0.2.1"});
  stuck(100, "b.test", {"192.0.2.2", "192.0.2.3"});
  EXPECT_TRUE(is_up(100)) << "the other family was not tried since";
  EXPECT_THAT(reach.controls_while_down(), ElementsAre(WitnessIs("a.test"), WitnessIs("a.test")));
  stuck(130, "a.test", {"2001:db8::1"});
  EXPECT_FALSE(is_up(130));
  answered(200, "a.test", "192.0.2.1");
  EXPECT_THAT(reach.checks(at(200)), testing::Each(testing::Field(&SelfCheck::is_up, true)))
      << "one host is no evidence of its own";
}

TEST_F(OutboundSmtpTest, a_dead_host_is_no_fault_of_ours_while_the_other_family_is_down) {
  answered(0, "a.test", "192.0.2.1");
  stuck(100, "a.test", {"2001:db8::1"});
  stuck(100, "b.test", {"2001:db8::2", "2001:db8::3"});
  answered(110, "a.test", "192.0.2.1");
  auto dead = look("dead.test", {"192.0.2.9"}, SessionStop::connect_timeout);
  record_sessions(900, dead);
  EXPECT_THAT(reach.controls_for(dead, at(900)), ElementsAre(WitnessIs("a.test")));
  answered(901, "a.test", "192.0.2.1");
  EXPECT_TRUE(is_up(901));
  EXPECT_FALSE(reach.mark_as_local(dead));
  EXPECT_EQ(dead.sessions[0].stop, SessionStop::connect_timeout);
}

TEST_F(OutboundSmtpTest, a_family_that_shared_the_fate_of_the_other_is_tried_until_it_answers) {
  answered(0, "a.test", "192.0.2.1");
  stuck(100, "a.test", {"2001:db8::1"});
  stuck(100, "b.test", {"2001:db8::2", "2001:db8::3"});
  answered(110, "a.test", "192.0.2.1");
  stuck(900, "a.test", {"192.0.2.1"});
  EXPECT_FALSE(is_up(900));
  EXPECT_THAT(reach.controls_while_down(), ElementsAre(WitnessIs("a.test")));
}

TEST_F(OutboundSmtpTest, hosts_that_left_are_no_evidence) {
  stuck(0, "a.test", {"2001:db8::1"});
  stuck(0, "b.test", {"2001:db8::2", "2001:db8::3"});
  reach.forget(name("b.test"));
  EXPECT_THAT(reach.checks(at(1)), IsEmpty());
}

TEST_F(OutboundSmtpTest, a_family_that_works_while_the_other_is_down_is_not_tried_again_and_again) {
  answered(0, "a.test", "2001:db8::1");
  stuck(100, "a.test", {"192.0.2.1"});
  stuck(100, "b.test", {"192.0.2.2", "192.0.2.3"});
  EXPECT_THAT(reach.controls_while_down(), ElementsAre(WitnessIs("a.test")));
  answered(110, "a.test", "2001:db8::1");
  EXPECT_THAT(reach.controls_while_down(), IsEmpty());
}

TEST_F(OutboundSmtpTest, a_machine_without_ipv6_is_limited_not_cut_off) {
  record_sessions(0, look("a.test", {"2001:db8::1", "2001:db8::2"}, SessionStop::no_route));
  auto seen = look("b.test", {"2001:db8::3"}, SessionStop::no_route);
  record_sessions(0, seen);
  const auto checks = reach.checks(at(0));
  ASSERT_THAT(checks, SizeIs(1));
  EXPECT_TRUE(checks[0].is_limit);
  EXPECT_EQ(cut_off(checks), nullptr);
  EXPECT_FALSE(reach.mark_as_local(seen)) << "there is nothing to wait for";
}

TEST_F(OutboundSmtpTest, a_route_that_is_lost_is_no_limit) {
  answered(0, "a.test", "192.0.2.1");
  record_sessions(60, look("a.test", {"192.0.2.1", "192.0.2.2"}, SessionStop::no_route));
  auto seen = look("b.test", {"192.0.2.3"}, SessionStop::no_route);
  record_sessions(60, seen);
  EXPECT_FALSE(is_up(60));
  EXPECT_TRUE(reach.mark_as_local(seen));
}

TEST_F(OutboundSmtpTest, addresses_that_are_never_contacted_say_nothing) {
  record_sessions(0, look("a.test", {"10.0.0.1", "10.0.0.2"}, SessionStop::special_address));
  record_sessions(0, look("b.test", {"10.0.0.3"}, SessionStop::special_address));
  EXPECT_THAT(reach.checks(at(0)), IsEmpty());
}

}  // namespace

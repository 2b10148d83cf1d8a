#include "agent/self/welcome.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

namespace {

using namespace agent;
using probes::smtp::Reply;
using probes::smtp::SessionRecord;
using probes::smtp::SessionStop;
using probes::smtp::Stage;
using support::kNow;
using support::name;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kOurs = "mon_1.example.org";

SessionRecord welcomed(const std::string& address) {
  auto out = support::session(address, {});
  out.stage = Stage::done;
  return out;
}

SessionRecord refused(const std::string& address, Stage stage = Stage::ehlo, int code = 501) {
  SessionRecord out;
  out.address = address;
  out.stage = stage;
  out.stop = SessionStop::negative_reply;
  out.refused_ehlo = stage == Stage::ehlo;
  out.last_reply = Reply{.code = code, .lines = {"Syntactically invalid EHLO argument(s)"}};
  return out;
}

class WelcomeTest : public testing::Test {
 protected:
  // The check as "up", "down" or, while too little is known, "unknown".
  [[nodiscard]] std::string state() const {
    const auto checks = welcome.checks(kNow, kOurs);
    if (checks.empty()) return "unknown";
    EXPECT_EQ(checks.size(), 1U);
    EXPECT_EQ(checks[0].check, "greeting");
    return checks[0].is_up ? "up" : "down";
  }
  void refuse_at_three() {
    welcome.record_sessions(name("mx.a.test"), {refused("192.0.2.1")});
    welcome.record_sessions(name("mx.b.test"), {refused("192.0.2.2", Stage::banner, 554)});
    welcome.record_sessions(name("mx.c.test"), {refused("192.0.2.3", Stage::ehlo, 450)});
  }

  Welcome welcome;
};

TEST_F(WelcomeTest, servers_of_three_domains_that_refuse_us_are_our_fault) {
  EXPECT_EQ(state(), "unknown");
  welcome.record_sessions(name("mx.a.test"), {refused("192.0.2.1")});
  welcome.record_sessions(name("mx.b.test"), {refused("192.0.2.2")});
  EXPECT_EQ(state(), "unknown") << "two say nothing of us, nor that all is well";
  refuse_at_three();
  EXPECT_EQ(state(), "down");
  const auto detail = welcome.checks(kNow, kOurs)[0].detail.value_or("");
  EXPECT_THAT(detail, HasSubstr("mail servers in 3 domains refuse this monitor"));
  EXPECT_THAT(detail, HasSubstr(kOurs));
  EXPECT_THAT(detail, HasSubstr("mx.b.test (192.0.2.2) says: 554 Syntactically invalid"));
}

TEST_F(WelcomeTest, servers_that_have_something_to_do_with_each_other_are_one) {
  welcome.record_sessions(name("mx1.a.test"), {refused("192.0.2.1"), refused("192.0.2.2")});
  welcome.record_sessions(name("mx2.a.test"), {refused("192.0.2.3")});
  welcome.record_sessions(name("mx.b.test"), {refused("192.0.2.4")});
  EXPECT_EQ(state(), "unknown") << "one domain's three";
  Welcome other;
  for (const auto* host : {"mx.a.test", "mx.b.test", "mx.c.test"})
    other.record_sessions(name(host), {refused("192.0.2.1")});
  EXPECT_THAT(other.checks(kNow, kOurs), IsEmpty()) << "one machine behind three names";
}

TEST_F(WelcomeTest, what_is_about_the_server_counts_not) {
  auto old = refused("", Stage::ehlo, 502);
  old.took_helo = true;
  for (auto session :
       {refused("", Stage::banner, 421), refused("", Stage::starttls, 454), std::move(old)}) {
    Welcome three;
    three.record_sessions(name("mx.d.test"), {welcomed("192.0.2.4")});
    for (const auto* host : {"a", "b", "c"}) {
      session.address = fmt::format("192.0.2.{}", host);
      three.record_sessions(name(fmt::format("mx.{}.test", host)), {session});
    }
    const auto checks = three.checks(kNow, kOurs);
    ASSERT_EQ(checks.size(), 1U);
    EXPECT_TRUE(checks[0].is_up) << session.last_reply->code;
  }
}

TEST_F(WelcomeTest, who_cannot_be_reached_neither_ends_nor_begins_it) {
  refuse_at_three();
  auto silent = refused("192.0.2.1", Stage::connect);
  silent.stop = SessionStop::connect_timeout;
  welcome.record_sessions(name("mx.a.test"), {silent});
  EXPECT_EQ(state(), "down");
  welcome.record_sessions(name("mx.a.test"), {welcomed("192.0.2.1")});
  EXPECT_EQ(state(), "up");
}

TEST_F(WelcomeTest, whom_nobody_watches_says_nothing) {
  refuse_at_three();
  welcome.forget(name("mx.a.test"));
  EXPECT_EQ(state(), "unknown");
}

TEST_F(WelcomeTest, a_host_that_goes_takes_all_its_refusals_with_it_and_no_others) {
  refuse_at_three();
  // Another of the same domain, at two addresses, of which one is shared.
  welcome.record_sessions(name("mx9.a.test"), {refused("192.0.2.1"), refused("192.0.2.9")});
  welcome.record_sessions(name("mx9.a.test"), {refused("192.0.2.9")});
  welcome.forget(name("mx9.a.test"));
  EXPECT_EQ(state(), "down") << "the first still refuses us";
  welcome.record_sessions(name("mx.a.test"), {welcomed("192.0.2.1")});
  EXPECT_EQ(state(), "up");
}

TEST_F(WelcomeTest, each_address_of_a_host_has_its_own_opinion) {
  int last = 0;
  for (const auto* host : {"mx.a.test", "mx.b.test", "mx.c.test"}) {
    const auto n = std::to_string(++last);
    welcome.record_sessions(name(host), {welcomed("192.0.2." + n), refused("2001:db8::" + n)});
  }
  EXPECT_EQ(state(), "down") << "our IPv6 address, say";
}

}  // namespace

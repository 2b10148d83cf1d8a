#include "agent/watch/follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_world.h"

// What observations lead to, one after the other, without thread and clock.
namespace {

using namespace agent;
using config::Seconds;
using probes::Subject;
using support::kNow;
using support::name;
using testing::ElementsAre;
using testing::IsEmpty;

Alert firing_at(Subject subject, probes::Code code) {
  Alert out{.id = "a-1", .state = AlertState::firing, .cause = subject};
  out.finding = {.code = code, .severity = probes::Severity::high, .subject = subject};
  out.hits = {{.subject = subject, .domains = {"example.test"}}};
  out.domains = {"example.test"};
  out.first_seen_at = out.last_seen_at = kNow - Seconds{3600};
  out.opened_at = out.told_at = out.first_seen_at;
  return out;
}

class Following : public testing::Test {
 protected:
  void start(std::vector<Alert> alerts = {}) {
    config.domains = {{.name = "example.test"}};
    follower.emplace(recorder, Recorder::RestoredState{.alerts = std::move(alerts)}, config);
    Round round = next();
    targets = follower->adopt(round, config).change.appeared;
  }
  Round next() {
    now += Seconds{60};
    return {.at = now};
  }
  Follower::Consequences see_domain() {
    Round round = next();
    auto seen = scene.domain;
    seen.observed_at = now;
    return follower->follow(round, std::make_shared<const probes::DomainObservation>(seen), {},
                            seeing);
  }
  Follower::Consequences see_host() {
    Round round = next();
    auto seen = scene.mx();
    seen.observed_at = now;
    return follower->follow(round, std::make_shared<const probes::HostObservation>(seen), {},
                            seeing);
  }
  [[nodiscard]] bool is_open_at(const Subject& subject) const {
    return follower->book().any_open_at(subject, [](const Alert&) { return true; });
  }

  support::FakeRecorder recorder;
  config::Config config;
  support::Scene scene;
  std::optional<Follower> follower;
  Follower::Seeing seeing;
  std::vector<Target> targets;
  config::Time now = kNow;
};

const Target kDomain{.kind = Target::Kind::domain, .name = name("example.test")};
const Target kHost{.kind = Target::Kind::host, .name = name("mx.example.test")};

TEST_F(Following, EveryLookTellsWhichHostsAreToBeProbed) {
  start();
  EXPECT_THAT(targets, ElementsAre(kDomain));
  EXPECT_THAT(see_domain().change.appeared, ElementsAre(kHost));
  // Whoever lost that hears of it again.
  EXPECT_THAT(see_domain().change.appeared, ElementsAre(kHost));
}

TEST_F(Following, ADomainIsJudgedWhenTheLastOfItsHostsWasSeen) {
  start();
  see_domain();
  EXPECT_EQ(follower->inventory().domain(kDomain.name)->judged, nullptr);
  const auto led_to = see_host();
  ASSERT_NE(led_to.host, nullptr);
  EXPECT_EQ(led_to.host->name, kHost.name);
  const auto judged = follower->inventory().domain(kDomain.name)->judged;
  ASSERT_NE(judged, nullptr);
  EXPECT_EQ(judged->verdict, probes::Verdict::authenticated);
}

TEST_F(Following, WhatAFaultOfOursHidEndsNoAlert) {
  const Subject domain{.kind = Subject::Kind::domain, .name = "example.test"};
  start({firing_at(domain, probes::Code::rrsig_expiring)});
  seeing.blocked = SelfCheck{.check = "smtp_ipv4", .is_up = false, .detail = "blocked"};
  see_domain();
  see_host();
  for (int i = 0; i < 3; ++i) see_domain();
  EXPECT_TRUE(is_open_at(domain)) << "nothing is known of the domain while port 25 is blocked";
  seeing.blocked.reset();
  see_host();
  for (int i = 0; i < 3; ++i) see_domain();
  EXPECT_FALSE(is_open_at(domain)) << "two clean looks end it";
}

TEST_F(Following, AfterARestartHostsAreNotGivenUpBeforeTheirDomainsAreKnown) {
  const Subject host{.kind = Subject::Kind::host, .name = "mx.example.test"};
  start({firing_at(host, probes::Code::tlsa_mismatch)});
  const auto whole = scene.domain;
  scene.domain.mx =
      support::failed("example.test", probes::dns::type::mx, probes::dns::Cause::servfail);
  scene.domain.hosts.clear();
  for (int i = 0; i < 3; ++i) see_domain();
  EXPECT_TRUE(is_open_at(host)) << "the look learned nothing: the host may well be one of its";
  scene.domain = whole;
  scene.domain.hosts = {{.name = name("other.test"), .preference = 10}};
  see_domain();
  EXPECT_FALSE(is_open_at(host)) << "now it is known that nobody uses it";
}

TEST_F(Following, WhoeverIsNotWatchedIsPassedOver) {
  start();
  scene.domain.domain = name("stranger.test");
  EXPECT_FALSE(follower->is_watched({.kind = Target::Kind::domain, .name = scene.domain.domain}));
  EXPECT_THAT(see_domain().change.appeared, IsEmpty());
  EXPECT_FALSE(follower->is_watched(kHost));
  EXPECT_EQ(see_host().host, nullptr);
}

TEST_F(Following, AStepOfTheClockMovesUntilWhenSetsAreForgotten) {
  start();
  see_domain();
  see_host();
  HostHistory history;
  history.forgotten_until = kNow + Seconds{600};
  restate(history, {.before = kNow, .after = kNow + Seconds{3600}, .by = Seconds{3600}});
  EXPECT_EQ(history.forgotten_until, kNow + Seconds{4200}) << "ten minutes are still to go";
}

}  // namespace

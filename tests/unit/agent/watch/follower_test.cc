#include "agent/watch/follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/status.h"
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
  Follower::Consequences see_host(const std::string& host = "mx.example.test") {
    Round round = next();
    auto seen = scene.hosts.at(host);
    seen.observed_at = now;
    auto led_to =
        follower->follow(round, std::make_shared<const probes::HostObservation>(seen), {}, seeing);
    last = std::move(round);
    return led_to;
  }
  [[nodiscard]] bool is_open_at(const Subject& subject) const {
    return follower->book().any_open_at(subject, [](const Alert&) { return true; });
  }

  support::FakeRecorder recorder;
  config::Config config;
  support::Scene scene;
  std::optional<Follower> follower;
  Seeing seeing;
  Round last;  // of a look at the host
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

// The history would otherwise say that nobody looked.
TEST_F(Following, EveryLookAtAHostHasItsVerdict) {
  start();
  see_domain();
  for (int i = 0; i < 3; ++i) {
    see_host();
    ASSERT_NE(last.host_judged, nullptr);
    EXPECT_EQ(last.host_judged->verdict, probes::Verdict::authenticated);
    EXPECT_EQ(last.judged.size(), i == 0 ? 1U : 0U) << "what is as it was is not judged anew";
  }
  const auto& pki = support::Pki::get();
  scene.serve({pki.old_leaf.certificate, pki.inter.certificate});
  see_host();
  EXPECT_EQ(last.host_judged->verdict, probes::Verdict::refused);
}

// Or its history would show changes where there are none.
TEST_F(Following, OfUsersWhoFareAlikeAHostsVerdictIsThatOfTheGravestWhoeverWasSeenFirst) {
  const auto& pki = support::Pki::get();
  scene.serve({pki.old_leaf.certificate, pki.inter.certificate});
  for (const bool is_own_first : {true, false}) {
    config.domains = {{.name = "own.test", .role = config::Role::inbound},
                      {.name = "partner.test", .role = config::Role::outbound}};
    follower.emplace(recorder, Recorder::RestoredState{}, config);
    auto round = next();
    (void)follower->adopt(round, config);
    for (const bool is_own : {is_own_first, !is_own_first}) {
      scene.domain.domain = name(is_own ? "own.test" : "partner.test");
      see_domain();
    }
    see_host();
    ASSERT_NE(last.host_judged, nullptr);
    EXPECT_EQ(probes::worst_severity(last.host_judged->findings), probes::Severity::critical)
        << "own first: " << is_own_first;
  }
}

// A large provider's fault is not kept a million times.
TEST_F(Following, DomainsKeepWhatTheySeeAlikeAtAHostOnce) {
  const auto& pki = support::Pki::get();
  scene.serve({pki.old_leaf.certificate, pki.inter.certificate});
  config.domains = {{.name = "a.test", .role = config::Role::outbound},
                    {.name = "b.test", .role = config::Role::outbound},
                    {.name = "own.test", .role = config::Role::inbound}};
  follower.emplace(recorder, Recorder::RestoredState{}, config);
  auto round = next();
  (void)follower->adopt(round, config);
  std::vector<std::shared_ptr<const probes::DomainJudgement>> judged;
  for (const auto* who : {"a.test", "b.test", "own.test"}) {
    scene.domain.domain = name(who);
    see_domain();
  }
  see_host();
  for (const auto* who : {"a.test", "b.test", "own.test"})
    judged.push_back(follower->inventory().domain(name(who))->judged);
  ASSERT_FALSE(judged[0]->findings.empty());
  EXPECT_EQ(judged[0]->hosts.list(), judged[1]->hosts.list());
  for (std::size_t i = 0; i < judged[0]->findings.size(); ++i) {
    if (judged[0]->findings[i].subject.kind != Subject::Kind::host) continue;
    EXPECT_EQ(judged[0]->findings.shared(i), judged[1]->findings.shared(i));
    EXPECT_EQ(judged[0]->findings.shared(i), judged[0]->hosts[0].findings.shared(i));
  }
  // What is not alike stays apart.
  EXPECT_NE(judged[0]->hosts.list(), judged[2]->hosts.list());
  EXPECT_EQ(judged[0]->severity, probes::Severity::high);
  EXPECT_EQ(judged[2]->severity, probes::Severity::critical);
}

// Where another host takes the mail it is less grave for a domain than for the host.
TEST_F(Following, DomainsKeepOnceWhatOnlyTheyMakeOfAHost) {
  const auto& pki = support::Pki::get();
  scene.add_host("mx2.example.test", 20);
  scene.serve({pki.old_leaf.certificate, pki.inter.certificate});
  config.domains = {{.name = "a.test", .role = config::Role::inbound},
                    {.name = "b.test", .role = config::Role::inbound}};
  follower.emplace(recorder, Recorder::RestoredState{}, config);
  auto round = next();
  (void)follower->adopt(round, config);
  for (const auto* who : {"a.test", "b.test"}) {
    scene.domain.domain = name(who);
    see_domain();
  }
  see_host();
  see_host("mx2.example.test");
  const auto a = follower->inventory().domain(name("a.test"))->judged;
  const auto b = follower->inventory().domain(name("b.test"))->judged;
  const auto place_of = [](const probes::Findings& findings) {
    const auto found =
        std::ranges::find(findings, probes::Code::tlsa_mismatch, &probes::Finding::code);
    return static_cast<std::size_t>(found - findings.begin());
  };
  const auto place = place_of(a->findings);
  ASSERT_LT(place, a->findings.size());
  EXPECT_TRUE(a->findings[place].is_carried);
  EXPECT_FALSE(a->hosts[0].findings[place_of(a->hosts[0].findings)].is_carried);
  EXPECT_EQ(a->findings.shared(place), b->findings.shared(place_of(b->findings)));
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

// Its letter does not say that it were over.
TEST_F(Following, AMismatchThatNobodyCanSeeGoesOnBelowWhatHidesIt) {
  const Subject host{.kind = Subject::Kind::host, .name = "mx.example.test"};
  start();
  see_domain();
  scene.serve({support::Pki::get().old_leaf.certificate, support::Pki::get().inter.certificate});
  for (int i = 0; i < 2; ++i) see_host();
  ASSERT_TRUE(is_open_at(host));
  for (auto& session : scene.mx().sessions) {
    session.stage = probes::smtp::Stage::starttls;
    session.stop = probes::smtp::SessionStop::not_offered;
    session.has_masked_starttls = true;
    session.tls.reset();
  }
  std::vector<std::string> reasons;
  std::vector<probes::Code> open;
  for (int i = 0; i < 4; ++i) {
    see_host();
    for (const auto& one : last.transitions) {
      if (one.what == Transition::What::resolved) reasons.push_back(one.reason);
    }
  }
  (void)follower->book().any_open_at(host, [&](const Alert& alert) {
    open.push_back(alert.finding.code);
    return false;
  });
  EXPECT_THAT(open, ElementsAre(probes::Code::starttls_stripped));
  EXPECT_THAT(reasons, ElementsAre(testing::HasSubstr("goes on below")));
}

// Whom it hits is decided by looks at the host, which are not to be waited for an interval long.
TEST_F(Following, ADomainThatATroubledHostHitsTooHasItLookedAtAgain) {
  config.domains.push_back({.name = "other.test"});
  start();
  config.domains = {{.name = "example.test"}, {.name = "other.test"}};
  Round round = next();
  follower->adopt(round, config);
  const auto see_other = [&] {
    auto seen = scene.domain;
    seen.domain = seen.mx.name = seen.mx.final_name = name("other.test");
    seen.observed_at = now;
    Round at_hand = next();
    return follower->follow(at_hand, std::make_shared<const probes::DomainObservation>(seen), {},
                            seeing);
  };
  see_domain();
  see_host();
  EXPECT_THAT(see_other().spread, IsEmpty()) << "all is well there";
  scene.serve({support::Pki::get().old_leaf.certificate, support::Pki::get().inter.certificate});
  follower->adopt(round, [&] {
    auto fewer = config;
    fewer.domains.pop_back();
    return fewer;
  }());
  for (int i = 0; i < 2; ++i) see_host();
  follower->adopt(round, config);
  EXPECT_THAT(see_other().spread, ElementsAre(kHost));
  EXPECT_THAT(see_other().spread, IsEmpty()) << "known by now";
  see_host();
  ASSERT_EQ(follower->book().open().size(), 1U);
  EXPECT_THAT(follower->book().open().begin()->second.domains,
              ElementsAre("example.test", "other.test"));
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

// One whose records cannot be learned, perhaps for ever, holds up only what was its own.
TEST_F(Following, AfterARestartADomainThatFailsKeepsOnlyItsOwnHosts) {
  const Subject its{.kind = Subject::Kind::host, .name = "mx.failing.test"};
  const Subject shared{.kind = Subject::Kind::host, .name = "mx.shared.test"};
  const Subject others{.kind = Subject::Kind::host, .name = "mx.gone.test"};
  const Subject nobodys{.kind = Subject::Kind::host, .name = "mx.nobody.test"};
  std::vector<Alert> alerts;
  const auto add = [&](const Subject& host, const std::vector<std::string>& domains) {
    auto alert = firing_at(host, probes::Code::tlsa_mismatch);
    alert.id = host.name;
    alert.hits[0].domains = alert.domains = domains;
    alerts.push_back(alert);
  };
  add(its, {"failing.test"});
  add(shared, {"example.test", "failing.test"});
  add(others, {"example.test"});
  add(nobodys, {"unwatched.test"});
  config.domains = {{.name = "example.test"}, {.name = "failing.test"}};
  follower.emplace(recorder, Recorder::RestoredState{.alerts = alerts}, config);
  auto round = next();
  follower->adopt(round, config);
  EXPECT_FALSE(is_open_at(nobodys));
  EXPECT_TRUE(is_open_at(others));
  see_domain();
  EXPECT_FALSE(is_open_at(others));
  EXPECT_TRUE(is_open_at(its));
  EXPECT_TRUE(is_open_at(shared));
  scene.domain.domain = name("failing.test");
  const auto whole = scene.domain;
  scene.domain.mx =
      support::failed("failing.test", probes::dns::type::mx, probes::dns::Cause::servfail);
  see_domain();
  EXPECT_TRUE(is_open_at(its)) << "nothing was learned";
  // A reload asks the same again.
  round = next();
  follower->adopt(round, config);
  EXPECT_TRUE(is_open_at(its));
  EXPECT_TRUE(is_open_at(shared));
  scene.domain = whole;
  see_domain();
  EXPECT_FALSE(is_open_at(its));
  EXPECT_FALSE(is_open_at(shared));
}

TEST_F(Following, AnExceptionEndsWithItsDomainAndDoesNotComeBack) {
  config.domains = {{.name = "example.test"}};
  const auto made = [](const std::string& domain) {
    return Exception{
        .domain = domain, .level = "encrypt", .made_at = kNow, .until = kNow + Seconds{86'400}};
  };
  follower.emplace(
      recorder,
      Recorder::RestoredState{.exceptions = {made("example.test"), made("taken-out.test")}},
      config);
  auto round = next();
  follower->adopt(round, config);
  EXPECT_THAT(round.ended_exceptions, ElementsAre("taken-out.test"));
  EXPECT_THAT(follower->exceptions(), testing::SizeIs(1));
  const auto before = std::exchange(config.domains, {});
  round = next();
  follower->adopt(round, config);
  EXPECT_THAT(round.ended_exceptions, ElementsAre("example.test"));
  config.domains = before;
  round = next();
  follower->adopt(round, config);
  EXPECT_THAT(follower->exceptions(), IsEmpty());
}

// Who issues is learned of all hosts: right after a start none has told it yet.
TEST_F(Following, AnIssuerThatIsUncoveredIsNotOverBeforeAllHostsAreSeen) {
  const Subject host{.kind = Subject::Kind::host, .name = "mx.example.test"};
  config.domains = {{.name = "example.test"}, {.name = "teacher.test"}};
  follower.emplace(
      recorder,
      Recorder::RestoredState{.alerts = {firing_at(host, probes::Code::issuer_uncovered)}}, config);
  auto round = next();
  follower->adopt(round, config);
  see_domain();
  for (int i = 0; i < 3; ++i) see_host();
  EXPECT_TRUE(is_open_at(host)) << "the teacher was not looked at yet";
  scene.domain.domain = name("teacher.test");
  scene.domain.mx =
      support::failed("teacher.test", probes::dns::type::mx, probes::dns::Cause::servfail);
  see_domain();  // it has nothing to teach: nobody waits for it for ever
  for (int i = 0; i < 3; ++i) see_host();
  EXPECT_FALSE(is_open_at(host));
}

TEST_F(Following, WhoeverIsNotWatchedIsPassedOver) {
  start();
  scene.domain.domain = name("stranger.test");
  EXPECT_FALSE(follower->is_watched({.kind = Target::Kind::domain, .name = scene.domain.domain}));
  EXPECT_THAT(see_domain().change.appeared, IsEmpty());
  EXPECT_FALSE(follower->is_watched(kHost));
  EXPECT_EQ(see_host().host, nullptr);
}

// ---- certificates to come

class Foreseeing : public Following {
 protected:
  static Chain issued(const std::string& host) {
    const auto leaf = support::issue({.common_name = host, .dns_names = {host}},
                                     support::Key::ecdsa(), support::Pki::get().inter);
    return {leaf.certificate, support::Pki::get().inter.certificate};
  }
  Round show(const Chain& chain) {
    Round round = next();
    auto announced = announce(chain, "certspotter", round.at);
    told = follower->announce(round, *announced, seeing);
    return round;
  }
  [[nodiscard]] std::vector<AlertState> states() const {
    std::vector<AlertState> out;
    (void)follower->book().any_open_at(
        {.kind = Subject::Kind::host, .name = "mx.example.test"}, [&](const Alert& alert) {
          if (alert.finding.code == probes::Code::next_key_unpublished) out.push_back(alert.state);
          return false;
        });
    return out;
  }
  Follower::Announced told;
};

TEST_F(Foreseeing, AKeyWithoutARecordIsConfirmedByTheNextLook) {
  start();
  see_domain();
  see_host();
  const auto round = show(issued("mx.example.test"));
  ASSERT_EQ(told.foreseen.hosts.size(), 1U);
  EXPECT_EQ(told.foreseen.hosts[0].is_covered, false);
  EXPECT_THAT(told.led_to.now, ElementsAre(kHost)) << "it is looked at at once";
  EXPECT_EQ(round.announced.size(), 1U);
  EXPECT_THAT(states(), ElementsAre(AlertState::pending));
  see_host();
  EXPECT_THAT(states(), ElementsAre(AlertState::firing));
  // What a planned change of this key expects, and no other.
  const auto key = probes::dane::to_hex(round.announced[0].chain.front()->spki_sha256);
  EXPECT_TRUE(follower->book().any_open_at(
      {.kind = Subject::Kind::host, .name = "mx.example.test"}, [&](const Alert& alert) {
        return alert.hits.front().refused_keys == std::vector<std::string>{key};
      }));
}

TEST_F(Foreseeing, ALookAtTheRecordsIsEnoughToConfirmIt) {
  start();
  see_domain();
  see_host();
  const auto look_at_records = [&] {
    auto seen = scene.hosts.at("mx.example.test");
    seen.sessions.clear();
    auto round = next();
    seen.observed_at = round.at;
    follower->confirm_next_key(
        round, {.host = std::make_shared<const probes::HostObservation>(seen)}, seeing);
    return round;
  };
  EXPECT_FALSE(follower->awaits_records(name("mx.example.test")));
  const auto chain = issued("mx.example.test");
  show(chain);
  EXPECT_TRUE(follower->awaits_records(name("mx.example.test")));
  const auto before = scene;
  scene.publish({support::record(3, 1, 1, *chain.front())});
  look_at_records();
  EXPECT_THAT(states(), ElementsAre(AlertState::pending)) << "it was published in between";
  scene = before;
  EXPECT_TRUE(look_at_records().recorded.has_value()) << "what was seen is its evidence";
  EXPECT_THAT(states(), ElementsAre(AlertState::firing));
  EXPECT_FALSE(follower->awaits_records(name("mx.example.test")));
}

TEST_F(Foreseeing, ShownAgainItConfirmsNothing) {
  start();
  see_domain();
  see_host();
  const auto chain = issued("mx.example.test");
  show({chain.front()});
  const auto again = show({chain.front()});
  EXPECT_TRUE(again.announced.empty());
  const auto whole = show(chain);
  EXPECT_TRUE(whole.announced.empty()) << "its issuer was known from the host";
  EXPECT_THAT(states(), ElementsAre(AlertState::pending)) << "only a look does";
}

TEST_F(Foreseeing, NoOtherTroubleIsConfirmedByWhatIsShown) {
  start();
  see_domain();
  scene.serve({support::Pki::get().old_leaf.certificate, support::Pki::get().inter.certificate});
  see_host();
  const auto looks = [&] {
    std::vector<int> out;
    (void)follower->book().any_open_at({.kind = Subject::Kind::host, .name = "mx.example.test"},
                                       [&](const Alert& alert) {
                                         if (alert.finding.code == probes::Code::tlsa_mismatch)
                                           out.push_back(alert.looks_seen);
                                         return false;
                                       });
    return out;
  };
  ASSERT_THAT(looks(), ElementsAre(1));
  show(issued("mx.example.test"));
  show(issued("mx.example.test"));
  EXPECT_THAT(looks(), ElementsAre(1)) << "nobody has looked";
}

TEST_F(Foreseeing, ItEndsWhenTheRecordIsPublished) {
  start();
  see_domain();
  see_host();
  const auto chain = issued("mx.example.test");
  show(chain);
  see_host();
  scene.publish({support::record(3, 1, 1, *support::Pki::get().leaf.certificate),
                 support::record(3, 1, 1, *chain.front())});
  see_host();
  EXPECT_THAT(states(), ElementsAre(AlertState::firing)) << "one clean look is none";
  see_host();
  EXPECT_THAT(states(), IsEmpty());
}

TEST_F(Foreseeing, AKeyThatIsForNoMailIsToldOfNoMore) {
  start();
  see_domain();
  see_host();
  const auto chain = issued("mx.example.test");
  show(chain);
  see_host();
  Round round = next();
  const NotForMail said{.key = probes::dane::to_hex(chain.front()->spki_sha256), .by = "alice"};
  EXPECT_EQ(follower->set_not_for_mail(round, said), std::nullopt);
  EXPECT_THAT(round.not_for_mail, ElementsAre(said));
  EXPECT_THAT(follower->targets_of_key(said.key), ElementsAre(kHost));
  see_host();
  see_host();
  EXPECT_THAT(states(), IsEmpty());
  EXPECT_EQ(follower->set_for_mail(round, said.key), std::nullopt);
  see_host();
  EXPECT_THAT(states(), ElementsAre(AlertState::pending));
}

TEST_F(Foreseeing, WhatIsForNobodyIsNotStoredOnceAllHostsAreKnown) {
  start();
  const auto chain = issued("mx.elsewhere.test");
  EXPECT_EQ(show(chain).announced.size(), 1U) << "a host of that name may come";
  EXPECT_EQ(told.foreseen.domains_unseen, 1U);
  see_domain();
  see_host();
  EXPECT_TRUE(show(issued("mx.third.test")).announced.empty());
  EXPECT_TRUE(told.foreseen.hosts.empty());
  EXPECT_EQ(told.foreseen.domains_unseen, 0U);
}

TEST_F(Foreseeing, WhatIsForNobodyIsHeldAgainstHostsThatCome) {
  start();
  const auto whole = scene.domain;
  scene.domain.hosts = {{.name = name("other.test"), .preference = 10}};
  see_domain();
  EXPECT_TRUE(show(issued("mx.example.test")).announced.empty());
  EXPECT_THAT(told.led_to.now, IsEmpty());
  scene.domain = whole;
  see_domain();
  see_host();
  EXPECT_EQ(last.announced.size(), 1U) << "now it is stored";
  see_host();
  EXPECT_THAT(last.announced, IsEmpty());
  EXPECT_THAT(states(), ElementsAre(AlertState::firing));
}

TEST_F(Foreseeing, ItIsKnownAfterARestart) {
  config.domains = {{.name = "example.test"}};
  const auto chain = issued("mx.example.test");
  follower.emplace(recorder, Recorder::RestoredState{.announced = {*announce(chain, "", kNow)}},
                   config);
  Round round = next();
  targets = follower->adopt(round, config).change.appeared;
  see_domain();
  see_host();
  see_host();
  EXPECT_THAT(states(), ElementsAre(AlertState::firing));
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

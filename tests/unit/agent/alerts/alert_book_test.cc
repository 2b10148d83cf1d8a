#include "agent/alerts/alert_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/alerts/notice.h"
#include "agent/lists/list_health.h"
#include "tests/support/domains.h"
#include "tests/support/scene.h"

// The book on a fake clock: what looks, people and time make of alerts, and whom that reaches.
namespace {

using namespace agent;
using probes::Code;
using probes::Severity;
using probes::Subject;
using support::kNow;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;

constexpr config::Seconds kMinute{60};
const std::string kOldKey(64, 'a');
const std::string kNewKey(64, 'b');

Subject host(const std::string& name) {
  return {.kind = Subject::Kind::host, .name = name};
}

Trouble mismatch(const std::string& name = "mx.a.test",
                 std::vector<std::string> domains = {"a.test"},
                 Severity severity = Severity::critical) {
  return {.cause = host(name),
          .finding = {.code = Code::tlsa_mismatch, .severity = severity, .subject = host(name)},
          .domains = std::move(domains)};
}

// A book with two recipients, and what reached them as "opened chat".
class TestBook {
 public:
  explicit TestBook(std::vector<Alert> alerts = {}, std::vector<Silence> silences = {})
      : book(std::move(alerts), std::move(silences)) {}

  bool look(const std::string& name, const std::vector<Trouble>& troubles, bool is_told = true) {
    auto round = begin();
    const bool again =
        book.follow(round, host(name), troubles, [&](const Alert&) { return is_told; });
    finish(std::move(round));
    return again;
  }
  void tick(config::Seconds time = kMinute) {
    now += time - kMinute;
    finish(begin());
  }
  template <class Act>
  bool act(Act work) {
    auto round = begin();
    const bool done = work(round);
    finish(std::move(round));
    return done;
  }
  // Says what was told since it was asked last.
  std::vector<std::string> heard() { return std::exchange(heard_, {}); }
  const Alert& only() const {
    EXPECT_EQ(book.open().size(), 1U);
    return book.open().begin()->second;
  }

  AlertBook book;
  config::Time now = kNow;
  bool is_blind = false;
  Audience audience{.recipients = {{"chat", Severity::medium}, {"pager", Severity::critical}},
                    .remind_after = std::chrono::hours{4}};
  Domains domains =
      support::configured({{"a.test", {.name = "a.test", .group = "ours"}},
                           {"b.test", {.name = "b.test", .role = config::Role::outbound}}});
  std::map<std::string, std::shared_ptr<const probes::DomainJudgement>> judged;
  Round last;

 private:
  Round begin() {
    now += kMinute;
    return {.at = now};
  }
  void finish(Round round) {
    const Watched watched{.domains = domains,
                          .judged = [&](const std::string& name) { return judged[name].get(); },
                          .users = [](const std::string&) { return std::vector<std::string>{}; }};
    book.tell(round, audience, watched, is_blind);
    for (const auto& notification : round.notifications)
      heard_.push_back(std::string(wire_name(notification.notice)) + " " + notification.notifier);
    last = std::move(round);
  }
  std::vector<std::string> heard_;
};

TEST(AlertBook, TellsEverybodyOnceWhenTroubleIsConfirmedAndOnceWhenItIsOver) {
  TestBook tested;
  EXPECT_TRUE(tested.look("mx.a.test", {mismatch()})) << "to be looked at again soon";
  EXPECT_THAT(tested.heard(), IsEmpty());
  EXPECT_FALSE(tested.look("mx.a.test", {mismatch()}));
  EXPECT_THAT(tested.heard(), ElementsAre("opened chat", "opened pager"));
  tested.look("mx.a.test", {mismatch()});
  EXPECT_TRUE(tested.look("mx.a.test", {}));
  EXPECT_THAT(tested.heard(), IsEmpty());
  tested.look("mx.a.test", {});
  EXPECT_THAT(tested.heard(), ElementsAre("resolved chat", "resolved pager"));
  tested.tick();
  EXPECT_THAT(tested.heard(), IsEmpty());
}

// Owners of a group and of partners, and nobody who hears all.
Audience owners() {
  return {.recipients = {{"ours", Severity::medium, matchers_of({"group=ours"})},
                         {"partners", Severity::medium, matchers_of({"role=outbound"})}}};
}

TEST(AlertBook, TellsEachOwnerOfTheirOwnAndOfItsEnd) {
  TestBook tested;
  tested.audience = owners();
  tested.look("mx.a.test", {mismatch()});
  tested.look("mx.a.test", {mismatch()});
  EXPECT_THAT(tested.heard(), ElementsAre("opened ours"));
  tested.look("mx.a.test", {});
  tested.look("mx.a.test", {});
  EXPECT_THAT(tested.heard(), ElementsAre("resolved ours"));
}

TEST(AlertBook, TellsAnOwnerWhoseDomainIsHitLater) {
  TestBook tested;
  tested.audience = owners();
  tested.look("mx.a.test", {mismatch()});
  tested.look("mx.a.test", {mismatch()});
  tested.heard();
  tested.look("mx.a.test", {mismatch("mx.a.test", {"a.test", "b.test"})});
  EXPECT_THAT(tested.heard(), ElementsAre("opened partners"));
  tested.tick();
  EXPECT_THAT(tested.heard(), IsEmpty());
  // One of them is out of it: who was told hears of the end all the same.
  tested.look("mx.a.test", {mismatch()});
  tested.look("mx.a.test", {});
  tested.look("mx.a.test", {});
  EXPECT_THAT(tested.heard(), ElementsAre("resolved ours", "resolved partners"));
}

TEST(AlertBook, TellsOfAnEndWhoeverMayHaveHeardOfItWhenThatIsNotKnown) {
  TestBook before;
  before.look("mx.a.test", {mismatch()});
  before.look("mx.a.test", {mismatch()});
  auto alert = before.only();
  alert.told_to.reset();  // as it was told before that was kept
  TestBook tested({alert});
  tested.now = before.now;
  tested.audience = owners();
  tested.look("mx.a.test", {mismatch("mx.a.test", {"a.test", "b.test"})});
  EXPECT_THAT(tested.heard(), IsEmpty());
  tested.look("mx.a.test", {});
  tested.look("mx.a.test", {});
  EXPECT_THAT(tested.heard(), ElementsAre("resolved ours", "resolved partners"));
}

TEST(AlertBook, KnowsAfterARestartWhoWasTold) {
  TestBook before;
  before.audience = owners();
  before.look("mx.a.test", {mismatch()});
  before.look("mx.a.test", {mismatch()});
  ASSERT_THAT(before.heard(), ElementsAre("opened ours"));
  ASSERT_EQ(before.last.alerts.size(), 1U) << "recorded with the look that told";
  TestBook after({before.last.alerts[0]});
  after.now = before.now;
  after.audience = owners();
  after.look("mx.a.test", {mismatch("mx.a.test", {"a.test", "b.test"})});
  EXPECT_THAT(after.heard(), ElementsAre("opened partners"));
  TestBook again({after.last.alerts[0]});
  again.now = after.now;
  again.audience = owners();
  again.tick();
  EXPECT_THAT(again.heard(), IsEmpty());
  again.look("mx.a.test", {});
  again.look("mx.a.test", {});
  EXPECT_THAT(again.heard(), ElementsAre("resolved ours", "resolved partners"));
}

// ---- what a letter to an owner is made of

Trouble of_both(Severity severity = Severity::critical) {
  auto out = mismatch("mx.a.test", {"a.test", "b.test"}, severity);
  out.finding.evidence = {{"served", "of whoever is first"}};
  return out;
}

std::shared_ptr<const probes::DomainJudgement> judged_as(const std::string& served) {
  probes::DomainJudgement out;
  out.findings = {{.code = Code::tlsa_mismatch,
                   .severity = Severity::high,
                   .subject = host("mx.a.test"),
                   .evidence = {{"served", served}}}};
  return std::make_shared<const probes::DomainJudgement>(std::move(out));
}

TEST(AlertBook, ALetterToAnOwnerIsOfTheirsOnly) {
  TestBook tested;
  tested.audience = owners();
  tested.audience.recipients.push_back({"all", Severity::medium});
  tested.audience.recipients.push_back(
      {"grave", Severity::medium, matchers_of({"severity=critical"})});
  tested.judged["b.test"] = judged_as("as b.test has it");
  tested.look("mx.a.test", {of_both()});
  tested.look("mx.a.test", {of_both()});
  std::map<std::string, Alert> letters;
  for (const auto& one : tested.last.notifications) letters[one.notifier] = one.alert;
  ASSERT_EQ(letters.size(), 4U);
  EXPECT_THAT(letters["ours"].domains, ElementsAre("a.test"));
  EXPECT_THAT(letters["partners"].domains, ElementsAre("b.test"));
  EXPECT_THAT(letters["partners"].hits[0].domains, ElementsAre("b.test"));
  EXPECT_EQ(letters["partners"].direction, config::Role::outbound);
  EXPECT_EQ(letters["partners"].finding.evidence[0].value, "as b.test has it");
  for (const auto* name : {"all", "grave"})
    EXPECT_THAT(letters[name].domains, ElementsAre("a.test", "b.test")) << name;
}

TEST(AlertBook, ALetterOfAnEndNamesNobodyOfWhomItIsNoMore) {
  TestBook tested;
  tested.audience = owners();
  tested.look("mx.a.test", {of_both()});
  tested.look("mx.a.test", {of_both()});
  for (int i = 0; i < 3; ++i) tested.look("mx.a.test", {mismatch()});
  tested.look("mx.a.test", {});
  tested.look("mx.a.test", {});
  const auto& letters = tested.last.notifications;
  ASSERT_EQ(letters.size(), 2U);
  EXPECT_THAT(letters[0].alert.domains, ElementsAre("a.test"));
  EXPECT_EQ(letters[1].notifier, "partners");
  EXPECT_THAT(letters[1].alert.domains, IsEmpty());
  EXPECT_THAT(letters[1].alert.hits, IsEmpty());
  EXPECT_EQ(letters[1].alert.finding.subject, host("mx.a.test")) << "what they were told of";
}

TEST(AlertBook, ADomainThatIsNotWatchedAnyMoreIsNoNewsToAnybody) {
  TestBook tested;
  tested.audience = {.recipients = {{"ours", Severity::medium, matchers_of({"group=ours"})},
                                    {"no group", Severity::medium, matchers_of({"group="})},
                                    {"not a", Severity::medium, matchers_of({"domain!=a.test"})}}};
  tested.domains = support::configured({{"a.test", {.name = "a.test", .group = "ours"}},
                                        {"c.test", {.name = "c.test", .group = "ours"}}});
  const auto both = mismatch("mx.a.test", {"a.test", "c.test"});
  tested.look("mx.a.test", {both});
  tested.look("mx.a.test", {both});
  EXPECT_THAT(tested.heard(), ElementsAre("opened ours", "opened not a"));
  // A reload took it out; the next look at the host has not come yet.
  tested.domains = support::configured({{"a.test", {.name = "a.test", .group = "ours"}}});
  tested.tick();
  EXPECT_THAT(tested.heard(), IsEmpty());
}

TEST(AlertBook, ALetterAboutAListNamesNothingOfIt) {
  const Subject list{.kind = Subject::Kind::monitor, .name = "domain_list:inventory"};
  const Trouble fault{.cause = list,
                      .finding = {.code = Code::monitor_fault,
                                  .severity = Severity::high,
                                  .subject = list,
                                  .evidence = {{"detail", "lost 1 of 2 names: c.test"}}},
                      .domains = {}};
  TestBook tested;
  tested.audience = owners();
  tested.audience.recipients[1].matchers = matchers_of({"code=monitor-fault"});
  for (int i = 0; i < 3; ++i) {
    tested.act([&](Round& round) {
      return tested.book.follow(round, list, {fault}, [](const Alert&) { return true; });
    });
    if (!tested.last.notifications.empty()) break;
  }
  std::map<std::string, std::string> told;
  for (const auto& one : tested.last.notifications)
    told[one.notifier] = one.alert.finding.evidence[0].value;
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told["ours"], kListInShort);
  EXPECT_THAT(told["partners"], HasSubstr("c.test")) << "who asks for such faults is no owner";
}

TEST(AlertBook, WhatIsWrongWithOurselvesReachesSomebody) {
  const Subject ours{.kind = Subject::Kind::monitor, .name = "dns"};
  const Trouble fault{
      .cause = ours,
      .finding = {.code = Code::monitor_fault, .severity = Severity::critical, .subject = ours},
      .domains = {}};
  const auto told = [&](const Audience& audience) {
    TestBook tested;
    tested.audience = audience;
    for (int i = 0; i < 3; ++i) {
      tested.act([&](Round& round) {
        return tested.book.follow(round, ours, {fault}, [](const Alert&) { return true; });
      });
    }
    return tested.heard();
  };
  EXPECT_THAT(told(owners()), ElementsAre("opened ours", "opened partners"));
  auto with_postmaster = owners();
  with_postmaster.recipients.push_back({"postmaster", Severity::medium});
  EXPECT_THAT(told(with_postmaster), ElementsAre("opened postmaster"));
}

TEST(AlertBook, TellsReadersOfGraveAlertsOnlyThoseAndWhenOneBecomesGrave) {
  TestBook tested;
  const auto mild = mismatch("mx.a.test", {"a.test"}, Severity::high);
  tested.look("mx.a.test", {mild});
  tested.look("mx.a.test", {mild});
  EXPECT_THAT(tested.heard(), ElementsAre("opened chat"));
  tested.look("mx.a.test", {mismatch()});
  EXPECT_THAT(tested.heard(), ElementsAre("escalated chat", "escalated pager"));
}

TEST(AlertBook, AnAlertThatGrowsCalmerIsNotToldAnew) {
  TestBook tested;
  tested.look("mx.a.test", {mismatch()});
  tested.look("mx.a.test", {mismatch()});
  tested.heard();
  const auto mild = mismatch("mx.a.test", {"a.test"}, Severity::high);
  tested.look("mx.a.test", {mild});
  EXPECT_EQ(tested.only().finding.severity, Severity::critical) << "the worst that it was";
  tested.look("mx.a.test", {mismatch()});
  EXPECT_THAT(tested.heard(), IsEmpty());
}

TEST(AlertBook, WhoWasNotToldOfTheTroubleIsNotToldOfItsEnd) {
  TestBook tested;
  const auto mild = mismatch("mx.a.test", {"a.test"}, Severity::high);
  tested.look("mx.a.test", {mild});
  tested.look("mx.a.test", {mild});
  tested.look("mx.a.test", {});
  tested.look("mx.a.test", {});
  EXPECT_THAT(tested.heard(), ElementsAre("opened chat", "resolved chat"));
}

TEST(AlertBook, ALetterHasAnIdOfItsOwnAndIsRecordedWithTheAlert) {
  TestBook tested;
  tested.look("mx.a.test", {mismatch()});
  tested.look("mx.a.test", {mismatch()});
  ASSERT_EQ(tested.last.notifications.size(), 2U);
  EXPECT_NE(tested.last.notifications[0].id, tested.last.notifications[1].id);
  ASSERT_EQ(tested.last.alerts.size(), 1U);
  EXPECT_EQ(tested.last.alerts[0].told_at, tested.now)
      << "the decision to tell is part of the round";
}

TEST(AlertBook, RemindsOfWhatNobodyHasInHand) {
  TestBook tested;
  tested.look("mx.a.test", {mismatch()});
  tested.look("mx.a.test", {mismatch()});
  tested.heard();
  tested.tick(std::chrono::hours{4} - kMinute);
  EXPECT_THAT(tested.heard(), IsEmpty());
  tested.tick();
  EXPECT_THAT(tested.heard(), ElementsAre("reminded chat", "reminded pager"));
  const auto id = tested.only().id;
  const auto until = tested.now + std::chrono::hours{24};
  EXPECT_TRUE(tested.act([&](Round& round) {
    return tested.book.acknowledge(round, id, Acknowledgement{.at = round.at, .until = until});
  }));
  tested.tick(std::chrono::hours{8});
  EXPECT_THAT(tested.heard(), IsEmpty());
  tested.tick(std::chrono::hours{16});
  EXPECT_THAT(tested.heard(), ElementsAre("reminded chat", "reminded pager"))
      << "the acknowledgement is over";
}

TEST(AlertBook, AnAcknowledgedAlertStillTellsItsEnd) {
  TestBook tested;
  tested.look("mx.a.test", {mismatch()});
  tested.look("mx.a.test", {mismatch()});
  const auto id = tested.only().id;
  EXPECT_FALSE(tested.act(
      [&](Round& round) { return tested.book.acknowledge(round, "no-such", Acknowledgement{}); }));
  EXPECT_TRUE(tested.act(
      [&](Round& round) { return tested.book.acknowledge(round, id, Acknowledgement{}); }));
  tested.heard();
  tested.look("mx.a.test", {});
  tested.look("mx.a.test", {});
  EXPECT_THAT(tested.heard(), ElementsAre("resolved chat", "resolved pager"));
}

// ---- one root cause

Trouble shared(const std::string& name, std::vector<std::string> domains) {
  auto out = mismatch(name, std::move(domains));
  out.cause = {.kind = Subject::Kind::owner, .name = "tlsa.provider.test"};
  return out;
}

TEST(AlertBook, HostsThatShareRecordsAreOneAlertThatNamesAllDomains) {
  TestBook tested;
  tested.look("mx1.test", {shared("mx1.test", {"a.test"})});
  tested.look("mx2.test", {shared("mx2.test", {"b.test"})});
  EXPECT_THAT(tested.heard(), IsEmpty()) << "another host is no second look";
  tested.look("mx1.test", {shared("mx1.test", {"a.test"})});
  EXPECT_THAT(tested.heard(), ElementsAre("opened chat", "opened pager"));
  EXPECT_THAT(tested.only().domains, ElementsAre("a.test", "b.test"));

  tested.look("mx1.test", {});
  tested.look("mx1.test", {});
  EXPECT_THAT(tested.only().domains, ElementsAre("b.test")) << "over at one, not at the other";
  EXPECT_EQ(tested.only().finding.subject, host("mx2.test")) << "and told of that one";
  tested.look("mx2.test", {shared("mx2.test", {"b.test"})});
  tested.look("mx2.test", {});
  EXPECT_THAT(tested.heard(), IsEmpty());
  tested.look("mx2.test", {});
  EXPECT_THAT(tested.heard(), ElementsAre("resolved chat", "resolved pager"));
}

TEST(AlertBook, WhatIsForgottenIsNotWrittenByTheSameRound) {
  TestBook tested;
  for (const auto* name : {"mx1.test", "mx2.test"}) {
    auto passing = shared(name, {"a.test"});
    passing.finding.code = Code::host_down;
    tested.look(name, {passing});
  }
  tested.act([&](Round& round) {
    tested.book.abandon(round, host("mx1.test"), "gone");
    tested.book.abandon(round, host("mx2.test"), "gone");
    return true;
  });
  EXPECT_THAT(tested.book.open(), IsEmpty());
  EXPECT_EQ(tested.last.forgotten.size(), 1U);
  EXPECT_THAT(tested.last.alerts, IsEmpty()) << "it would come back, shown and recorded";
}

TEST(AlertBook, AHostThatIsNoLongerWatchedLeavesTheAlertOfTheOthers) {
  TestBook tested;
  for (int i = 0; i < 2; ++i) {
    tested.look("mx1.test", {shared("mx1.test", {"a.test"})});
    tested.look("mx2.test", {shared("mx2.test", {"b.test"})});
  }
  tested.heard();
  tested.act([&](Round& round) {
    tested.book.abandon(round, host("mx1.test"), "gone");
    return true;
  });
  EXPECT_THAT(tested.only().domains, ElementsAre("b.test"));
  tested.act([&](Round& round) {
    tested.book.abandon(round, host("mx2.test"), "gone");
    return true;
  });
  EXPECT_THAT(tested.book.open(), IsEmpty());
  EXPECT_THAT(tested.heard(), ElementsAre("resolved chat", "resolved pager"));
}

// ---- unknown, flapping, blindness, restarts

Trouble early_retire() {
  return {.cause = host("mx.a.test"),
          .finding = {.code = Code::early_retire,
                      .severity = Severity::critical,
                      .subject = host("mx.a.test"),
                      .consequences = {{Code::tlsa_mismatch, host("mx.a.test")}}},
          .domains = {"a.test"}};
}

// The first look knew less: what explains it goes on with it, and is told once.
TEST(AlertBook, APendingMismatchGoesOnAsWhatExplainsIt) {
  TestBook tested;
  tested.look("mx.a.test", {mismatch()});
  tested.look("mx.a.test", {early_retire()});
  EXPECT_THAT(tested.heard(), ElementsAre("opened chat", "opened pager"));
  EXPECT_EQ(tested.only().finding.code, Code::early_retire);
  EXPECT_EQ(tested.book.firing_at(host("mx.a.test")), std::set{Code::early_retire});
  EXPECT_THAT(tested.book.firing_at(host("mx.b.test")), IsEmpty());
}

Trouble window() {
  return {.cause = host("mx.a.test"),
          .finding = {.code = Code::stale_cache_window,
                      .severity = Severity::critical,
                      .subject = host("mx.a.test")},
          .domains = {"a.test"}};
}

TEST(AlertBook, AMismatchMendedBeforeItWasConfirmedIsToldAsWhatCachesMakeOfIt) {
  TestBook tested;
  EXPECT_TRUE(tested.look("mx.a.test", {mismatch()}));
  EXPECT_THAT(tested.heard(), IsEmpty());
  // The record has been published; what caches hold goes on refusing: this is the second look.
  tested.look("mx.a.test", {window()}, false);
  EXPECT_THAT(tested.heard(), ElementsAre("opened chat", "opened pager"));
  EXPECT_EQ(tested.only().finding.code, Code::stale_cache_window);
  EXPECT_EQ(tested.only().first_seen_at, kNow + kMinute) << "when the mismatch was seen";
  tested.look("mx.a.test", {});
  tested.look("mx.a.test", {});
  EXPECT_THAT(tested.heard(), ElementsAre("resolved chat", "resolved pager"));
}

TEST(AlertBook, AWindowThatNoMismatchCameBeforeTakesTwoLooks) {
  TestBook tested;
  tested.look("mx.a.test", {window()});
  EXPECT_THAT(tested.heard(), IsEmpty());
  tested.look("mx.a.test", {window()});
  EXPECT_THAT(tested.heard(), ElementsAre("opened chat", "opened pager"));
}

TEST(AlertBook, ALookThatCouldNotTellChangesNothing) {
  TestBook tested;
  tested.look("mx.a.test", {mismatch()});
  tested.look("mx.a.test", {mismatch()});
  const auto before = tested.only();
  for (int i = 0; i < 5; ++i) tested.look("mx.a.test", {}, false);
  EXPECT_EQ(tested.only(), before);
}

TEST(AlertBook, WhatComesBackTheThirdTimeIsFlappingAndToldOnce) {
  TestBook tested;
  for (int i = 0; i < 2; ++i) {
    tested.look("mx.a.test", {mismatch()});
    tested.look("mx.a.test", {});
  }
  EXPECT_THAT(tested.heard(), IsEmpty()) << "two episodes";
  tested.look("mx.a.test", {mismatch()});
  EXPECT_TRUE(is_flapping(tested.only()));
  EXPECT_THAT(tested.heard(), ElementsAre("opened chat", "opened pager"));
  for (int i = 0; i < 5; ++i) {
    tested.look("mx.a.test", {});
    tested.look("mx.a.test", {mismatch()});
  }
  EXPECT_THAT(tested.heard(), IsEmpty());
}

TEST(AlertBook, NothingIsToldOfOthersWhileWeAreBlind) {
  TestBook tested;
  tested.look("mx.a.test", {mismatch()});
  tested.is_blind = true;
  tested.look("mx.a.test", {mismatch()});
  EXPECT_THAT(tested.heard(), IsEmpty());
  tested.is_blind = false;
  tested.tick();
  EXPECT_THAT(tested.heard(), ElementsAre("opened chat", "opened pager"));
}

TEST(AlertBook, GoesOnAfterARestartWithoutTellingAgain) {
  TestBook before;
  before.look("mx.a.test", {mismatch()});
  before.look("mx.a.test", {mismatch()});
  TestBook after({before.only()});
  after.now = before.now;
  after.look("mx.a.test", {mismatch()});
  EXPECT_THAT(after.heard(), IsEmpty());
  after.look("mx.a.test", {});
  after.look("mx.a.test", {});
  EXPECT_THAT(after.heard(), ElementsAre("resolved chat", "resolved pager"));
}

TEST(AlertBook, TellsAfterARestartWhatWasConfirmedAndNotTold) {
  TestBook before;
  before.is_blind = true;
  before.look("mx.a.test", {mismatch()});
  before.look("mx.a.test", {mismatch()});
  TestBook after({before.only()});
  after.now = before.now;
  after.tick();
  EXPECT_THAT(after.heard(), ElementsAre("opened chat", "opened pager"));
}

// ---- silences

Silence silence(std::vector<Matcher> matchers, std::optional<std::string> key = std::nullopt) {
  return {.id = "s",
          .matchers = std::move(matchers),
          .starts_at = kNow,
          .ends_at = kNow + std::chrono::hours{1},
          .expected_key = std::move(key)};
}

TEST(AlertBook, ASilenceKeepsQuietUntilItsEndAndThenTells) {
  TestBook tested({}, {silence({{.name = "mx", .value = "mx.a.test"}})});
  tested.look("mx.a.test", {mismatch()});
  tested.look("mx.a.test", {mismatch()});
  EXPECT_EQ(tested.only().state, AlertState::firing) << "silent, not blind";
  EXPECT_THAT(tested.heard(), IsEmpty());
  tested.tick(std::chrono::hours{1});
  EXPECT_THAT(tested.heard(), ElementsAre("opened chat", "opened pager"));
}

TEST(AlertBook, ASilenceThatIsEndedTellsAtOnce) {
  TestBook tested;
  tested.act([&](Round& round) {
    tested.book.put(round, silence({{.name = "code", .value = "tlsa-mismatch"}}));
    return true;
  });
  ASSERT_EQ(tested.last.silences.size(), 1U) << "recorded";
  tested.look("mx.a.test", {mismatch()});
  tested.look("mx.a.test", {mismatch()});
  EXPECT_THAT(tested.heard(), IsEmpty());
  EXPECT_TRUE(tested.act([&](Round& round) { return tested.book.end_silence(round, "s"); }));
  EXPECT_THAT(tested.heard(), ElementsAre("opened chat", "opened pager"));
  EXPECT_FALSE(tested.act([&](Round& round) { return tested.book.end_silence(round, "s"); }));
}

TEST(AlertBook, WhatIsOverUnderASilenceWasNeverTold) {
  TestBook tested({}, {silence({{.name = "mx", .value = "mx.a.test"}})});
  tested.look("mx.a.test", {mismatch()});
  tested.look("mx.a.test", {mismatch()});
  tested.look("mx.a.test", {});
  tested.look("mx.a.test", {});
  tested.tick(std::chrono::hours{2});
  EXPECT_THAT(tested.heard(), IsEmpty());
}

struct MatcherCase {
  const char* says;
  std::vector<Matcher> matchers;
  std::vector<std::string> domains;
  bool is_silent;
};

class Matching : public testing::TestWithParam<MatcherCase> {};

TEST_P(Matching, AsTheCaseSays) {
  TestBook tested({}, {silence(GetParam().matchers)});
  for (int i = 0; i < 2; ++i) tested.look("mx.a.test", {mismatch("mx.a.test", GetParam().domains)});
  EXPECT_EQ(tested.heard().empty(), GetParam().is_silent) << GetParam().says;
}

INSTANTIATE_TEST_SUITE_P(
    Silences, Matching,
    testing::Values(MatcherCase{"all matchers must match",
                                {{.name = "mx", .value = "mx.a.test"},
                                 {.name = "severity", .value = "high"}},
                                {"a.test"},
                                false},
                    MatcherCase{"a silence of one domain leaves the other's alert",
                                {{.name = "domain", .value = "a.test"}},
                                {"a.test", "b.test"},
                                false},
                    MatcherCase{"a silence of every domain hit",
                                {{.name = "domain", .value = "[ab]\\.test", .is_regex = true}},
                                {"a.test", "b.test"},
                                true},
                    MatcherCase{"a pattern matches the whole label",
                                {{.name = "domain", .value = "a", .is_regex = true}},
                                {"a.test"},
                                false},
                    MatcherCase{"not equal",
                                {{.name = "domain", .value = "b.test", .is_equal = false}},
                                {"a.test"},
                                true},
                    MatcherCase{"a label that is not there is empty",
                                {{.name = "owner", .value = ""}},
                                {"a.test"},
                                true},
                    MatcherCase{"the group of the configuration",
                                {{.name = "group", .value = "ours"}},
                                {"a.test"},
                                true},
                    MatcherCase{"the direction of each domain",
                                {{.name = "direction", .value = "outbound"}},
                                {"a.test", "b.test"},
                                false},
                    MatcherCase{"the alert's name",
                                {{.name = "alertname", .value = "DanelawTlsaMismatch"}},
                                {"a.test"},
                                true}));

TEST(AlertBook, AMaintenanceWindowIsSilentForTheExpectedKeyOnly) {
  TestBook tested({}, {silence({{.name = "mx", .value = "mx.a.test"}}, kNewKey)});
  auto planned = mismatch();
  planned.refused_keys = {kNewKey};
  tested.look("mx.a.test", {planned});
  tested.look("mx.a.test", {planned});
  EXPECT_THAT(tested.heard(), IsEmpty());
  auto other = mismatch();
  other.refused_keys = {kOldKey, kNewKey};
  tested.look("mx.a.test", {other});
  EXPECT_THAT(tested.heard(), ElementsAre("opened chat", "opened pager"))
      << "the old key is refused: its record was taken away too early";
}

TEST(AlertBook, AMaintenanceWindowDoesNotHideTroubleThatIsNotAboutKeys) {
  TestBook tested({}, {silence({{.name = "mx", .value = "mx.a.test"}}, kNewKey)});
  auto other = mismatch();
  other.finding.code = Code::starttls_missing;
  tested.look("mx.a.test", {other});
  tested.look("mx.a.test", {other});
  EXPECT_THAT(tested.heard(), ElementsAre("opened chat", "opened pager"));
}

TEST(Silence, IsRefusedWithAReason) {
  EXPECT_EQ(fault_of(silence({{.name = "mx", .value = "a"}}, kNewKey)), std::nullopt);
  EXPECT_NE(fault_of(silence({})), std::nullopt) << "would silence everything";
  EXPECT_NE(fault_of(silence({{.name = "mx", .value = "(", .is_regex = true}})), std::nullopt);
  EXPECT_NE(fault_of(silence({{.name = "mx", .value = "a\nb"}})), std::nullopt);
  EXPECT_NE(fault_of(silence({{.name = "", .value = "a"}})), std::nullopt);
  EXPECT_NE(fault_of(silence({{.name = "gruop", .value = "a", .is_equal = false}})), std::nullopt);
  EXPECT_NE(fault_of(silence({{.name = "mx", .value = "a"}}, "ABC")), std::nullopt);
  auto backwards = silence({{.name = "mx", .value = "a"}});
  backwards.ends_at = backwards.starts_at;
  EXPECT_NE(fault_of(backwards), std::nullopt);
}

TEST(Silence, ThatNoAlertCouldEverFitIsRefused) {
  for (const auto& [label, wrong, right, pattern] :
       {std::array{"severity", "catastrophic", "critical", "h.*|critical"},
        std::array{"role", "inbond", "inbound", "in.*"},
        std::array{"direction", "partner", "outbound", ".*bound"},
        std::array{"code", "tlsa-missmatch", "tlsa-mismatch", "tlsa-.*"},
        std::array{"alertname", "DanelawTLSAMismatch", "DanelawTlsaMismatch", ".*Mismatch"}}) {
    for (const bool is_equal : {true, false}) {
      const auto fault = [&](const char* value, bool is_regex) {
        return fault_of(Matcher{label, value, is_regex, is_equal});
      };
      EXPECT_THAT(fault(wrong, false), Optional(HasSubstr("no alert has that"))) << wrong;
      EXPECT_THAT(fault(wrong, true), Optional(HasSubstr("no alert has that"))) << wrong;
      EXPECT_EQ(fault(right, false), std::nullopt) << right;
      EXPECT_EQ(fault(pattern, true), std::nullopt) << pattern;
    }
  }
  EXPECT_EQ(fault_of(Matcher{"group", "nobody's yet", false, true}), std::nullopt);
}

TEST(Silence, APatternCannotBeMadeToRunForEver) {
  const std::string many(200, 'a');
  TestBook tested({},
                  {silence({{.name = "domain", .value = "(a*)*(a*)*(a*)*b", .is_regex = true}})});
  for (int i = 0; i < 2; ++i) tested.look("mx.a.test", {mismatch("mx.a.test", {many})});
  EXPECT_THAT(tested.heard(), ElementsAre("opened chat", "opened pager"));
}

}  // namespace

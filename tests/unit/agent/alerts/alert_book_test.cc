#include "agent/alerts/alert_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/alerts/notice.h"
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
using testing::IsEmpty;

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

// A book with two readers, and what reached them as "opened chat".
class Desk {
 public:
  explicit Desk(std::vector<Alert> alerts = {}, std::vector<Silence> silences = {})
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
  Audience audience{.readers = {{"chat", Severity::medium}, {"pager", Severity::critical}},
                    .remind_after = std::chrono::hours{4}};
  Domains domains =
      support::configured({{"a.test", {.name = "a.test", .group = "ours"}},
                           {"b.test", {.name = "b.test", .role = config::Role::outbound}}});
  Round last;

 private:
  Round begin() {
    now += kMinute;
    return {.at = now};
  }
  void finish(Round round) {
    book.tell(round, audience, domains, is_blind);
    for (const auto& letter : round.letters)
      heard_.push_back(std::string(wire_name(letter.notice)) + " " + letter.notifier);
    last = std::move(round);
  }
  std::vector<std::string> heard_;
};

TEST(AlertBook, TellsEverybodyOnceWhenTroubleIsConfirmedAndOnceWhenItIsOver) {
  Desk desk;
  EXPECT_TRUE(desk.look("mx.a.test", {mismatch()})) << "to be looked at again soon";
  EXPECT_THAT(desk.heard(), IsEmpty());
  EXPECT_FALSE(desk.look("mx.a.test", {mismatch()}));
  EXPECT_THAT(desk.heard(), ElementsAre("opened chat", "opened pager"));
  desk.look("mx.a.test", {mismatch()});
  EXPECT_TRUE(desk.look("mx.a.test", {}));
  EXPECT_THAT(desk.heard(), IsEmpty());
  desk.look("mx.a.test", {});
  EXPECT_THAT(desk.heard(), ElementsAre("resolved chat", "resolved pager"));
  desk.tick();
  EXPECT_THAT(desk.heard(), IsEmpty());
}

TEST(AlertBook, TellsReadersOfGraveAlertsOnlyThoseAndWhenOneBecomesGrave) {
  Desk desk;
  const auto mild = mismatch("mx.a.test", {"a.test"}, Severity::high);
  desk.look("mx.a.test", {mild});
  desk.look("mx.a.test", {mild});
  EXPECT_THAT(desk.heard(), ElementsAre("opened chat"));
  desk.look("mx.a.test", {mismatch()});
  EXPECT_THAT(desk.heard(), ElementsAre("escalated chat", "escalated pager"));
}

TEST(AlertBook, AnAlertThatGrowsCalmerIsNotToldAnew) {
  Desk desk;
  desk.look("mx.a.test", {mismatch()});
  desk.look("mx.a.test", {mismatch()});
  desk.heard();
  const auto mild = mismatch("mx.a.test", {"a.test"}, Severity::high);
  desk.look("mx.a.test", {mild});
  EXPECT_EQ(desk.only().finding.severity, Severity::critical) << "the worst that it was";
  desk.look("mx.a.test", {mismatch()});
  EXPECT_THAT(desk.heard(), IsEmpty());
}

TEST(AlertBook, WhoWasNotToldOfTheTroubleIsNotToldOfItsEnd) {
  Desk desk;
  const auto mild = mismatch("mx.a.test", {"a.test"}, Severity::high);
  desk.look("mx.a.test", {mild});
  desk.look("mx.a.test", {mild});
  desk.look("mx.a.test", {});
  desk.look("mx.a.test", {});
  EXPECT_THAT(desk.heard(), ElementsAre("opened chat", "resolved chat"));
}

TEST(AlertBook, ALetterHasAnIdOfItsOwnAndIsRecordedWithTheAlert) {
  Desk desk;
  desk.look("mx.a.test", {mismatch()});
  desk.look("mx.a.test", {mismatch()});
  ASSERT_EQ(desk.last.letters.size(), 2U);
  EXPECT_NE(desk.last.letters[0].id, desk.last.letters[1].id);
  ASSERT_EQ(desk.last.alerts.size(), 1U);
  EXPECT_EQ(desk.last.alerts[0].told_at, desk.now) << "the decision to tell is part of the round";
}

TEST(AlertBook, RemindsOfWhatNobodyHasInHand) {
  Desk desk;
  desk.look("mx.a.test", {mismatch()});
  desk.look("mx.a.test", {mismatch()});
  desk.heard();
  desk.tick(std::chrono::hours{4} - kMinute);
  EXPECT_THAT(desk.heard(), IsEmpty());
  desk.tick();
  EXPECT_THAT(desk.heard(), ElementsAre("reminded chat", "reminded pager"));
  const auto id = desk.only().id;
  const auto until = desk.now + std::chrono::hours{24};
  EXPECT_TRUE(desk.act([&](Round& round) {
    return desk.book.acknowledge(round, id, Acknowledgement{.at = round.at, .until = until});
  }));
  desk.tick(std::chrono::hours{8});
  EXPECT_THAT(desk.heard(), IsEmpty());
  desk.tick(std::chrono::hours{16});
  EXPECT_THAT(desk.heard(), ElementsAre("reminded chat", "reminded pager"))
      << "the acknowledgement is over";
}

TEST(AlertBook, AnAcknowledgedAlertStillTellsItsEnd) {
  Desk desk;
  desk.look("mx.a.test", {mismatch()});
  desk.look("mx.a.test", {mismatch()});
  const auto id = desk.only().id;
  EXPECT_FALSE(desk.act(
      [&](Round& round) { return desk.book.acknowledge(round, "no-such", Acknowledgement{}); }));
  EXPECT_TRUE(
      desk.act([&](Round& round) { return desk.book.acknowledge(round, id, Acknowledgement{}); }));
  desk.heard();
  desk.look("mx.a.test", {});
  desk.look("mx.a.test", {});
  EXPECT_THAT(desk.heard(), ElementsAre("resolved chat", "resolved pager"));
}

// ---- one root cause

Trouble shared(const std::string& name, std::vector<std::string> domains) {
  auto out = mismatch(name, std::move(domains));
  out.cause = {.kind = Subject::Kind::owner, .name = "tlsa.provider.test"};
  return out;
}

TEST(AlertBook, HostsThatShareRecordsAreOneAlertThatNamesAllDomains) {
  Desk desk;
  desk.look("mx1.test", {shared("mx1.test", {"a.test"})});
  desk.look("mx2.test", {shared("mx2.test", {"b.test"})});
  EXPECT_THAT(desk.heard(), IsEmpty()) << "another host is no second look";
  desk.look("mx1.test", {shared("mx1.test", {"a.test"})});
  EXPECT_THAT(desk.heard(), ElementsAre("opened chat", "opened pager"));
  EXPECT_THAT(desk.only().domains, ElementsAre("a.test", "b.test"));

  desk.look("mx1.test", {});
  desk.look("mx1.test", {});
  EXPECT_THAT(desk.only().domains, ElementsAre("b.test")) << "over at one, not at the other";
  desk.look("mx2.test", {shared("mx2.test", {"b.test"})});
  desk.look("mx2.test", {});
  EXPECT_THAT(desk.heard(), IsEmpty());
  desk.look("mx2.test", {});
  EXPECT_THAT(desk.heard(), ElementsAre("resolved chat", "resolved pager"));
}

TEST(AlertBook, WhatIsForgottenIsNotWrittenByTheSameRound) {
  Desk desk;
  for (const auto* name : {"mx1.test", "mx2.test"}) {
    auto passing = shared(name, {"a.test"});
    passing.finding.code = Code::host_down;
    desk.look(name, {passing});
  }
  desk.act([&](Round& round) {
    desk.book.abandon(round, host("mx1.test"), "gone");
    desk.book.abandon(round, host("mx2.test"), "gone");
    return true;
  });
  EXPECT_THAT(desk.book.open(), IsEmpty());
  EXPECT_EQ(desk.last.forgotten.size(), 1U);
  EXPECT_THAT(desk.last.alerts, IsEmpty()) << "it would come back, shown and recorded";
}

TEST(AlertBook, AHostThatIsNoLongerWatchedLeavesTheAlertOfTheOthers) {
  Desk desk;
  for (int i = 0; i < 2; ++i) {
    desk.look("mx1.test", {shared("mx1.test", {"a.test"})});
    desk.look("mx2.test", {shared("mx2.test", {"b.test"})});
  }
  desk.heard();
  desk.act([&](Round& round) {
    desk.book.abandon(round, host("mx1.test"), "gone");
    return true;
  });
  EXPECT_THAT(desk.only().domains, ElementsAre("b.test"));
  desk.act([&](Round& round) {
    desk.book.abandon(round, host("mx2.test"), "gone");
    return true;
  });
  EXPECT_THAT(desk.book.open(), IsEmpty());
  EXPECT_THAT(desk.heard(), ElementsAre("resolved chat", "resolved pager"));
}

// ---- unknown, flapping, blindness, restarts

Trouble window() {
  return {.cause = host("mx.a.test"),
          .finding = {.code = Code::stale_cache_window,
                      .severity = Severity::critical,
                      .subject = host("mx.a.test")},
          .domains = {"a.test"}};
}

TEST(AlertBook, AMismatchMendedBeforeItWasConfirmedIsToldAsWhatCachesMakeOfIt) {
  Desk desk;
  EXPECT_TRUE(desk.look("mx.a.test", {mismatch()}));
  EXPECT_THAT(desk.heard(), IsEmpty());
  // The record has been published; what caches hold goes on refusing: this is the second look.
  desk.look("mx.a.test", {window()}, false);
  EXPECT_THAT(desk.heard(), ElementsAre("opened chat", "opened pager"));
  EXPECT_EQ(desk.only().finding.code, Code::stale_cache_window);
  EXPECT_EQ(desk.only().first_seen_at, kNow + kMinute) << "when the mismatch was seen";
  desk.look("mx.a.test", {});
  desk.look("mx.a.test", {});
  EXPECT_THAT(desk.heard(), ElementsAre("resolved chat", "resolved pager"));
}

TEST(AlertBook, AWindowThatNoMismatchCameBeforeTakesTwoLooks) {
  Desk desk;
  desk.look("mx.a.test", {window()});
  EXPECT_THAT(desk.heard(), IsEmpty());
  desk.look("mx.a.test", {window()});
  EXPECT_THAT(desk.heard(), ElementsAre("opened chat", "opened pager"));
}

TEST(AlertBook, ALookThatCouldNotTellChangesNothing) {
  Desk desk;
  desk.look("mx.a.test", {mismatch()});
  desk.look("mx.a.test", {mismatch()});
  const auto before = desk.only();
  for (int i = 0; i < 5; ++i) desk.look("mx.a.test", {}, false);
  EXPECT_EQ(desk.only(), before);
}

TEST(AlertBook, WhatComesBackTheThirdTimeIsFlappingAndToldOnce) {
  Desk desk;
  for (int i = 0; i < 2; ++i) {
    desk.look("mx.a.test", {mismatch()});
    desk.look("mx.a.test", {});
  }
  EXPECT_THAT(desk.heard(), IsEmpty()) << "two episodes";
  desk.look("mx.a.test", {mismatch()});
  EXPECT_TRUE(is_flapping(desk.only()));
  EXPECT_THAT(desk.heard(), ElementsAre("opened chat", "opened pager"));
  for (int i = 0; i < 5; ++i) {
    desk.look("mx.a.test", {});
    desk.look("mx.a.test", {mismatch()});
  }
  EXPECT_THAT(desk.heard(), IsEmpty());
}

TEST(AlertBook, NothingIsToldOfOthersWhileWeAreBlind) {
  Desk desk;
  desk.look("mx.a.test", {mismatch()});
  desk.is_blind = true;
  desk.look("mx.a.test", {mismatch()});
  EXPECT_THAT(desk.heard(), IsEmpty());
  desk.is_blind = false;
  desk.tick();
  EXPECT_THAT(desk.heard(), ElementsAre("opened chat", "opened pager"));
}

TEST(AlertBook, GoesOnAfterARestartWithoutTellingAgain) {
  Desk before;
  before.look("mx.a.test", {mismatch()});
  before.look("mx.a.test", {mismatch()});
  Desk after({before.only()});
  after.now = before.now;
  after.look("mx.a.test", {mismatch()});
  EXPECT_THAT(after.heard(), IsEmpty());
  after.look("mx.a.test", {});
  after.look("mx.a.test", {});
  EXPECT_THAT(after.heard(), ElementsAre("resolved chat", "resolved pager"));
}

TEST(AlertBook, TellsAfterARestartWhatWasConfirmedAndNotTold) {
  Desk before;
  before.is_blind = true;
  before.look("mx.a.test", {mismatch()});
  before.look("mx.a.test", {mismatch()});
  Desk after({before.only()});
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
  Desk desk({}, {silence({{.name = "mx", .value = "mx.a.test"}})});
  desk.look("mx.a.test", {mismatch()});
  desk.look("mx.a.test", {mismatch()});
  EXPECT_EQ(desk.only().state, AlertState::firing) << "silent, not blind";
  EXPECT_THAT(desk.heard(), IsEmpty());
  desk.tick(std::chrono::hours{1});
  EXPECT_THAT(desk.heard(), ElementsAre("opened chat", "opened pager"));
}

TEST(AlertBook, ASilenceThatIsEndedTellsAtOnce) {
  Desk desk;
  desk.act([&](Round& round) {
    desk.book.put(round, silence({{.name = "code", .value = "tlsa-mismatch"}}));
    return true;
  });
  ASSERT_EQ(desk.last.silences.size(), 1U) << "recorded";
  desk.look("mx.a.test", {mismatch()});
  desk.look("mx.a.test", {mismatch()});
  EXPECT_THAT(desk.heard(), IsEmpty());
  EXPECT_TRUE(desk.act([&](Round& round) { return desk.book.end_silence(round, "s"); }));
  EXPECT_THAT(desk.heard(), ElementsAre("opened chat", "opened pager"));
  EXPECT_FALSE(desk.act([&](Round& round) { return desk.book.end_silence(round, "s"); }));
}

TEST(AlertBook, WhatIsOverUnderASilenceWasNeverTold) {
  Desk desk({}, {silence({{.name = "mx", .value = "mx.a.test"}})});
  desk.look("mx.a.test", {mismatch()});
  desk.look("mx.a.test", {mismatch()});
  desk.look("mx.a.test", {});
  desk.look("mx.a.test", {});
  desk.tick(std::chrono::hours{2});
  EXPECT_THAT(desk.heard(), IsEmpty());
}

struct MatcherCase {
  const char* says;
  std::vector<Matcher> matchers;
  std::vector<std::string> domains;
  bool is_silent;
};

class Matching : public testing::TestWithParam<MatcherCase> {};

TEST_P(Matching, AsTheCaseSays) {
  Desk desk({}, {silence(GetParam().matchers)});
  for (int i = 0; i < 2; ++i) desk.look("mx.a.test", {mismatch("mx.a.test", GetParam().domains)});
  EXPECT_EQ(desk.heard().empty(), GetParam().is_silent) << GetParam().says;
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
  Desk desk({}, {silence({{.name = "mx", .value = "mx.a.test"}}, kNewKey)});
  auto planned = mismatch();
  planned.refused_keys = {kNewKey};
  desk.look("mx.a.test", {planned});
  desk.look("mx.a.test", {planned});
  EXPECT_THAT(desk.heard(), IsEmpty());
  auto other = mismatch();
  other.refused_keys = {kOldKey, kNewKey};
  desk.look("mx.a.test", {other});
  EXPECT_THAT(desk.heard(), ElementsAre("opened chat", "opened pager"))
      << "the old key is refused: its record was taken away too early";
}

TEST(AlertBook, AMaintenanceWindowDoesNotHideTroubleThatIsNotAboutKeys) {
  Desk desk({}, {silence({{.name = "mx", .value = "mx.a.test"}}, kNewKey)});
  auto other = mismatch();
  other.finding.code = Code::starttls_missing;
  desk.look("mx.a.test", {other});
  desk.look("mx.a.test", {other});
  EXPECT_THAT(desk.heard(), ElementsAre("opened chat", "opened pager"));
}

TEST(Silence, IsRefusedWithAReason) {
  EXPECT_EQ(fault_of(silence({{.name = "mx", .value = "a"}}, kNewKey)), std::nullopt);
  EXPECT_NE(fault_of(silence({})), std::nullopt) << "would silence everything";
  EXPECT_NE(fault_of(silence({{.name = "mx", .value = "(", .is_regex = true}})), std::nullopt);
  EXPECT_NE(fault_of(silence({{.name = "mx", .value = "a\nb"}})), std::nullopt);
  EXPECT_NE(fault_of(silence({{.name = "", .value = "a"}})), std::nullopt);
  EXPECT_NE(fault_of(silence({{.name = "mx", .value = "a"}}, "ABC")), std::nullopt);
  auto backwards = silence({{.name = "mx", .value = "a"}});
  backwards.ends_at = backwards.starts_at;
  EXPECT_NE(fault_of(backwards), std::nullopt);
}

TEST(Silence, APatternCannotBeMadeToRunForEver) {
  const std::string many(200, 'a');
  Desk desk({}, {silence({{.name = "domain", .value = "(a*)*(a*)*(a*)*b", .is_regex = true}})});
  for (int i = 0; i < 2; ++i) desk.look("mx.a.test", {mismatch("mx.a.test", {many})});
  EXPECT_THAT(desk.heard(), ElementsAre("opened chat", "opened pager"));
}

}  // namespace

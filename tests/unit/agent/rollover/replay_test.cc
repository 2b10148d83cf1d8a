#include "agent/rollover/replay.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/story.h"

namespace {

using support::Story;
using support::Texts;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;

const Texts kK1{"3 1 1 K1"}, kK2{"3 1 1 K2"}, kBoth{"3 1 1 K1", "3 1 1 K2"};
const Texts kOld{"K1", "INT1"}, kNew{"K2", "INT1"};
constexpr long kDay = 86'400;

struct Row {
  std::string id;
  std::string says;
  Story story;
  Texts states;
  Texts rollovers;
  // Findings that must be there at a moment.
  long asked = 0;
  Texts findings;
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.id << ": " << row.says;
}

class Replayed : public testing::TestWithParam<Row> {};

TEST_P(Replayed, AsTheCaseSays) {
  const auto& row = GetParam();
  SCOPED_TRACE(row.id + ": " + row.says);
  EXPECT_EQ(row.story.states(), row.states);
  EXPECT_EQ(row.story.rollovers(), row.rollovers);
  EXPECT_THAT(row.story.at(row.asked)["findings"].get<Texts>(),
              testing::IsSupersetOf(row.findings));
}

const std::vector<Row> kRows{
    {.id = "R-01",
     .says = "two TTLs of lead: RFC 7671 §8.1 as it is meant",
     .story =
         Story::baseline().publish(0, kBoth).present(7200, kNew).publish(7300, kK2).ask({7200}),
     .states = {"-9000 steady", "0 prepub-wait", "3600 prepub-ok", "7200 rolled", "7300 steady"},
     .rollovers = {"K1>K2 safe 7200..7200 exposure 0"}},
    {.id = "R-02",
     .says = "one and a half TTLs: nothing fails, though below the rule",
     .story = Story::baseline().publish(0, kBoth).present(5400, kNew),
     .states = {"-9000 steady", "0 prepub-wait", "3600 prepub-ok", "5400 rolled"},
     .rollovers = {"K1>K2 tight 5400..5400 exposure 0"}},
    {.id = "R-03",
     .says = "half a TTL: half of the caches still hold the old set",
     .story = Story::baseline().publish(0, kBoth).present(1800, kNew),
     .states = {"-9000 steady", "0 prepub-wait", "1800 stale-risk", "3600 rolled"},
     .rollovers = {"K1>K2 early 1800..1800 exposure 450"},
     .asked = 1800,
     .findings = {"stale-cache-window"}},
    {.id = "R-04",
     .says = "record and key replaced at once: every cache holds the old set",
     .story = Story::baseline().publish(0, kK2).present(0, kNew),
     .states = {"-9000 steady", "0 stale-risk", "3600 steady"},
     .rollovers = {"K1>K2 early 0..0 exposure 1800"},
     .findings = {"stale-cache-window"}},
    {.id = "R-05",
     .says = "the record an hour after the key",
     .story = Story::baseline().present(0, kNew).publish(3600, kK2),
     .states = {"-9000 steady", "0 mismatch", "3600 stale-risk", "7200 steady"},
     .rollovers = {"K1>K2 late -3600..-3600 exposure 5400"},
     .findings = {"tlsa-mismatch"}},
    {.id = "R-06",
     .says = "the record never comes",
     .story = Story::baseline().present(0, kNew),
     .states = {"-9000 steady", "0 mismatch"},
     .rollovers = {"K1>K2 never ?..? exposure ?"},
     .findings = {"tlsa-mismatch"}},
    {.id = "R-07",
     .says = "the old record goes while its key is in use",
     .story = Story::baseline().publish(0, kBoth).publish(600, kK2).present(7200, kNew),
     .states = {"-9000 steady", "0 prepub-wait", "600 mismatch", "7200 steady"},
     .rollovers = {"K1>K2 early-retire 7200..7200 exposure 4800"},
     .asked = 600,
     .findings = {"early-retire"}},
    {.id = "R-08",
     .says = "the new record instead of the old one, two TTLs before the key",
     .story = Story::baseline().publish(0, kK2).present(7200, kNew),
     .states = {"-9000 steady", "0 mismatch", "7200 steady"},
     .rollovers = {"K1>K2 early-retire 7200..7200 exposure 5400"},
     .findings = {"early-retire"}},
    {.id = "R-09",
     .says = "cached sets of both still match when the old record goes",
     .story = Story::baseline().publish(0, kBoth).present(7200, kNew).publish(7201, kK2),
     .states = {"-9000 steady", "0 prepub-wait", "3600 prepub-ok", "7200 rolled", "7201 steady"},
     .rollovers = {"K1>K2 safe 7200..7200 exposure 0"}},
    {.id = "R-10",
     .says = "IPv6 has not switched when the old record goes",
     .story = Story::baseline({"ns1"}, {"192.0.2.1/default", "2001:db8::1/default"})
                  .publish(0, kBoth)
                  .present(7200, kNew, "192.0.2.1/default")
                  .publish(7300, kK2),
     .states = {"-9000 steady", "0 prepub-wait", "3600 prepub-ok", "7200 switching",
                "7300 partial-mismatch"},
     .rollovers = {"K1>K2 early-retire 7200..7200 exposure ?"},
     .asked = 7300,
     .findings = {"early-retire", "tlsa-mismatch"}},
    {.id = "R-11",
     .says = "the anchor's record matches all along",
     .story = Story()
                  .publish(-9000, {"3 1 1 K1", "2 1 1 INT1"})
                  .present(-9000, kOld)
                  .publish(0, {"3 1 1 K2", "2 1 1 INT1"})
                  .present(0, kNew),
     .states = {"-9000 steady"},
     .rollovers = {"K1>K2 safe-via-ta 0..0 exposure 0"}},
    {.id = "R-11",
     .says = "until its record is there only the anchor's matches",
     .story = Story()
                  .publish(-9000, {"3 1 1 K1", "2 1 1 INT1"})
                  .present(-9000, kOld)
                  .present(0, kNew)
                  .publish(600, {"3 1 1 K2", "2 1 1 INT1"}),
     .states = {"-9000 steady", "0 fallback", "600 steady"},
     .rollovers = {"K1>K2 safe-via-ta -600..-600 exposure 0"},
     .findings = {"fallback-only", "combination-stale"}},
    {.id = "R-12",
     .says = "a renewal under another intermediate: both combinations miss",
     .story = Story()
                  .publish(-9000, {"3 1 1 K1", "2 1 1 INT1"})
                  .present(-9000, kOld)
                  .present(0, {"K2", "INT2"}),
     .states = {"-9000 steady", "0 mismatch"},
     .rollovers = {"K1>K2 never ?..? exposure ?"},
     .findings = {"tlsa-mismatch"}},
    {.id = "R-14",
     .says = "renewed with the same key: nothing happens",
     .story = Story::baseline().present(0, {"K1", "INT2"}),
     .states = {"-9000 steady"},
     .rollovers = {}},
    {.id = "R-15",
     .says = "a record of the certificate misses the renewed one, whatever its key",
     .story = Story()
                  .publish(-9000, {"3 0 1 CERT1"})
                  .present(-9000, {"CERT1", "INT1"})
                  .present(0, {"CERT2", "INT1"}),
     .states = {"-9000 steady", "0 mismatch"},
     .rollovers = {"CERT1>CERT2 never ?..? exposure ?"}},
    {.id = "R-19",
     .says = "back to a key whose record is gone",
     .story = Story::baseline()
                  .publish(0, kBoth)
                  .present(7200, kNew)
                  .publish(7300, kK2)
                  .present(20000, kOld),
     .states = {"-9000 steady", "0 prepub-wait", "3600 prepub-ok", "7200 rolled", "7300 steady",
                "20000 mismatch"},
     .rollovers = {"K1>K2 safe 7200..7200 exposure 0", "K2>K1 never ?..? exposure ?"},
     .asked = 20000,
     .findings = {"tlsa-mismatch"}},
    {.id = "R-20",
     .says = "a compromised key replaced at once: the window is told",
     .story = Story::baseline({"ns1", "ns2"}).publish(0, kK2, 600).present(0, kNew),
     .states = {"-9000 steady", "0 stale-risk", "3600 steady"},
     .rollovers = {"K1>K2 early 0..0 exposure 1800"},
     .findings = {"stale-cache-window"}},
    {.id = "R-21",
     .says = "first publication, matching: absence refuses nobody",
     .story = Story().publish(-9000, {}).present(-9000, kOld).publish(0, kK1),
     .states = {"-9000 no-dane", "0 steady"},
     .rollovers = {}},
    {.id = "R-22",
     .says = "first publication, mismatching",
     .story = Story().publish(-9000, {}).present(-9000, kOld).publish(0, kK2),
     .states = {"-9000 no-dane", "0 mismatch"},
     .rollovers = {},
     .findings = {"tlsa-mismatch"}},
    {.id = "R-25",
     .says = "a record for an anchor to come, of a combination that matches nothing now",
     .story = Story::baseline().publish(0, {"3 1 1 K1", "2 0 1 CA2"}),
     .states = {"-9000 steady", "0 prepub-wait", "3600 prepub-ok", "7200 ready", "7776000 steady"},
     .rollovers = {},
     .findings = {"combination-stale"}},
    {.id = "R-26",
     .says = "both changed between two looks: no grade can be proved",
     .story = Story()
                  .publish(-9000, kK1, 600)
                  .present(-9000, kOld)
                  .publish(1000, kBoth, 600)
                  .present(2000, kNew)
                  .scan({-3600, 0, 3600, 7200}),
     .states = {"-3600 steady", "3600 stale-risk", "4200 rolled"},
     .rollovers = {"K1>K2 indeterminate -3600..3600 exposure 300"},
     .asked = 3600},
    {.id = "R-27",
     .says = "one unmatched record matched before, one never did",
     .story = Story()
                  .publish(0, {"3 1 1 K1", "3 1 1 K2", "3 1 1 K9"})
                  .present(0, kOld)
                  .present(7200, kNew),
     .states = {"0 ready", "7200 rolled"},
     .rollovers = {"K1>K2 safe 7200..7200 exposure 0"},
     .asked = 200 * kDay,
     .findings = {"tlsa-residue", "tlsa-orphan"}},
    {.id = "R-28",
     .says = "four hosts share one set, the fourth has not switched when the record goes",
     .story = Story::baseline({"ns1"}, {"a", "b", "c", "d"})
                  .publish(0, kBoth)
                  .present(7200, kNew, "a")
                  .present(10800, kNew, "b")
                  .present(14400, kNew, "c")
                  .publish(14500, kK2),
     .states = {"-9000 steady", "0 prepub-wait", "3600 prepub-ok", "7200 switching",
                "14500 partial-mismatch"},
     .rollovers = {"K1>K2 early-retire 7200..7200 exposure ?"},
     .asked = 14500,
     .findings = {"early-retire"}},
    {.id = "R-29",
     .says = "the records are gone for senders, silently",
     .story = Story::baseline().publish(0, {}),
     .states = {"-9000 steady", "0 withdrawn", "3600 no-dane"},
     .rollovers = {},
     .findings = {"dane-lost"}},
    {.id = "R-30",
     .says = "ten minutes of a wrong certificate are a rollover that went wrong, and one back",
     .story = Story::baseline().present(0, kNew).present(600, kOld),
     .states = {"-9000 steady", "0 mismatch", "600 steady"},
     .rollovers = {"K1>K2 never ?..? exposure 600", "K2>K1 safe 9600..9600 exposure 0"},
     .findings = {"tlsa-mismatch"}},
    {.id = "R-32",
     .says = "no cache holds a set beyond its signature, RFC 4035 §5.3.3",
     .story = Story()
                  .publish(-9000, kK1)
                  .signed_until(1200)
                  .present(-9000, kOld)
                  .publish(0, kBoth)
                  .present(600, kNew),
     .states = {"-9000 steady", "0 prepub-wait", "600 stale-risk", "1200 rolled"},
     .rollovers = {"K1>K2 early 600..600 exposure 450"},
     .asked = 600,
     .findings = {"stale-cache-window"}},
    {.id = "R-16",
     .says = "the long TTL before it was lowered counts",
     .story = Story()
                  .publish(-200'000, kK1, kDay)
                  .present(-200'000, kOld)
                  .publish(-3600, kK1, 300)
                  .publish(0, kBoth, 300)
                  .present(600, kNew),
     .states = {"-200000 steady", "0 prepub-wait", "600 stale-risk", "82800 rolled"},
     .rollovers = {"K1>K2 early 600..600 exposure 39102"}},
    {.id = "R-17",
     .says = "the TTL of an alias that moved counts",
     .story = Story()
                  .alias(-200'000, "old.example.test", kDay)
                  .publish(-200'000, kK1)
                  .present(-200'000, kOld)
                  .alias(0, "new.example.test", kDay)
                  .publish(0, kBoth)
                  .present(7200, kNew),
     .states = {"-200000 steady", "0 prepub-wait", "7200 stale-risk", "86400 rolled"},
     .rollovers = {"K1>K2 early 7200..7200 exposure 36300"}},
    {.id = "H-01",
     .says = "a server that lags: the record counts as published when the last has it",
     .story = Story::baseline({"ns1", "ns2", "ns3", "ns4"})
                  .publish(0, kBoth, 3600, "ns1")
                  .publish(0, kBoth, 3600, "ns2")
                  .publish(0, kBoth, 3600, "ns3")
                  .publish(7200, kBoth, 3600, "ns4")
                  .present(14'400, kNew),
     .states = {"-9000 steady", "0 prepub-wait", "10800 prepub-ok", "14400 rolled"},
     .rollovers = {"K1>K2 safe 7200..7200 exposure 0"},
     .findings = {"nameserver-split"}},
    {.id = "H-05",
     .says = "a server that proves the absence of what the others have",
     .story = Story::baseline({"ns1", "ns2"}).publish(0, {}, 3600, "ns2"),
     .states = {"-9000 steady"},
     .rollovers = {},
     .findings = {"nameserver-split"}},
    {.id = "H-02",
     .says = "signatures that are over are no answer",
     .story = Story::baseline().signed_until(-8000).publish(-9000, kK1).signed_until(3600),
     .states = {"-9000 steady", "3600 dns-fail"},
     .rollovers = {},
     .asked = 3600,
     .findings = {"dnssec-expired", "tlsa-lookup-failed"}},
    {.id = "P-01",
     .says = "an alias with a shorter TTL than its set: the set before is held for the set's TTL",
     .story = Story()
                  .alias(-9000, "t.example.test", 300)
                  .publish(-9000, kK1)
                  .present(-9000, kOld)
                  .publish(0, kBoth)
                  .present(700, kNew),
     .states = {"-9000 steady", "0 prepub-wait", "700 stale-risk", "3600 rolled"},
     .rollovers = {"K1>K2 early 700..700 exposure 1168"},
     .asked = 700,
     .findings = {"stale-cache-window"}},
    {.id = "P-02",
     .says = "no server answers while the key changes: nothing was taken back, nothing is refused",
     .story = Story::baseline({"ns1", "ns2"})
                  .publish(0, kBoth)
                  .fail(7200)
                  .present(7300, kNew)
                  .publish(7600, kBoth),
     .states = {"-9000 steady", "0 prepub-wait", "3600 prepub-ok", "7200 dns-fail", "7600 rolled"},
     .rollovers = {"K1>K2 safe 7300..7300 exposure 0"},
     .asked = 7300,
     .findings = {"tlsa-lookup-failed"}},
    {.id = "P-03",
     .says = "taken back for the key before: its record waits for the next try",
     .story = Story::baseline().publish(0, kBoth).present(600, kNew).present(900, kOld).present(
         8000, kNew),
     .states = {"-9000 steady", "0 prepub-wait", "600 stale-risk", "900 prepub-wait",
                "3600 prepub-ok", "7200 ready", "8000 rolled"},
     .rollovers = {"K1>K2 early 600..600 exposure 238", "K2>K1 safe 9900..9900 exposure 0",
                   "K1>K2 safe 8000..8000 exposure 0"}},
    {.id = "P-04",
     .says = "taken back for good: the record is a leftover some day, but not of a key before",
     .story = Story::baseline().publish(0, kBoth).present(7200, kNew).present(7500, kOld),
     .states = {"-9000 steady", "0 prepub-wait", "3600 prepub-ok", "7200 rolled", "7500 ready",
                "7783500 steady"},
     .rollovers = {"K1>K2 safe 7200..7200 exposure 0", "K2>K1 safe 16500..16500 exposure 0"},
     .asked = 100 * kDay,
     .findings = {"tlsa-residue"}},
    {.id = "P-05",
     .says = "nothing is cached of what has a TTL of zero",
     .story =
         Story().publish(-9000, kK1, 0).present(-9000, kOld).publish(0, kK2, 0).present(0, kNew),
     .states = {"-9000 steady"},
     .rollovers = {"K1>K2 safe 0..0 exposure 0"}},
    {.id = "P-06",
     .says = "the records of all keys that a CA may issue from are one provision",
     .story = Story()
                  .publish(0, {"2 1 1 E7", "2 1 1 E8", "2 1 1 E9"})
                  .present(0, {"K1", "E8"})
                  .present(100 * kDay, {"K2", "E7"})
                  .present(160 * kDay, {"K3", "E8"}),
     .states = {"0 steady"},
     .rollovers = {"K1>K2 safe 8640000..8640000 exposure 0",
                   "K2>K3 safe 13824000..13824000 exposure 0"}},
    {.id = "P-07",
     .says = "a change of anchor is none: the record of the old one is left over",
     .story = Story()
                  .publish(-9000, {"2 1 1 INT1"})
                  .present(-9000, kOld)
                  .publish(0, {"2 1 1 INT1", "2 1 1 INT2"})
                  .present(7200, {"K2", "INT2"}),
     .states = {"-9000 steady", "0 prepub-wait", "3600 prepub-ok", "7200 rolled"},
     .rollovers = {"K1>K2 safe 7200..7200 exposure 0"},
     .asked = 10 * kDay,
     .findings = {"tlsa-residue"}},
    {.id = "P-08",
     .says = "one more is published for an issuer to come: it waits, and belongs in the end",
     .story = Story()
                  .publish(-9000, {"2 1 1 E7"})
                  .present(-9000, {"K1", "E7"})
                  .publish(0, {"2 1 1 E7", "2 1 1 E8"})
                  .present(100 * kDay, {"K2", "E8"}),
     .states = {"-9000 steady", "0 prepub-wait", "3600 prepub-ok", "7200 ready", "7776000 steady"},
     .rollovers = {"K1>K2 safe 8640000..8640000 exposure 0"}},
};

INSTANTIATE_TEST_SUITE_P(Rollover, Replayed, testing::ValuesIn(kRows), [](const auto& row) {
  auto name = fmt::format("{}_{}", row.param.id, row.index);
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(Replay, TellsShareAndWindowWhileCachesHoldTheOldSet) {
  const auto now = Story::baseline().publish(0, kBoth).present(1800, kNew).at(2700);
  EXPECT_DOUBLE_EQ(now["failing_share"].get<double>(), 0.25);
  EXPECT_EQ(now["window"]["from"], 1800);
  EXPECT_EQ(now["window"]["until"], 3600);
}

TEST(Replay, GrowsTheFailingShareAfterAnEarlyRetirement) {
  const auto story = Story::baseline().publish(0, kBoth).publish(600, kK2).present(7200, kNew);
  // At 600 no cache holds {K2} alone; by 4200 all do.
  EXPECT_DOUBLE_EQ(story.at(2400)["failing_share"].get<double>(), 0.5);
  EXPECT_DOUBLE_EQ(story.at(4200)["failing_share"].get<double>(), 1);
  EXPECT_DOUBLE_EQ(story.at(7200)["failing_share"].get<double>(), 0);
}

TEST(Replay, AveragesOverTheEndpoints) {
  const auto now = Story::baseline({"ns1"}, {"a", "b"}).present(0, kNew, "a").at(0);
  EXPECT_DOUBLE_EQ(now["failing_share"].get<double>(), 0.5);
  EXPECT_EQ(now["state"], "partial-mismatch");
}

TEST(Replay, CountsALaggingServersShare) {
  const auto story = Story::baseline({"ns1", "ns2", "ns3", "ns4"})
                         .publish(-7200, kBoth, 3600, "ns1")
                         .publish(-7200, kBoth, 3600, "ns2")
                         .publish(-7200, kBoth, 3600, "ns3")
                         .present(0, kNew);
  EXPECT_NEAR(story.at(0)["failing_share"].get<double>(), 0.25, 1e-6);
  EXPECT_EQ(story.at(0)["state"], "stale-risk");
}

TEST(Replay, SaysWhenToSwitchAndWhenToRemove) {
  const auto story = Story::baseline().publish(0, kBoth).present(7200, kNew);
  EXPECT_EQ(story.at(0)["safe_to_switch_at"], 3600);
  EXPECT_EQ(story.at(0)["recommended_switch_at"], 7200);
  EXPECT_TRUE(story.at(0)["safe_to_remove_at"].is_null());
  EXPECT_EQ(story.at(7200)["safe_to_remove_at"], 7200);
}

TEST(Replay, KeepsTheCertificateUntilWithdrawnRecordsAreForgotten) {
  EXPECT_EQ(Story::baseline().publish(0, {}).at(0)["safe_to_switch_at"], 3600);
  EXPECT_THAT(Story::baseline().publish(0, {}).present(1800, kNew).rollovers(),
              ElementsAre("K1>K2 early 1800..1800 exposure 450"));
}

TEST(Replay, PrefersTheStrongerDigestAsSendersDo) {
  const auto now = Story().publish(0, {"3 1 1 K1", "3 1 2 K2"}).present(0, kOld).at(0);
  EXPECT_EQ(now["state"], "mismatch");
}

TEST(Replay, SeesOnlyWhatTheLooksSaw) {
  auto story = Story::baseline().publish(0, kBoth).present(1800, kNew).scan({-900, 0, 900, 1800});
  EXPECT_THAT(story.rollovers(), ElementsAre("K1>K2 early 900..2700 exposure 450"));
  // The first look finds the new record there: for how long, nobody knows.
  story.scan({0, 900, 1800});
  EXPECT_THAT(story.rollovers(), ElementsAre("K1>K2 indeterminate 900..? exposure 0"));
  EXPECT_EQ(story.at(0)["state"], "prepub-wait");
  EXPECT_EQ(story.at(0)["safe_to_switch_at"], 3600);
}

TEST(Replay, KnowsNothingOfThingsToComeWhereItOnlyLooks) {
  const auto story =
      Story::baseline().present(0, kNew).publish(3600, kK2).scan({-900, 0, 900, 3600});
  EXPECT_TRUE(story.at(900)["window"]["until"].is_null());
  EXPECT_EQ(story.at(3600)["window"]["until"], 7200);
}

TEST(Replay, LeavesCachesOfAFailingServerToTheOthers) {
  const auto story =
      Story::baseline({"ns1", "ns2"}).publish(0, kBoth).fail(600, "ns2").present(1800, kNew);
  EXPECT_DOUBLE_EQ(story.at(1800)["failing_share"].get<double>(), 0.5);
  EXPECT_EQ(story.at(1800)["state"], "stale-risk");
}

TEST(Replay, RefusesWhatItCannotReadAndSaysWhere) {
  const auto error_of = [](const std::string& text) {
    const auto printed = agent::replay(text);
    return printed ? "" : printed.error();
  };
  EXPECT_THAT(error_of("{"), HasSubstr("parse error"));
  EXPECT_THAT(error_of("[]"), HasSubstr("one JSON object"));
  EXPECT_THAT(error_of("{}"), HasSubstr("schema"));
  const auto with = [](const std::string& events) {
    return R"({"schema":"danelaw.replay/1","servers":["ns1"],"endpoints":["a"],"events":[)" +
           events + "]}";
  };
  EXPECT_THAT(error_of(with(R"({"server":"ns1"})")), HasSubstr("events[0]: \"at\""));
  EXPECT_THAT(error_of(with(R"({"at":0,"server":"ns2","tlsa":[],"ttl":1})")),
              HasSubstr("events[0]: \"server\""));
  EXPECT_THAT(error_of(with(R"({"at":0,"server":"*","tlsa":["3 1 K1"],"ttl":1})")),
              HasSubstr("3 1 1 K1"));
  EXPECT_THAT(error_of(with(R"({"at":0,"server":"*","tlsa":["3 1 1 K1"]})")), HasSubstr("ttl"));
  EXPECT_THAT(error_of(with(R"({"at":1e300,"server":"*","tlsa":[],"ttl":1})")), HasSubstr("at"));
  EXPECT_THAT(error_of(with(R"({"at":0,"endpoint":"a","chain":[]})")), HasSubstr("leaf"));
  EXPECT_THAT(error_of(with(R"({"at":0,"server":"*"})")), HasSubstr("tlsa"));
}

TEST(Replay, CountsTheTtlOfASetBehindAnAliasThatIsForgottenSooner) {
  const auto now = Story()
                       .alias(-9000, "t.example.test", 300)
                       .publish(-9000, kK1)
                       .present(-9000, kOld)
                       .publish(0, kBoth)
                       .at(0);
  EXPECT_EQ(now["safe_to_switch_at"], 3600);
  EXPECT_EQ(now["recommended_switch_at"], 7200);
}

TEST(Replay, ASetBehindAnAliasThatWasLeftAndIsBackIsHeldFromWhenItWasAsked) {
  const auto story = Story()
                         .alias(-9000, "a.example.test", 300)
                         .publish(-9000, kK1)
                         .present(-9000, kOld)
                         .alias(0, "b.example.test", 300)
                         .publish(0, kBoth)
                         .alias(1000, "a.example.test", 300)
                         .publish(1000, kBoth);
  // Nobody asks for a.example.test from 300 on: who asked then holds its set until 3900.
  EXPECT_EQ(story.at(1000)["safe_to_switch_at"], 3900);
}

TEST(Replay, ALateServerIsNoEarlyRetirement) {
  const auto late = Story::baseline({"ns1", "ns2"})
                        .publish(0, kBoth, 3600, "ns1")
                        .present(7200, kNew)
                        .publish(9000, kK2, 3600, "ns1");
  for (const long at : {7200L, 9000L}) {
    const auto findings = late.at(at)["findings"].get<Texts>();
    EXPECT_THAT(findings, testing::Not(testing::Contains("early-retire"))) << at;
    EXPECT_THAT(findings, IsSupersetOf({"nameserver-split", "stale-cache-window"})) << at;
  }
  EXPECT_THAT(late.rollovers(), ElementsAre("K1>K2 never ?..? exposure ?"));
  // It had the record, and falls back to the zone of before.
  const auto back = Story::baseline({"ns1", "ns2"})
                        .publish(0, kBoth)
                        .present(7200, kNew)
                        .publish(9000, kK1, 3600, "ns2");
  EXPECT_THAT(back.at(9000)["findings"].get<Texts>(),
              testing::Not(testing::Contains("early-retire")));
  EXPECT_THAT(back.rollovers(), ElementsAre("K1>K2 safe 7200..7200 exposure ?"));
}

TEST(Replay, TheOwnerWhoTakesARecordBackOnOneServerFirstRetiresIt) {
  const auto story = Story::baseline({"ns1", "ns2"})
                         .publish(0, kBoth)
                         .publish(600, kK2, 3600, "ns1")
                         .present(7200, kNew);
  EXPECT_THAT(story.at(600)["findings"].get<Texts>(), testing::Contains("early-retire"));
}

TEST(Replay, WhileNobodyCanAskNothingIsHeldBehindAnAlias) {
  const auto story = Story()
                         .alias(-9000, "t.example.test", 3600)
                         .publish(-9000, kK1, 600)
                         .present(-9000, kOld)
                         .fail(0)
                         .present(0, kNew);
  // Of the caches 11 of 12 know the alias still, and half of them its set.
  EXPECT_NEAR(story.at(300)["failing_share"].get<double>(), 11.0 / 24, 1e-6);
  EXPECT_NEAR(story.at(600)["failing_share"].get<double>(), 0, 1e-6);
  EXPECT_TRUE(story.at(300)["safe_to_switch_at"].is_null()) << "and nobody says it is safe";
}

TEST(Replay, WhoComesBackToAnAliasAfterAnOutageHoldsItsSetStill) {
  const auto story = Story()
                         .alias(-9000, "t.example.test", 60)
                         .publish(-9000, kK1)
                         .present(-9000, kOld)
                         .fail(0)
                         .publish(600, kK2)
                         .present(600, kNew);
  // A sixth has lost the set meanwhile, and takes the new one.
  EXPECT_NEAR(story.at(600)["failing_share"].get<double>(), 5.0 / 6, 1e-6);
}

TEST(Replay, OfATtlOfZeroNothingIsHeld) {
  const auto story =
      Story().publish(-9000, kK1, 0).present(-9000, kOld).publish(0, kK2, 0).present(0, kNew);
  EXPECT_EQ(story.at(0)["failing_share"], 0.0);
  EXPECT_EQ(story.at(5)["failing_share"], 0.0);
  EXPECT_EQ(Story().publish(-9, kK1, 0).present(-9, kOld).present(0, kNew).at(5)["failing_share"],
            1.0);
}

TEST(Replay, NothingSaysThatASiblingShallGo) {
  const auto story = Story()
                         .publish(0, {"2 1 1 E7", "2 1 1 E8", "2 1 1 E9"})
                         .present(0, {"K1", "E8"})
                         .present(100 * kDay, {"K2", "E7"});
  for (const long at : {95 * kDay, 99 * kDay, 110 * kDay, 400 * kDay}) {
    EXPECT_EQ(story.at(at)["state"], "steady");
    EXPECT_THAT(story.at(at)["findings"].get<Texts>(), IsEmpty()) << at;
  }
  // Of DANE-EE(3) records a second one is for one key, and goes some day.
  EXPECT_THAT(Story().publish(0, kBoth).present(0, kOld).at(95 * kDay)["findings"].get<Texts>(),
              ElementsAre("tlsa-orphan"));
}

TEST(Replay, PlaysAStoryOfNothing) {
  const auto printed = agent::replay(
      R"({"schema":"danelaw.replay/1","servers":["ns1"],"endpoints":[],"events":[],"ask":[0]})");
  ASSERT_TRUE(printed);
  EXPECT_THAT(*printed, HasSubstr("\"rollovers\":[]"));
}

}  // namespace

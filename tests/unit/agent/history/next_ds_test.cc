#include "agent/history/next_ds.h"

#include <gtest/gtest.h>

#include "tests/support/scene.h"

namespace {

using agent::ZonePast;
using probes::dns::DsData;
using probes::dns::KeyId;
using probes::dns::WantedDs;
using Keys = std::set<KeyId>;
using Fit = WantedDs::Fit;
using Wish = WantedDs::Wish;
using std::chrono::hours;
using support::kNow;

const KeyId kOld{.algorithm = 13, .tag = 100};
const KeyId kNew{.algorithm = 13, .tag = 200};

ZonePast past(Keys ds, Keys signing) {
  return {.ds = {{kNow, kNow, {.keys = std::move(ds), .ttl = hours{1}}}},
          .dnskey = {{kNow, kNow, {.keys = std::move(signing), .ttl = hours{1}}}}};
}

WantedDs wants(const Keys& keys, Fit fit) {
  WantedDs out{.wish = Wish::keys, .fit = fit};
  for (const auto& key : keys)
    out.records.insert(DsData{.key = key, .digest_type = 2, .digest = {0xab, 0xcd}});
  return out;
}

// The parent has the records that are asked for, but that their digests are of this type.
WantedDs wants_other_digests(WantedDs wanted, std::uint8_t given_type) {
  for (auto ds : wanted.records) {
    ds.digest_type = given_type;
    wanted.given.insert(std::move(ds));
  }
  return wanted;
}
WantedDs by_keys_only(WantedDs wanted) {
  wanted.is_by_keys_only = true;
  return wanted;
}

struct Row {
  std::string says;
  WantedDs wanted;
  std::string want;  // empty: nothing
};

TEST(NextDs, IsToldWithWhatItWillDo) {
  for (const auto& row : std::vector<Row>{
           {"nothing is asked for", {.wish = Wish::none}, ""},
           {"could not be learned", {}, ""},
           {"what is there already", wants({kOld}, Fit::fits), ""},
           {"the same key, its digest of an unknown type", wants({kOld}, Fit::unknown), ""},
           {"what is there already, to the digest",
            wants_other_digests(wants({kOld}, Fit::fits), 2), ""},
           {"the same key by another digest", wants_other_digests(wants({kOld}, Fit::fits), 1),
            "ds-change/info"},
           {"the parent chooses the digest",
            by_keys_only(wants_other_digests(wants({kOld}, Fit::fits), 4)), ""},
           {"digests that no validator knows",
            {.wish = Wish::keys, .records = {DsData{.key = kOld, .digest_type = 5, .digest = {1}}}},
            "ds-change/high"},
           {"the same key with a wrong digest", wants({kOld}, Fit::breaks),
            "ds-change-breaks/medium"},
           {"a new key that signs", wants({kNew}, Fit::fits), "ds-change/info"},
           {"a second one beside the old", wants({kOld, kNew}, Fit::fits), "ds-change/info"},
           {"a new key, and nobody knows whether it signs", wants({kNew}, Fit::unknown),
            "ds-change/info"},
           {"a key that does not sign", wants({kNew}, Fit::breaks), "ds-change-breaks/medium"},
           {"no DS records at all", {.wish = Wish::removal}, "ds-change/high"},
           {"records that contradict each other", {.wish = Wish::conflict}, "ds-change/medium"},
       }) {
    const auto told =
        agent::find_next_ds(past({kOld}, {kOld}), row.wanted, "example.test", {}, kNow);
    const auto got =
        !told ? std::string()
              : std::string(wire_name(told->code)) + "/" + std::string(wire_name(told->severity));
    EXPECT_EQ(got, row.want) << row.says;
  }
}

struct StrandedRow {
  std::string says;
  WantedDs wanted;
  std::map<KeyId, config::Time> signed_until;
  std::string want;
  std::optional<config::Time> due;
};

TEST(NextDs, IsDueWhereTheZoneHasGivenUpTheKeyOfItsDs) {
  const auto in = [](int hours_from_now) { return kNow + hours{hours_from_now}; };
  for (const auto& row : std::vector<StrandedRow>{
           {"both sign: nothing ends",
            wants({kNew}, Fit::fits),
            {{kOld, in(240)}, {kNew, in(240)}},
            "ds-change/info",
            {}},
           {"signatures made together may be spread",
            wants({kNew}, Fit::fits),
            {{kOld, in(240)}, {kNew, in(241)}},
            "ds-change/info",
            {}},
           {"the old key signs no more, the new one is asked for",
            wants({kNew}, Fit::fits),
            {{kOld, in(240)}, {kNew, in(300)}},
            "ds-change-breaks/medium",
            in(239)},
           {"and little time is left",
            wants({kNew}, Fit::fits),
            {{kOld, in(30)}, {kNew, in(300)}},
            "ds-change-breaks/high",
            in(29)},
           {"nothing is asked for, and the key may be offline",
            {.wish = Wish::none},
            {{kOld, in(240)}, {kNew, in(300)}},
            "",
            {}},
           {"nothing is asked for, and it is late",
            {.wish = Wish::none},
            {{kOld, in(100)}, {kNew, in(300)}},
            "ds-change-breaks/medium",
            in(99)},
           {"the same where the wish is not known",
            {},
            {{kOld, in(100)}, {kNew, in(300)}},
            "ds-change-breaks/medium",
            in(99)},
           {"both are asked for, the key may be offline",
            wants({kOld, kNew}, Fit::fits),
            {{kOld, in(240)}, {kNew, in(300)}},
            "ds-change/info",
            {}},
           {"the wish to be insecure is worse",
            {.wish = Wish::removal},
            {{kOld, in(100)}, {kNew, in(300)}},
            "ds-change/high",
            in(99)},
           {"over: the look itself says so",
            {.wish = Wish::none},
            {{kOld, in(-1)}, {kNew, in(300)}},
            "",
            {}},
           {"the DS records' key is the one that is kept up",
            wants({kNew}, Fit::fits),
            {{kOld, in(300)}, {kNew, in(240)}},
            "ds-change/info",
            {}},
           {"who signs is not known", wants({kNew}, Fit::fits), {}, "ds-change/info", {}},
       }) {
    auto wanted = row.wanted;
    wanted.signed_until = row.signed_until;
    const auto told =
        agent::find_next_ds(past({kOld}, {kOld, kNew}), wanted, "example.test", {}, kNow);
    const auto got =
        !told ? std::string()
              : std::string(wire_name(told->code)) + "/" + std::string(wire_name(told->severity));
    EXPECT_EQ(got, row.want) << row.says;
    EXPECT_EQ(told ? told->due_at : std::nullopt, row.due) << row.says;
    EXPECT_EQ(told ? told->due_source : "", row.due ? "rrsig" : "") << row.says;
  }
}

TEST(NextDs, OfAZoneOfWhichNothingIsKnownIsNotTold) {
  EXPECT_FALSE(agent::find_next_ds({}, wants({kNew}, Fit::breaks), "example.test", {}, kNow));
}

std::vector<std::string> evidence(const probes::Finding& finding, const std::string& name) {
  std::vector<std::string> out;
  for (const auto& [key, value] : finding.evidence)
    if (key == name) out.push_back(value);
  return out;
}

TEST(NextDs, IsShownAsAZoneFileHasIt) {
  const auto told = agent::find_next_ds(past({kOld}, {kOld, kNew}), wants({kOld, kNew}, Fit::fits),
                                        "example.test", {}, kNow);
  ASSERT_TRUE(told);
  EXPECT_EQ(evidence(*told, "ds-wanted"),
            (std::vector<std::string>{"100 13 2 abcd", "200 13 2 abcd"}));
  EXPECT_EQ(evidence(*told, "ds-now"), std::vector<std::string>{"100/13"});
  EXPECT_EQ(evidence(*told, "signing"), std::vector<std::string>{"100/13 200/13"});
  EXPECT_EQ(told->root->name, "example.test");
}

TEST(NextDs, IsNotShownBeyondAFewRecords) {
  Keys many;
  for (std::uint16_t tag = 1; tag < 100; ++tag) many.insert({.algorithm = 13, .tag = tag});
  const auto told =
      agent::find_next_ds(past({kOld}, {kOld}), wants(many, Fit::breaks), "example.test", {}, kNow);
  ASSERT_TRUE(told);
  EXPECT_EQ(evidence(*told, "ds-wanted").size(), 8U);
}

TEST(NextDs, ShowsBothSetsWhereOnlyTheDigestChanges) {
  const auto told =
      agent::find_next_ds(past({kOld}, {kOld}), wants_other_digests(wants({kOld}, Fit::fits), 1),
                          "example.test", {}, kNow);
  ASSERT_TRUE(told);
  EXPECT_EQ(evidence(*told, "ds-now"), std::vector<std::string>{"100 13 1 abcd"});
  EXPECT_EQ(evidence(*told, "ds-wanted"), std::vector<std::string>{"100 13 2 abcd"});
}

}  // namespace

#include "web/days.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using config::Time;
using probes::Delivery;
using probes::Verdict;
using storage::DeliverySpan;
using testing::ElementsAre;
using web::DeliverySpans;

constexpr config::Seconds kHour = std::chrono::hours{1};
constexpr config::Seconds kDay = std::chrono::hours{24};
// Noon.
const Time kNoon = *config::parse_rfc3339("2027-01-15T12:00:00Z");

DeliverySpan span(Time from, Time until, Delivery delivery, Verdict verdict) {
  return {.from = from, .until = until, .delivery = delivery, .verdict = verdict};
}
DeliverySpan good(Time from, Time until) {
  return span(from, until, Delivery::fine, Verdict::authenticated);
}
DeliverySpan bad(Time from, Time until) {
  return span(from, until, Delivery::held_up, Verdict::deferred);
}
DeliverySpan unknown(Time from, Time until) {
  return span(from, until, Delivery::unknown, Verdict::unknown);
}

// An hour down two days ago, six hours unknown yesterday; watched for four days.
DeliverySpans story() {
  const auto down = kNoon - 2 * kDay;
  const auto blind = kNoon - kDay - 3 * kHour;
  return {{"a.test",
           {good(kNoon - 4 * kDay, down), bad(down, down + kHour), good(down + kHour, blind),
            unknown(blind, blind + 6 * kHour), good(blind + 6 * kHour, kNoon)}}};
}

TEST(Days, ShowTheWorstThatIsKnownOfEach) {
  std::vector<std::string> days;
  for (const auto& day : web::days_of(story(), 6, kNoon))
    days.push_back(web::date_of(day.begin) + " " +
                   (day.worst ? std::string(wire_name(*day.worst)) : "unwatched") + " " +
                   std::to_string(day.unknown / 3600));
  EXPECT_THAT(days, ElementsAre("2027-01-10 unwatched 0", "2027-01-11 fine 0", "2027-01-12 fine 0",
                                "2027-01-13 held-up 0", "2027-01-14 fine 6", "2027-01-15 fine 0"));
}

TEST(Days, UnknownTimeIsNeitherGoodNorBad) {
  const auto share = web::share_of(story(), 1, 30, kNoon);
  EXPECT_EQ(share.unknown, 6 * 3600);
  EXPECT_EQ(share.known, (4 * 24 - 6) * 3600);
  EXPECT_EQ(share.authenticated, (4 * 24 - 7) * 3600);
  EXPECT_EQ(share.uncounted, 26 * 24 * 3600);
  const auto json = web::to_json(share);
  EXPECT_DOUBLE_EQ(json["authenticated"].get<double>(), 89.0 / 90.0);
  const DeliverySpans blind{{"a.test", {unknown(kNoon - kDay, kNoon)}}};
  EXPECT_EQ(web::to_json(web::share_of(blind, 1, 30, kNoon))["authenticated"], nullptr);
}

TEST(Days, WhatCachesRefuseIsNotAuthenticated) {
  auto spans = story();
  spans["a.test"].back().delivery = Delivery::held_up;
  EXPECT_EQ(web::share_of(spans, 1, 30, kNoon).authenticated, (4 * 24 - 7 - 21) * 3600);
}

TEST(Days, AShareSaysSinceWhenWhereWatchingBeganLater) {
  EXPECT_EQ(web::to_json(web::share_of(story(), 1, 30, kNoon))["since"],
            config::rfc3339(kNoon - 4 * kDay));
  EXPECT_EQ(web::to_json(web::share_of(story(), 1, 4, kNoon))["since"], nullptr);
  EXPECT_EQ(web::to_json(web::share_of({}, 1, 30, kNoon))["since"], nullptr) << "never watched";
}

TEST(Days, ADomainWithoutMailIsNotCounted) {
  auto spans = story();
  spans["b.test"] = {span(kNoon - 4 * kDay, kNoon, Delivery::fine, Verdict::no_mail)};
  EXPECT_EQ(web::share_of(spans, 2, 30, kNoon).known, (4 * 24 - 6) * 3600);
}

TEST(Days, EpisodesAreWhatWasNotFineTheNewestFirst) {
  auto spans = story();
  spans["b.test"] = {good(kNoon - kDay, kNoon - kHour), bad(kNoon - kHour, kNoon)};
  const auto json = web::days_json(spans, 2, 90, kNoon);
  EXPECT_EQ(json["days"].size(), 90U);
  ASSERT_EQ(json["episodes"].size(), 3U);
  EXPECT_EQ(json["episodes_count"], 3);
  EXPECT_EQ(json["episodes"][0]["domain"], "b.test");
  EXPECT_EQ(json["episodes"][0]["until"], nullptr) << "it goes on";
  EXPECT_EQ(json["episodes"][1]["delivery"], "unknown");
  EXPECT_EQ(json["episodes"][2]["from"], "2027-01-13T12:00:00Z");
  EXPECT_EQ(json["episodes"][2]["until"], "2027-01-13T13:00:00Z");
  EXPECT_EQ(json["shares"][0]["days"], 30);
  EXPECT_EQ(json["shares"][1]["days"], 90);
}

TEST(Days, AnEpisodeIsOneWhateverVerdictsItHad) {
  const auto at = [](int hours) { return kNoon + hours * kHour; };
  const std::vector<DeliverySpan> spans{
      good(at(0), at(1)),
      span(at(1), at(2), Delivery::held_up, Verdict::lookup_failed),
      bad(at(2), at(4)),
      unknown(at(4), at(5)),
      span(at(5), at(6), Delivery::held_up, Verdict::refused),
      good(at(6), at(8))};
  const auto as_seen = web::episodes_in(spans, false);
  ASSERT_EQ(as_seen.size(), 5U);
  EXPECT_EQ(as_seen[1], bad(at(1), at(4))) << "with the verdict that it had longest";
  const auto told = web::episodes_in(spans, true);
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[1], bad(at(1), at(6)));
}

}  // namespace

#include "agent/history/cadence.h"

#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace {

using namespace agent;
using config::Seconds;

const config::Time kNow{Seconds{1'800'000'000}};
const config::Schedule kSchedule{
    .interval = Seconds{900}, .confirm_after = Seconds{60}, .retry_after = Seconds{120}};

Seconds wait(ProbeOutcome pace, int failures, std::string_view name = "a.test") {
  return next_wait(kSchedule, pace, failures, name);
}

TEST(Schedule, a_steady_target_waits_one_interval_give_or_take_a_tenth) {
  std::set<Seconds> waits;
  for (int i = 0; i < 200; ++i) {
    const auto name = fmt::format("d{}.test", i);
    const auto one = wait(ProbeOutcome::steady, 0, name);
    EXPECT_GE(one, Seconds{810});
    EXPECT_LE(one, Seconds{990});
    EXPECT_EQ(one, wait(ProbeOutcome::steady, 0, name)) << "the same for one name";
    waits.insert(one);
  }
  EXPECT_GT(waits.size(), 50U) << "names are spread";
}

TEST(Schedule, confirmation_comes_soon) {
  EXPECT_EQ(wait(ProbeOutcome::confirming, 0), Seconds{60});
}

TEST(Schedule, failures_of_ours_back_off_up_to_the_interval) {
  EXPECT_EQ(wait(ProbeOutcome::impaired, 1), Seconds{120});
  EXPECT_EQ(wait(ProbeOutcome::impaired, 2), Seconds{240});
  EXPECT_EQ(wait(ProbeOutcome::impaired, 3), Seconds{480});
  EXPECT_EQ(wait(ProbeOutcome::impaired, 4), Seconds{900});
  EXPECT_EQ(wait(ProbeOutcome::impaired, 1'000'000), Seconds{900});
}

TEST(Schedule, a_start_is_no_flood) {
  std::set<Seconds> first;
  for (int i = 0; i < 500; ++i) {
    const auto at = first_wait(kSchedule, fmt::format("d{}.test", i));
    EXPECT_GE(at, Seconds{0});
    EXPECT_LT(at, Seconds{60});
    first.insert(at);
  }
  EXPECT_GT(first.size(), 50U);
}

TEST(Schedule, the_shortest_interval_works) {
  const config::Schedule shortest{.interval = Seconds{1}};
  EXPECT_EQ(first_wait(shortest, "a.test"), Seconds{0});
  EXPECT_EQ(next_wait(shortest, ProbeOutcome::steady, 0, "a.test"), Seconds{1});
}

// One server and one endpoint, as histories on paper.
History history(std::vector<Publication> server, std::vector<Presented> presented = {}) {
  return {.sets = {{}}, .servers = {std::move(server)}, .endpoints = {{"a", std::move(presented)}}};
}
Publication published(Seconds since, Seconds ttl, Seconds alias_ttl = Seconds{0}) {
  const auto at = kNow + since;
  return {.began = {at, at}, .alias_ttl = alias_ttl, .ttl = ttl};
}
constexpr Seconds kLong{-1'000'000};

TEST(Cadence, is_that_of_the_longest_ttl_published) {
  const auto cadence = cadence_of(history({published(kLong, Seconds{3600}, Seconds{7200})}), kNow);
  EXPECT_EQ(cadence.longest_ttl, Seconds{7200});
  EXPECT_FALSE(cadence.is_changing) << "what was so when we looked first is no change";
}

TEST(Cadence, counts_what_caches_may_still_hold) {
  const auto lowered =
      history({published(kLong, Seconds{86400}), published(Seconds{-3600}, Seconds{300})});
  EXPECT_EQ(cadence_of(lowered, kNow).longest_ttl, Seconds{86400});
  EXPECT_EQ(cadence_of(lowered, kNow + Seconds{86400}).longest_ttl, Seconds{300});
}

TEST(Cadence, a_change_lasts_two_ttls_of_records_and_of_keys) {
  const auto records =
      history({published(kLong, Seconds{3600}), published(Seconds{0}, Seconds{3600})});
  EXPECT_TRUE(cadence_of(records, kNow + Seconds{7199}).is_changing);
  EXPECT_FALSE(cadence_of(records, kNow + Seconds{7200}).is_changing);
  const auto keys = history({published(kLong, Seconds{3600})},
                            {{.began = {kNow + kLong, kNow + kLong}}, {.began = {kNow, kNow}}});
  EXPECT_TRUE(cadence_of(keys, kNow + Seconds{7199}).is_changing);
  EXPECT_FALSE(cadence_of(keys, kNow + Seconds{7200}).is_changing);
}

TEST(Cadence, a_server_that_fails_holds_nothing) {
  auto failing = published(kLong, Seconds{3600});
  failing.fails = true;
  EXPECT_EQ(cadence_of(history({failing}), kNow).longest_ttl, Seconds{0});
}

TEST(Interval, is_a_quarter_of_the_ttl_and_a_tenth_after_a_change_within_bounds) {
  const config::Schedule schedule{.interval = Seconds{900}, .fastest = Seconds{60}};
  EXPECT_EQ(interval_for(schedule, Seconds{1200}, false), Seconds{300});
  EXPECT_EQ(interval_for(schedule, Seconds{1200}, true), Seconds{120});
  EXPECT_EQ(interval_for(schedule, Seconds{86400}, false), Seconds{900});
  EXPECT_EQ(interval_for(schedule, Seconds{30}, true), Seconds{60});
  EXPECT_EQ(interval_for(schedule, Seconds{0}, true), Seconds{900}) << "nothing to wait for";
  const config::Schedule quick{.interval = Seconds{10}, .fastest = Seconds{60}};
  EXPECT_EQ(interval_for(quick, Seconds{86400}, true), Seconds{10}) << "who wants it, gets it";
}

}  // namespace

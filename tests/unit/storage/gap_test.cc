#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/facts.h"
#include "tests/unit/storage/store.h"

// Breaks in the history: what nobody recorded is not told as seen.
namespace {

using support::kMinute;
using support::kNow;
using support::Scene;
using support::Store;
using testing::ElementsAre;
using testing::SizeIs;

TEST(Gap, nothing_is_told_as_seen_all_through_it) {
  Store store;
  const Scene scene;
  store.record(support::host_round(scene));
  auto after = support::host_round(scene, kNow + 60 * kMinute);
  after.gap = agent::Gap{.from = kNow + kMinute, .until = kNow + 60 * kMinute, .rounds = 12};
  store.record(after);
  store.record(support::host_round(scene, kNow + 61 * kMinute));
  EXPECT_THAT(store.versions("addresses"), ElementsAre("0..0 closed", "3600..3660 open"));
  EXPECT_THAT(store.versions("gap"), ElementsAre("60..3600 closed"));
  const auto history =
      store.queries()->history({.names = {"mx.example.test", "example.test", storage::kOurselves}});
  ASSERT_TRUE(history);
  EXPECT_EQ(std::ranges::count(*history, "gap", &storage::Event::kind), 1);
}

TEST(Gap, is_remembered_over_a_restart_by_subjects_not_seen_since) {
  Store store;
  const Scene scene;
  store.record(support::host_round(scene));
  agent::Round gap{.at = kNow + 60 * kMinute};
  gap.gap = agent::Gap{.from = kNow + kMinute, .until = gap.at, .rounds = 1};
  store.record(gap);
  store.reopen();
  store.record(support::host_round(scene, kNow + 61 * kMinute));
  EXPECT_THAT(store.versions("addresses"), ElementsAre("0..0 closed", "3660..3660 open"));
}

TEST(Gap, is_no_change_of_records_or_keys) {
  Store store;
  const Scene scene;
  store.record(support::host_round(scene));
  auto after = support::host_round(scene, kNow + 60 * kMinute);
  after.gap = agent::Gap{.from = kNow + kMinute, .until = kNow + 60 * kMinute, .rounds = 12};
  store.record(after);
  const auto read = store.recorder().host_history(support::name("mx.example.test"), kNow - kMinute);
  ASSERT_TRUE(read);
  for (const auto& [name, versions] : read->servers) EXPECT_THAT(versions, SizeIs(1)) << name;
  for (const auto& [name, versions] : read->endpoints) EXPECT_THAT(versions, SizeIs(1)) << name;
}

TEST(ClockStep, is_in_the_history_and_what_was_seen_after_it_is_the_last) {
  Store store;
  Scene scene;
  store.record(support::host_round(scene));
  const config::Seconds back{-40 * 24 * 3600};
  agent::Round step{.at = kNow + back};
  step.clock_step = agent::ClockStep{.before = kNow, .after = kNow + back, .by = back};
  store.record(step);
  scene.serve({support::Pki::get().old_leaf.certificate, support::Pki::get().inter.certificate});
  store.record(support::host_round(scene, kNow + back + kMinute));
  EXPECT_THAT(store.versions("clock"), SizeIs(1));
  const auto read =
      store.recorder().host_history(support::name("mx.example.test"), kNow + 2 * back);
  ASSERT_TRUE(read);
  for (const auto& [name, versions] : read->endpoints) {
    ASSERT_THAT(versions, SizeIs(2)) << name;
    EXPECT_EQ(versions.back().what.front()->sha256,
              support::Pki::get().old_leaf.certificate->sha256);
  }
}

}  // namespace

#include "agent/chronicle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/past.h"

// What a look is evidence of, and for when.
namespace {

using support::kNow;
using support::Past;
using support::Pki;
using support::record;

constexpr config::Seconds kMinute{60};

TEST(Chronicle, ALongLookProvesWhatItSawOnlyAtTheSafeEndOfItself) {
  const auto old_one = Past::give({record(3, 1, 1, *Pki::get().old_leaf.certificate)});
  const auto new_one = Past::give({record(3, 1, 1, *Pki::get().leaf.certificate)});
  agent::Chronicle chronicle;
  const auto look = [&](const agent::Published& given, config::Time began, config::Time ended) {
    return agent::note(chronicle, {.servers = {{"ns1", given}}, .knows_servers = true}, began,
                       ended);
  };
  EXPECT_TRUE(look(old_one, kNow, kNow + kMinute));
  EXPECT_FALSE(look(old_one, kNow + 10 * kMinute, kNow + 11 * kMinute));
  EXPECT_TRUE(look(new_one, kNow + 20 * kMinute, kNow + 21 * kMinute));
  const auto history = agent::history_of(chronicle, {"mx.example.test"});
  ASSERT_EQ(history.servers.size(), 1U);
  ASSERT_EQ(history.servers[0].size(), 2U);
  const auto began = history.servers[0][1].began;
  EXPECT_EQ(began.after, kNow + 10 * kMinute) << "the name server may have been asked at the begin";
  EXPECT_EQ(began.by, kNow + 21 * kMinute) << "or at the end";
}

}  // namespace

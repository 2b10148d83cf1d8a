#include "agent/hindsight/renewal_pattern.h"

#include <gtest/gtest.h>

#include "tests/support/past.h"

namespace {

using agent::RenewalPattern;
using std::chrono::days;
using std::chrono::hours;
using support::issued_at;
using support::Key;
using support::kNow;
using support::Past;

const std::string kFirst = "192.0.2.1/default";
const std::string kSecond = "192.0.2.2/default";

const Key& key(std::size_t i) {
  static const Key keys[] = {Key::ecdsa(), Key::ecdsa(), Key::ecdsa(), Key::ecdsa(), Key::ecdsa()};
  return keys[i];
}

// A certificate for each of these keys, issued and shown every 60 days, the last one at kNow.
Past renewed(const std::vector<std::size_t>& keys, const std::string& endpoint = kFirst) {
  Past past;
  auto at = kNow - days{60} * (std::ssize(keys) - 1);
  for (const auto i : keys) {
    past.show(at, endpoint, issued_at(at, key(i)));
    at += days{60};
  }
  return past;
}

RenewalPattern only_habit_of(const Past& past) {
  const auto habits = agent::renewal_patterns_of(past.host_history);
  EXPECT_EQ(habits.size(), 1U);
  return habits.empty() ? RenewalPattern{} : habits.front();
}

TEST(Habits, OneCertificateIsNone) {
  const auto habit = only_habit_of(renewed({0}));
  EXPECT_EQ(habit.renewals, 0U);
  EXPECT_EQ(habit.next_at, std::nullopt);
}

TEST(Habits, TheNextRenewalIsDueOneMedianIntervalAfterTheLast) {
  auto past = renewed({0, 1, 2, 3});
  const auto habit = only_habit_of(past);
  EXPECT_EQ(habit.renewals, 3U);
  EXPECT_EQ(habit.new_keys, 3U);
  EXPECT_TRUE(habit.brings_new_key);
  EXPECT_EQ(habit.interval, days{60});
  EXPECT_EQ(habit.least_left, days{30});
  EXPECT_EQ(habit.next_at, kNow + days{60});
  past.show(kNow + days{200}, kFirst, issued_at(kNow + days{200}, key(4)));
  EXPECT_EQ(only_habit_of(past).interval, days{60}) << "one long pause is no habit";
}

TEST(Habits, RenewalIsDatedByTheCertificateNotByOurLook) {
  Past past;
  past.show(kNow - days{10}, kFirst, issued_at(kNow - days{60}, key(0)))
      .show(kNow, kFirst, issued_at(kNow - days{1}, key(1)));
  EXPECT_EQ(only_habit_of(past).interval, days{59});
}

TEST(Habits, NoRenewalIsExpectedAfterTheEndOfTheCertificate) {
  Past past;
  past.show(kNow - days{300}, kFirst, issued_at(kNow - days{300}, key(0)))
      .show(kNow, kFirst, issued_at(kNow, key(1)));
  EXPECT_EQ(only_habit_of(past).next_at, kNow + days{90});
}

TEST(Habits, WhatWasSeenBeforeIsNoRenewal) {
  const auto first = issued_at(kNow - days{60}, key(0));
  Past past;
  past.show(kNow - days{60}, kFirst, first)
      .show(kNow, kFirst, issued_at(kNow, key(1)))
      .show(kNow + hours{1}, kFirst, first);  // the old one again
  const auto habit = only_habit_of(past);
  EXPECT_EQ(habit.renewals, 1U);
  EXPECT_EQ(habit.next_at, kNow + days{60});
}

TEST(Habits, KeysThatComeBackAreNotNew) {
  EXPECT_FALSE(only_habit_of(renewed({0, 0, 0})).brings_new_key) << "R-14";
  const auto turns = only_habit_of(renewed({0, 1, 0, 1}));
  EXPECT_EQ(turns.new_keys, 1U);
  EXPECT_FALSE(turns.brings_new_key);
}

TEST(Habits, WhatTheLastRenewalsDidDecides) {
  EXPECT_FALSE(only_habit_of(renewed({0, 1, 2, 2, 2})).brings_new_key) << "--reuse-key since";
  EXPECT_TRUE(only_habit_of(renewed({0, 0, 1, 2})).brings_new_key);
  EXPECT_TRUE(only_habit_of(renewed({0, 0, 1})).brings_new_key) << "one of two, the last";
  EXPECT_FALSE(only_habit_of(renewed({0, 0, 0, 1})).brings_new_key) << "one exception";
}

TEST(Habits, EndpointsThatShareACertificateHaveOneHabit) {
  auto past = renewed({0, 1});
  past.show(kNow, kSecond, past.host_history.endpoints.at(kFirst).front().what)
      .show(kNow + hours{1}, kSecond, past.host_history.endpoints.at(kFirst).back().what);
  EXPECT_EQ(only_habit_of(past).renewals, 1U);
}

TEST(Habits, TwoServersCertificatesOfOneDayAreNoRenewalOfEachOther) {
  auto past = renewed({0, 0});
  const auto other = issued_at(kNow + hours{2}, key(1));
  past.show(kNow + hours{3}, kFirst, other);
  EXPECT_EQ(only_habit_of(past).renewals, 1U);
}

TEST(Habits, OtherEndpointsAndKeyTypesHaveTheirOwn) {
  auto past = renewed({0, 1});
  past.show(kNow, "192.0.2.1/rsa", issued_at(kNow, Key::rsa()))
      .show(kNow, kSecond, issued_at(kNow, key(2)));
  EXPECT_EQ(agent::renewal_patterns_of(past.host_history).size(), 3U);
}

TEST(Habits, EndpointsThatAreNoMoreHaveNone) {
  auto past = renewed({0, 1});
  past.show(kNow + days{1}, kFirst, {});
  EXPECT_TRUE(agent::renewal_patterns_of(past.host_history).empty());
}

}  // namespace

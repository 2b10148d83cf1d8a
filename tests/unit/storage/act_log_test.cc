#include "storage/act_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/storage/store.h"

namespace {

using storage::Act;
using storage::ActLog;
using support::kMinute;
using support::kNow;
using support::Store;
using testing::ElementsAre;
using testing::SizeIs;

std::unique_ptr<ActLog> log_of(const Store& store) {
  auto opened = ActLog::open(store.place());
  if (!opened) throw std::runtime_error(opened.error());
  return std::move(*opened);
}

Act act(const std::string& by, config::Time at = kNow) {
  return {.at = at, .by = by, .login = "user", .what = "check"};
}

std::vector<std::string> names(Store& store) {
  return store.rows("SELECT by FROM act ORDER BY id");
}

TEST(ActLog, TheNewestAreKept) {
  Store store;
  const auto log = log_of(store);
  ASSERT_TRUE(log->record(act("first")));
  store.outside().execute("UPDATE act SET id = 1");
  store.outside().execute_on_sqlite("UPDATE sqlite_sequence SET seq = 10000");
  store.outside().execute_on_postgresql(
      "SELECT setval(pg_get_serial_sequence('act', 'id'), 10000)");
  ASSERT_TRUE(log->record(act("last")));
  EXPECT_THAT(names(store), ElementsAre("last"));
}

TEST(ActLog, OldOnesGoWithOtherHistory) {
  Store store;
  const auto log = log_of(store);
  ASSERT_TRUE(log->record(act("old", kNow - kMinute)));
  ASSERT_TRUE(log->record(act("new")));
  ASSERT_TRUE(store.forget(kNow));
  EXPECT_THAT(names(store), ElementsAre("new"));
}

TEST(ActLog, WhatCannotBeWrittenIsWrittenWithTheNext) {
  Store store;
  const auto log = log_of(store);
  store.outside().execute("ALTER TABLE act RENAME TO elsewhere");
  EXPECT_FALSE(log->record(act("alice")));
  store.outside().execute("ALTER TABLE elsewhere RENAME TO act");
  ASSERT_TRUE(log->record(act("bob")));
  EXPECT_THAT(names(store), ElementsAre("alice", "bob"));
  EXPECT_THAT(store.queries()->acts({.by = "alice"}).value(), SizeIs(1));
}

}  // namespace

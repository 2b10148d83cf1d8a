#include "storage/delivery_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/storage/store.h"

namespace {

using support::Store;
using testing::ElementsAre;
using testing::Pair;

TEST(DeliveryStore, WhatAwaitsTheNextLookIsKeptWithThePlaceInTheLog) {
  Store store;
  const auto kept = [&] {
    return *(*storage::DatabaseDeliveryStore::open(store.place(), "here"))->restore();
  };
  auto deliveries = *storage::DatabaseDeliveryStore::open(store.place(), "here");
  agent::DeliveryBook::Changes changes;
  changes.undecided = {{1, "{}"}, {2, R"({"at":2})"}};
  ASSERT_TRUE(deliveries->save(changes, "mail.log", "10", "at 10"));
  EXPECT_THAT(kept().undecided, ElementsAre(Pair(1, "{}"), Pair(2, R"({"at":2})")));
  EXPECT_EQ(kept().position, "10");
  changes = {};
  changes.decided = {1, 7};
  ASSERT_TRUE(deliveries->save(changes, "mail.log", "20", "at 20"));
  EXPECT_THAT(kept().undecided, ElementsAre(Pair(2, R"({"at":2})")));
  EXPECT_EQ(kept().position, "20");
  EXPECT_EQ(kept().reader, "at 20");
}

// Agents of a fleet share a database, and no Postfix.
TEST(DeliveryStore, EachAgentOfAFleetHasItsOwn) {
  Store store;
  const auto of = [&](const char* name) {
    return *storage::DatabaseDeliveryStore::open(store.place(), name);
  };
  const auto one = of("one"), two = of("two");
  agent::DeliveryBook::Changes changes;
  changes.domains = {{"a.test", "{}"}};
  changes.disagreements = {"[1]"};
  changes.undecided = {{1, "{}"}};
  ASSERT_TRUE(one->save(changes, "mail.log", "10", ""));
  changes.domains["a.test"] = "[]";
  changes.disagreements = {"[2]"};
  changes.undecided = {{1, "[]"}};
  ASSERT_TRUE(two->save(changes, "mail.log", "20", ""));
  if (store.place().is_postgresql()) {
    EXPECT_EQ(one->restore()->position, "10");
    EXPECT_THAT(one->restore()->domains, ElementsAre(Pair("a.test", "{}")));
    EXPECT_THAT(one->restore()->disagreements, ElementsAre("[1]"));
    EXPECT_THAT(two->restore()->undecided, ElementsAre(Pair(1, "[]")));
    EXPECT_EQ(of("three")->restore()->position, "");
  } else {
    EXPECT_EQ(of("renamed")->restore()->position, "20") << "a file has one agent";
  }
}

// As it comes out of a file that was moved into a fleet's database.
TEST(DeliveryStore, WhatAFileHeldIsTheFirstAgentsThatAsks) {
  Store store;
  if (!store.place().is_postgresql()) GTEST_SKIP() << "a file has one agent";
  store.outside().execute(
      "INSERT INTO own_delivery_state VALUES('', 'position', '7'); "
      "INSERT INTO own_delivery VALUES('', 'a.test', '{}')");
  const auto of = [&](const char* name) {
    return *(*storage::DatabaseDeliveryStore::open(store.place(), name))->restore();
  };
  EXPECT_EQ(of("one").position, "7");
  EXPECT_EQ(of("two").position, "");
  EXPECT_THAT(of("one").domains, ElementsAre(Pair("a.test", "{}")));
}

TEST(DeliveryStore, TheNewestDisagreementsAreKept) {
  Store store;
  const auto deliveries = *storage::DatabaseDeliveryStore::open(store.place(), "here");
  constexpr auto kMost = storage::DatabaseDeliveryStore::kMostDisagreements;
  agent::DeliveryBook::Changes changes;
  for (int i = 0; i < kMost + 5; ++i) changes.disagreements.push_back(std::to_string(i));
  ASSERT_TRUE(deliveries->save(changes, "mail.log", "10", ""));
  const auto kept = deliveries->restore()->disagreements;
  EXPECT_EQ(kept.size(), std::size_t{kMost});
  EXPECT_EQ(kept.front(), "5");
}

}  // namespace

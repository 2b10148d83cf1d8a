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
    return *(*storage::DatabaseDeliveryStore::open(store.place()))->restore();
  };
  auto deliveries = *storage::DatabaseDeliveryStore::open(store.place());
  agent::DeliveryBook::Changes changes;
  changes.undecided = {{1, "{}"}, {2, R"({"at":2})"}};
  ASSERT_TRUE(deliveries->save(changes, "mail.log", "10"));
  EXPECT_THAT(kept().undecided, ElementsAre(Pair(1, "{}"), Pair(2, R"({"at":2})")));
  EXPECT_EQ(kept().position, "10");
  changes = {};
  changes.decided = {1, 7};
  ASSERT_TRUE(deliveries->save(changes, "mail.log", "20"));
  EXPECT_THAT(kept().undecided, ElementsAre(Pair(2, R"({"at":2})")));
  EXPECT_EQ(kept().position, "20");
}

}  // namespace

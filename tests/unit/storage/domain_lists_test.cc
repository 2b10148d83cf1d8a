#include "storage/domain_lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/storage/store.h"

namespace {

using agent::HeldDomain;
using config::Role;
using support::kNow;
using support::Store;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<HeldDomain> some() {
  return {
      {.listed = {.name = "a.test", .role = {}, .group = {}}, .missing_since = {}},
      {.listed = {.name = "b.test", .role = Role::inbound, .group = "ours"}, .missing_since = kNow},
      {.listed = {.name = "c.test", .role = Role::outbound, .group = ""}, .missing_since = {}}};
}

TEST(ListStore, GivesListsBackAsTheyWere) {
  Store store;
  {
    auto lists = *storage::DatabaseListStore::open(store.place());
    EXPECT_THAT(*lists->restore(), IsEmpty());
    ASSERT_TRUE(lists->keep({.name = "two", .domains = {}, .read_at = kNow}));
    ASSERT_TRUE(lists->keep({.name = "one", .domains = some(), .read_at = kNow}));
    ASSERT_TRUE(lists->keep_read("one", kNow + std::chrono::hours{1}));
    ASSERT_TRUE(lists->keep_read("unknown", kNow));
  }
  const auto kept = *(*storage::DatabaseListStore::open(store.place()))->restore();
  ASSERT_THAT(kept, SizeIs(2));
  EXPECT_EQ(kept[0].name, "one");
  EXPECT_EQ(kept[0].domains, some());
  EXPECT_EQ(kept[0].read_at, kNow + std::chrono::hours{1});
  EXPECT_THAT(kept[1].domains, IsEmpty());
}

TEST(ListStore, ForgetsListsThatNobodyConfigures) {
  Store store;
  auto lists = *storage::DatabaseListStore::open(store.place());
  for (const auto* name : {"one", "two", "three"})
    ASSERT_TRUE(lists->keep({.name = name, .domains = some(), .read_at = kNow}));
  ASSERT_TRUE(lists->keep_only({"two", "other"}));
  const auto kept = *lists->restore();
  ASSERT_THAT(kept, SizeIs(1));
  EXPECT_EQ(kept[0].name, "two");
  ASSERT_TRUE(lists->keep_only({}));
  EXPECT_THAT(*lists->restore(), IsEmpty());
}

TEST(ListStore, PassesOverAListThatCannotBeRead) {
  Store store;
  auto lists = *storage::DatabaseListStore::open(store.place());
  ASSERT_TRUE(lists->keep({.name = "one", .domains = some(), .read_at = kNow}));
  storage::Database(store.place(), storage::Database::Mode::create)
      .execute("UPDATE domain_list SET body = '[{\"role\": 1}]'");
  EXPECT_THAT(*lists->restore(), IsEmpty());
}

}  // namespace

#include "agent/watch/shared_list.h"

#include <numeric>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// What copies of a list see of each other's changes: nothing.
namespace {

using Numbers = agent::SharedList<int>;

Numbers up_to(int count) {
  Numbers out;
  for (int i = 0; i < count; ++i) out.push_back(i);
  return out;
}

TEST(SharedList, KeepsItsOrderOverManyChunks) {
  constexpr int kMany = 3 * static_cast<int>(Numbers::kChunk) + 1;
  const auto list = up_to(kMany);
  EXPECT_EQ(list.size(), static_cast<std::size_t>(kMany));
  EXPECT_EQ(list.front(), 0);
  EXPECT_EQ(list.back(), kMany - 1);
  EXPECT_EQ(std::accumulate(list.begin(), list.end(), 0), kMany * (kMany - 1) / 2);
  EXPECT_EQ(*std::ranges::lower_bound(list, 500), 500) << "searched like any sorted list";
}

TEST(SharedList, ACopyStaysAsItWasWhateverBecomesOfTheOther) {
  auto list = up_to(300);
  const auto before = list;
  list.set(5, std::make_shared<const int>(-1));
  list.renew(299) = -2;
  list.push_back(300);
  EXPECT_EQ(before[5], 5);
  EXPECT_EQ(before[299], 299);
  EXPECT_EQ(before.size(), 300U);
  EXPECT_EQ(list[5], -1);
  EXPECT_EQ(list[299], -2);
  EXPECT_EQ(list.size(), 301U);
}

TEST(SharedList, SharesWhatDidNotChange) {
  auto list = up_to(600);
  const auto before = list;
  list.set(0, std::make_shared<const int>(-1));
  EXPECT_NE(list.shared(0), before.shared(0));
  EXPECT_EQ(list.shared(599), before.shared(599));
  const auto* own = &list[1];
  list.set(1, std::make_shared<const int>(-2));
  EXPECT_NE(&list[1], own);
  EXPECT_EQ(before[1], 1) << "also by the second change after a copy";
}

}  // namespace

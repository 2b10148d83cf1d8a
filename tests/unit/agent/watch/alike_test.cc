#include "agent/watch/alike.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

// Who comes to hold what others hold, holds the same.
namespace {

using agent::Alike;
using Text = std::shared_ptr<const std::string>;

Text text(const char* of) {
  return std::make_shared<const std::string>(of);
}

TEST(Alike, IsTheOneThatSomebodyHolds) {
  Alike<std::string> alike;
  const auto a = text("a"), b = text("b");
  EXPECT_EQ(alike.one(a), a);
  EXPECT_EQ(alike.one(b), b);
  EXPECT_EQ(alike.one(text("a")), a);
  EXPECT_EQ(alike.one(text("b")), b);
}

TEST(Alike, KeepsNothingAlive) {
  Alike<std::string> alike;
  auto a = alike.one(text("a"));
  const std::weak_ptr<const std::string> watched = a;
  a.reset();
  EXPECT_TRUE(watched.expired());
  const auto again = text("a");
  EXPECT_EQ(alike.one(again), again);
}

TEST(Alike, KnowsThoseThatWereMetLast) {
  Alike<std::string> alike;
  const auto often = text("often");
  std::vector<Text> held{alike.one(often)};
  for (std::size_t i = 0; i < 3 * alike.kMost; ++i) {
    held.push_back(alike.one(text(std::to_string(i).c_str())));
    EXPECT_EQ(alike.one(text("often")), often) << i;
  }
  EXPECT_NE(alike.one(text("0")), held[1]) << "it is bounded";
}

}  // namespace

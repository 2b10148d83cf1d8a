// What keeps values once: they read as values do, and nobody sees another's change.

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/boxed.h"
#include "config/shared.h"
#include "config/shared_vector.h"

namespace {

using config::Boxed;
using config::Shared;
using config::SharedVector;
using testing::ElementsAre;

SharedVector<std::string> of(std::initializer_list<const char*> values) {
  SharedVector<std::string> out;
  for (const auto* value : values) out.push_back(value);
  return out;
}

TEST(SharedVector, IsAListOfValues) {
  const auto list = of({"a", "b", "c"});
  EXPECT_THAT(list, ElementsAre("a", "b", "c"));
  EXPECT_EQ(list.front(), "a");
  EXPECT_EQ(list.back(), "c");
  EXPECT_TRUE(of({}).empty());
}

TEST(SharedVector, KeepsAChangeToItself) {
  auto list = of({"a", "b"});
  const auto copy = list;
  EXPECT_EQ(list.shared(1), copy.shared(1)) << "one value, held twice";
  list.change(0) = "x";
  EXPECT_THAT(list, ElementsAre("x", "b"));
  EXPECT_THAT(copy, ElementsAre("a", "b"));
}

TEST(SharedVector, KeepsOnceWhatAnotherListHas) {
  const auto other = of({"b"});
  auto list = of({"a", "b"});
  list.keep(1, other.shared(0));
  EXPECT_EQ(list.shared(1), other.shared(0));
  list.change(1) = "x";
  EXPECT_THAT(other, ElementsAre("b"));
}

TEST(SharedVector, KeepsAWholeListOnce) {
  auto list = of({"a", "b"});
  auto other = list;
  EXPECT_EQ(list.list(), other.list());
  other.push_back("c");
  EXPECT_THAT(list, ElementsAre("a", "b"));
  EXPECT_THAT(other, ElementsAre("a", "b", "c"));
  other.keep(list.list());
  EXPECT_EQ(list.list(), other.list());
  other.change(0) = "x";
  EXPECT_THAT(list, ElementsAre("a", "b"));
  EXPECT_EQ(of({}).list(), nullptr) << "none costs no memory";
}

TEST(SharedVector, LetsAllBeChangedAtOnceAndOnlyItsOwn) {
  auto list = of({"b", "a"});
  const auto copy = list;
  list.edit([](std::vector<std::string>& all) {
    all.emplace_back("c");
    std::ranges::sort(all);
  });
  EXPECT_THAT(list, ElementsAre("a", "b", "c"));
  EXPECT_THAT(copy, ElementsAre("b", "a"));
  list.edit([](std::vector<std::string>& all) { all.clear(); });
  EXPECT_TRUE(list.empty());
  list.edit([](std::vector<std::string>& all) { all.emplace_back("d"); });
  EXPECT_THAT(list, ElementsAre("d"));
}

TEST(SharedVector, IsEqualByItsValues) {
  EXPECT_EQ(of({"a"}), of({"a"}));
  EXPECT_NE(of({"a"}), of({"b"}));
  EXPECT_NE(of({"a"}), of({}));
  EXPECT_EQ(of({}), SharedVector<std::string>{});
}

TEST(Shared, IsOneOfManyMadeTogether) {
  auto all = std::make_shared<std::vector<std::string>>(2, "a");
  Shared<std::string> one(std::shared_ptr<std::string>(all, &all->front()));
  const auto copy = one;
  one.change() = "b";
  EXPECT_EQ(*one, "b");
  EXPECT_EQ(*copy, "a");
  EXPECT_EQ(all->front(), "a");
}

TEST(Boxed, IsAnOptionalValue) {
  Boxed<std::string> box;
  EXPECT_FALSE(box);
  EXPECT_EQ(box, Boxed<std::string>(std::nullopt));
  box = std::optional<std::string>("a");
  EXPECT_EQ(*box, "a");
  EXPECT_EQ(box, Boxed<std::string>(std::string("a"))) << "by value, wherever it lies";
  EXPECT_FALSE(box == Boxed<std::string>(std::string("b")));
  EXPECT_EQ(box.copy(), "a");
  box.reset();
  EXPECT_FALSE(box.has_value());
  EXPECT_EQ(box.copy(), std::nullopt);
}

TEST(Shared, AlwaysHasAValue) {
  const Shared<std::string> nothing;
  EXPECT_TRUE(nothing->empty());
  const Shared<std::string> one = std::string("a");
  const auto copy = one;
  EXPECT_EQ(&*copy, &*one);
  auto other = one;
  other.change() = "b";
  EXPECT_EQ(*one, "a");
}

}  // namespace

// What keeps values once: they read as values do, and nobody sees another's change.

#include <initializer_list>
#include <optional>
#include <string>

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

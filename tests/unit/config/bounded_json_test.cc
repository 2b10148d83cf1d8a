#include "config/bounded_json.h"

#include <string>

#include <gtest/gtest.h>

namespace config {
namespace {

std::string fault_of(std::string_view text, JsonBounds bounds = {.depth = 3, .values = 8}) {
  const auto json = parse_json(text, bounds);
  return json ? "" : json.error();
}

TEST(BoundedJson, IsReadUpToItsBounds) {
  EXPECT_EQ(fault_of("[[[1]]]"), "");
  EXPECT_EQ(fault_of("[[[[1]]]]"), "nested too deeply");
  EXPECT_EQ(fault_of(R"([{"a":{}},{"b":{}}])"), "");
  EXPECT_EQ(fault_of("[1,2,3,4,5,6,7]"), "");
  EXPECT_EQ(fault_of("[1,2,3,4,5,6,7,8]"), "too many values");
  EXPECT_EQ(fault_of("[{},{},{},{},{}]"), "too many values");
}

TEST(BoundedJson, PassesOverWhatStandsInStrings) {
  EXPECT_EQ(fault_of(R"("[[[[[,,,,,,,,,,\"[[[[[")"), "");
  EXPECT_EQ(fault_of(R"(["\\", "[[[["])"), "");
  EXPECT_EQ(fault_of(R"({"a\"[":"{{{{"})"), "");
}

TEST(BoundedJson, SaysOfAnythingElseThatItIsNone) {
  for (const auto* text : {"", "[", "]", "{]", "nul", "\"", "\"\\", "]]]]]]", "[1,]", "[1] 2"})
    EXPECT_EQ(fault_of(text), "not JSON") << text;
}

// With a callback of the library's a list of objects took as long as the square of its length: a
// minute and more for these.
TEST(BoundedJson, TakesNoLongerThanItIsLong) {
  std::string text = "[{}";
  for (int i = 0; i < 300'000; ++i) text += ",{}";
  text += "]";
  const auto json = parse_json(text, {.depth = 3, .values = 1'000'000});
  ASSERT_TRUE(json);
  EXPECT_EQ(json->size(), 300'001U);
}

}  // namespace
}  // namespace config

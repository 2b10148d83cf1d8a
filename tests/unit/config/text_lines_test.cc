// Lines in one piece of memory read as a list of lines.

#include "config/text_lines.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using config::TextLines;
using testing::ElementsAre;

TEST(TextLines, AreAListOfLines) {
  TextLines lines;
  EXPECT_TRUE(lines.empty());
  EXPECT_EQ(lines.begin(), lines.end());
  for (const auto* line : {"S: 220 a", "", "C: QUIT"}) lines.push_back(line);
  EXPECT_THAT(lines, ElementsAre("S: 220 a", "", "C: QUIT"));
  EXPECT_FALSE(lines.empty());
  EXPECT_EQ(lines, (TextLines{"S: 220 a", "", "C: QUIT"}));
  EXPECT_NE(lines, (TextLines{"S: 220 a", "C: QUIT"}));
}

// Whatever a server says is one line.
TEST(TextLines, AreNotMadeMoreByWhatStandsInOne) {
  TextLines lines;
  lines.push_back("a\nb\n");
  lines.push_back(std::string("c\0d", 3));
  EXPECT_THAT(lines, ElementsAre("a b ", std::string("c\0d", 3)));
}

TEST(TextLines, ComeBackFromTheirText) {
  const TextLines lines{"a", "", "b"};
  EXPECT_EQ(TextLines::of(lines.text()), lines);
  EXPECT_EQ(TextLines::of(TextLines{}.text()), TextLines{});
}

}  // namespace

#include "config/word.h"

#include <string>

#include <gtest/gtest.h>

// A word reads as its text, and equal ones are one.
namespace {

using config::Word;

TEST(Word, ReadsAsItsText) {
  const Word empty, partners{std::string("partners")};
  const std::string& text = partners;
  EXPECT_EQ(text, "partners");
  EXPECT_TRUE(empty.empty());
  EXPECT_EQ(empty.text(), "");
  EXPECT_EQ(Word(""), empty);
  EXPECT_FALSE(partners.empty());
}

TEST(Word, IsKeptOnceAndComparedByWhatItSays) {
  const Word one{"a group of domains"}, same{std::string_view("a group of domains")};
  EXPECT_EQ(one, same);
  EXPECT_EQ(&one.text(), &same.text());
  EXPECT_NE(one, Word("another"));
  EXPECT_EQ(one, std::string("a group of domains"));
  EXPECT_NE(std::string("asked for"), one);
  EXPECT_LT(Word("a"), Word("b"));
  EXPECT_LT(Word(), Word("a"));
}

}  // namespace

#include "config/utf8.h"

#include <gtest/gtest.h>

namespace config {
namespace {

TEST(Utf8, HasCharactersOfOneToFourOctets) {
  struct Row {
    std::string_view text;
    std::size_t length;
  };
  constexpr Row kRows[] = {
      {"", 0},
      {"ab", 1},
      {{"\0", 1}, 1},
      {"\x7f", 1},
      {"\u00e9x", 2},
      {"\u20ac", 3},
      {"\U0001F600", 4},
      {"\x80", 0},              // no lead
      {"\xc3", 0},              // cut off
      {"\xe2\x82", 0},          //
      {"\xc3(", 0},             // no continuation
      {"\xc0\x80", 0},          // longer than need be
      {"\xc1\xbf", 0},          //
      {"\xe0\x9f\xbf", 0},      //
      {"\xf0\x8f\xbf\xbf", 0},  //
      {"\xed\x9f\xbf", 3},      // the last before the surrogates
      {"\xed\xa0\x80", 0},      // a surrogate
      {"\xee\x80\x80", 3},      // the first behind them
      {"\xf4\x8f\xbf\xbf", 4},  // U+10FFFF
      {"\xf4\x90\x80\x80", 0},  // beyond
      {"\xf5\x80\x80\x80", 0},
      {"\xff", 0},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(testing::PrintToString(row.text));
    EXPECT_EQ(utf8_length(row.text), row.length);
  }
}

TEST(Utf8, LosesOnlyWhatIsNone) {
  EXPECT_TRUE(is_utf8("Gr\u00fc\u00dfe"));
  EXPECT_FALSE(
      is_utf8("Gr\xfc\xdf"
              "e"));
  EXPECT_EQ(as_utf8("Gr\u00fc\u00dfe"), "Gr\u00fc\u00dfe");
  EXPECT_EQ(as_utf8("\u20acr\xfc\xe2\x82."), "\u20acr\ufffd\ufffd\ufffd.");
}

}  // namespace
}  // namespace config

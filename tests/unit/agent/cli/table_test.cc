#include "agent/cli/table.h"

#include <gtest/gtest.h>

namespace {

using namespace agent;

const std::vector<TableRow> kRows{{{"a.test"}, {"ok", Tint::good}, {"all is well"}},
                                  {{"längst.test"}, {"critical", Tint::bad}, {""}}};
const std::vector<std::string> kHead{"NAME", "STATUS", "WHAT"};

TEST(Table, HasTabsAndNothingElseForAProgram) {
  EXPECT_EQ(table(kHead, kRows, {}),
            "NAME\tSTATUS\tWHAT\n"
            "a.test\tok\tall is well\n"
            "längst.test\tcritical\t\n");
}

TEST(Table, AlignsByCharactersOnATerminal) {
  EXPECT_EQ(table(kHead, kRows, {.columns = 80}),
            "NAME         STATUS    WHAT\n"
            "a.test       ok        all is well\n"
            "längst.test  critical\n");
}

TEST(Table, CutsTheLastColumnOnlyAndOnlyOnATerminal) {
  const std::vector<TableRow> rows{{{"a.test"}, {"0123456789012345"}}};
  EXPECT_EQ(table({"N", "W"}, rows, {.columns = 20}), "N       W\na.test  01234567890…\n");
  EXPECT_EQ(table({"N", "W"}, rows, {.columns = 24}), "N       W\na.test  0123456789012345\n");
  // Too narrow for anything: the line wraps, and says something still.
  EXPECT_EQ(table({"N", "W"}, rows, {.columns = 5}), "N       W\na.test  012345678…\n");
}

TEST(Table, ColoursWithoutMovingColumns) {
  EXPECT_EQ(table(kHead, kRows, {.columns = 80, .has_colour = true}),
            "NAME         STATUS    WHAT\n"
            "a.test       \x1b[32mok\x1b[0m        all is well\n"
            "längst.test  \x1b[31mcritical\x1b[0m\n");
}

TEST(Table, SaysItsHeadWithoutRows) {
  EXPECT_EQ(table({"A", "B"}, {}, {}), "A\tB\n");
}

}  // namespace

#include "agent/postfix/log_tail.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Tail : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("danelaw-tail-" + std::to_string(getpid()));
    std::filesystem::create_directory(folder_);
    log_ = folder_ / "mail.log";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void append(const std::string& text) { std::ofstream(log_, std::ios::app) << text; }
  void rotate() { std::filesystem::rename(log_, log_.string() + ".1"); }
  static std::vector<std::string> read(LogTail& tail) {
    std::vector<std::string> lines;
    const auto take = [&](std::string_view line) { lines.emplace_back(line); };
    for (int i = 0; i < 20; ++i) {
      const auto more = tail.read(1 << 20, take);
      if (!more || !*more) break;
    }
    return lines;
  }

  std::filesystem::path folder_, log_;
};

TEST_F(Tail, GivesWholeLinesOnce) {
  append("one\ntw");
  LogTail tail(log_);
  EXPECT_THAT(read(tail), ElementsAre("one"));
  append("o\nthree\n");
  EXPECT_THAT(read(tail), ElementsAre("two", "three"));
  EXPECT_THAT(read(tail), IsEmpty());
}

TEST_F(Tail, FollowsARenamedFileToItsEnd) {
  append("one\n");
  LogTail tail(log_);
  EXPECT_THAT(read(tail), ElementsAre("one"));
  append("two\n");
  rotate();
  append("three\n");
  EXPECT_THAT(read(tail), ElementsAre("two", "three"));
}

TEST_F(Tail, ReadsWhatIsWrittenToTheOldFileAfterTheRotation) {
  append("one\ntw");
  LogTail tail(log_);
  EXPECT_THAT(read(tail), ElementsAre("one"));
  rotate();
  append("three\n");
  EXPECT_THAT(read(tail), ElementsAre("three"));
  std::ofstream(log_.string() + ".1", std::ios::app) << "o\n";  // who has not heard of it yet
  EXPECT_THAT(read(tail), ElementsAre("two"));
  append("four\n");
  EXPECT_THAT(read(tail), ElementsAre("four"));
}

TEST_F(Tail, SeesACutWithinALineThatIsTooLong) {
  append("one\n" + std::string(100'000, 'x'));
  LogTail tail(log_);
  EXPECT_THAT(read(tail), ElementsAre("one"));
  std::filesystem::resize_file(log_, 0);
  append("two\n");
  EXPECT_THAT(read(tail), ElementsAre("two"));
}

TEST_F(Tail, WaitsForAFileThatIsNotThere) {
  LogTail tail(log_);
  EXPECT_FALSE(tail.read(1000, [](std::string_view) {}));
  append("one\n");
  EXPECT_THAT(read(tail), ElementsAre("one"));
  rotate();
  EXPECT_THAT(read(tail), IsEmpty());
  append("two\n");
  EXPECT_THAT(read(tail), ElementsAre("two"));
}

TEST_F(Tail, FollowsAFileThatIsCutToNothing) {
  append("one\ntwo\n");
  LogTail tail(log_);
  EXPECT_THAT(read(tail), ElementsAre("one", "two"));
  std::filesystem::resize_file(log_, 0);
  append("three\n");
  EXPECT_THAT(read(tail), ElementsAre("three"));
}

TEST_F(Tail, ARestartCountsNothingTwice) {
  append("one\ntwo\npart");
  std::optional<std::string> kept;
  {
    LogTail tail(log_);
    EXPECT_THAT(read(tail), ElementsAre("one", "two"));
    kept = tail.position();
  }
  append("ly\nfour\n");
  LogTail again(log_, kept);
  EXPECT_THAT(read(again), ElementsAre("partly", "four"));
}

TEST_F(Tail, ARestartAfterARotationReadsTheRestFirst) {
  append("one\n");
  std::optional<std::string> kept;
  {
    LogTail tail(log_);
    EXPECT_THAT(read(tail), ElementsAre("one"));
    kept = tail.position();
  }
  append("two\n");
  rotate();
  append("three\n");
  LogTail again(log_, kept);
  EXPECT_THAT(read(again), ElementsAre("two", "three"));
}

TEST_F(Tail, ARestartAfterACutBeginsAnew) {
  append("one\ntwo\n");
  std::optional<std::string> kept;
  {
    LogTail tail(log_);
    EXPECT_THAT(read(tail), ElementsAre("one", "two"));
    kept = tail.position();
  }
  std::filesystem::resize_file(log_, 0);
  append("other one\nother two\nother three\n");  // longer than what was read
  LogTail again(log_, kept);
  EXPECT_THAT(read(again), ElementsAre("other one", "other two", "other three"));
}

const std::string kFirst =
    "2026-11-29T10:00:00+00:00 out postfix/smtp[4711]: a line by which a log is known again\n";

TEST_F(Tail, ARestartFindsWhatWasRotatedAwayUnderTheNameOfADay) {
  append("one\n");
  LogTail tail(log_);
  EXPECT_THAT(read(tail), ElementsAre("one"));
  const auto kept = tail.position();
  append("two\n");
  std::filesystem::rename(log_, log_.string() + "-20260102");
  append("three\n");
  LogTail again(log_, kept);
  EXPECT_THAT(read(again), ElementsAre("two", "three"));
}

TEST_F(Tail, ARestartReadsEveryFileThatWasRotatedAwayMeanwhile) {
  struct Row {
    std::vector<std::string> behind;  // of the name, the oldest first
  };
  const std::vector<Row> rows{{{".3", ".2", ".1"}},
                              {{".11", ".10", ".9"}},
                              {{"-20251231", "-20260101", "-20260102"}},
                              {{".2025-12-31", ".2026-01-01", ".2026-01-02"}}};
  for (const auto& row : rows) {
    append("one\n");
    LogTail tail(log_);
    EXPECT_THAT(read(tail), ElementsAre("one"));
    const auto kept = tail.position();
    append("two\n");
    const std::vector<std::string> texts{"three\n", "four\n", "five\n"};
    for (std::size_t i = 0; i < texts.size(); ++i) {
      std::filesystem::rename(log_, log_.string() + row.behind[i]);
      append(texts[i]);
    }
    std::ofstream(log_.string() + ".0.gz") << "not to be read\n";
    LogTail again(log_, kept);
    EXPECT_THAT(read(again), ElementsAre("two", "three", "four", "five")) << row.behind[0];
    EXPECT_THAT(read(again), IsEmpty());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
  }
}

TEST_F(Tail, ARestartInTheMiddleOfThoseGoesOnThere) {
  append("one\n");
  LogTail tail(log_);
  EXPECT_THAT(read(tail), ElementsAre("one"));
  std::filesystem::rename(log_, log_.string() + ".2");
  std::ofstream(log_.string() + ".1") << "two\n";
  append("three\n");
  LogTail between(log_, tail.position());
  std::vector<std::string> lines;
  while (lines.empty())
    ASSERT_TRUE(between.read(1, [&](std::string_view line) { lines.emplace_back(line); }));
  EXPECT_THAT(lines, ElementsAre("two"));
  LogTail again(log_, between.position());
  EXPECT_THAT(read(again), ElementsAre("three"));
}

TEST(Rotation, IsInTheOrderOfItsOwnWayOfNaming) {
  struct Row {
    std::string_view says, own;
    std::vector<std::string> beside, want;
  };
  const std::vector<Row> rows{
      {"the higher number is the older",
       "m.3",
       {"m.1", "m.10", "m.2", "m.3", "m.4"},
       {"m.2", "m.1"}},
      {"the youngest", "m.1", {"m.1", "m.2"}, {}},
      {"days",
       "m-20260102",
       {"m-20260104", "m-20260101", "m-20260103"},
       {"m-20260103", "m-20260104"}},
      {"a date behind a dot is no count", "m.20260102", {"m.1", "m.20260103"}, {"m.20260103"}},
      {"compressed, of others, of another way",
       "m.3",
       {"m.2.gz", "m.old", "mx.1", "m-20260101"},
       {}},
      {"itself", "m", {"m.1"}, {}},
      {"no rotation", "m.old", {"m.1"}, {}},
  };
  for (const auto& row : rows)
    EXPECT_EQ(rotated_after(row.own, "m", row.beside), row.want) << row.says;
}

TEST_F(Tail, ARestartGoesOnInTheOldFileThatItsWriterHadNotLeft) {
  append("one\n");
  LogTail tail(log_);
  EXPECT_THAT(read(tail), ElementsAre("one"));
  rotate();
  append("three\n");
  const auto old = [&](const char* text) {
    std::ofstream(log_.string() + ".1", std::ios::app) << text;
  };
  old("two\n");
  EXPECT_THAT(read(tail), ElementsAre("two", "three"));
  old("late\nand la");
  EXPECT_THAT(read(tail), ElementsAre("late"));
  const auto kept = tail.position();
  old("ter\n");
  append("four\n");
  LogTail again(log_, kept);
  EXPECT_THAT(read(again), ElementsAre("and later", "four"));
}

TEST_F(Tail, WhatWasCopiedAwayBeforeTheCutIsReadFromTheCopy) {
  append(kFirst + "two\n");
  LogTail tail(log_);
  EXPECT_EQ(read(tail).size(), 2U);
  const auto kept = tail.position();
  append("three\n");
  std::filesystem::copy_file(log_, log_.string() + ".1");
  std::filesystem::resize_file(log_, 0);
  append("four\n");
  EXPECT_THAT(read(tail), ElementsAre("three", "four"));
  EXPECT_THAT(read(tail), IsEmpty());
  LogTail again(log_, kept);
  EXPECT_THAT(read(again), ElementsAre("three", "four")) << "while nobody followed, too";
}

TEST_F(Tail, SeesACutThoughTheFileIsLongerAgain) {
  append(kFirst);
  LogTail tail(log_);
  EXPECT_EQ(read(tail).size(), 1U);
  std::filesystem::resize_file(log_, 0);
  const std::string longer(2 * kFirst.size(), 'x');
  append(longer + "\n");
  EXPECT_THAT(read(tail), ElementsAre(longer));
}

TEST_F(Tail, WhatOnlyBeginsInTheSameFewOctetsIsAnotherFile) {
  append("one\n");
  LogTail tail(log_);
  EXPECT_EQ(read(tail).size(), 1U);
  std::filesystem::copy_file(log_, log_.string() + ".1");
  std::ofstream(log_.string() + ".1", std::ios::app) << "of another\n";
  std::filesystem::resize_file(log_, 0);
  append("two\n");
  EXPECT_THAT(read(tail), ElementsAre("two"));
}

TEST_F(Tail, APositionThatIsNoneBeginsAtTheBegin) {
  append("one\n");
  for (const auto* position : {"", "{", "[]", R"({"inode":1})", R"({"inode":"x","offset":-1})",
                               R"({"inode":1,"offset":2,"begin":"","begin_size":0,"left":7})"}) {
    LogTail tail(log_, position);
    EXPECT_THAT(read(tail), ElementsAre("one")) << position;
  }
}

TEST_F(Tail, PassesOverWhatIsTooLong) {
  append(std::string(1'000'000, 'x') + "\nafter\n");
  LogTail tail(log_);
  EXPECT_THAT(read(tail), ElementsAre("after"));
}

TEST_F(Tail, ReadsNoFolderAndNoPipe) {
  std::filesystem::create_directory(log_);
  LogTail tail(log_);
  EXPECT_FALSE(tail.read(1000, [](std::string_view) {}));
}

}  // namespace
}  // namespace agent

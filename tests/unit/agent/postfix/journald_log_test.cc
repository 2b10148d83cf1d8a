#include "agent/postfix/journald_log.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "probes/reports/log_line.h"

namespace agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Real journals, which systemd-journal-remote writes from systemd's export format.
class JournaldLogTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("danelaw-journal-" + std::to_string(getpid()));
    std::filesystem::create_directory(folder_);
    const std::string find = "PATH=$PATH:/lib/systemd command -v systemd-journal-remote >/dev/null";
    if (std::system(find.c_str()) != 0)
      GTEST_SKIP() << "no systemd-journal-remote: script/setup test";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // An entry, a second after the one before.
  std::string entry(const std::string& message, const std::string& facility = "2",
                    const std::string& program = "postfix/smtp") {
    ++number_;
    return "__REALTIME_TIMESTAMP=" + std::to_string(1'785'000'000'000'000 + number_ * 1'000'000) +
           "\n__MONOTONIC_TIMESTAMP=" + std::to_string(number_ * 1'000'000) +
           "\n_BOOT_ID=00112233445566778899aabbccddeeff" +
           "\nPRIORITY=6\nSYSLOG_FACILITY=" + facility + "\nSYSLOG_IDENTIFIER=" + program +
           "\nSYSLOG_PID=42\n_HOSTNAME=mail\nMESSAGE=" + message + "\n\n";
  }
  // One more file of the journal.
  void write(const std::string& name, const std::string& entries) {
    const auto text = folder_ / (name + ".export");
    std::ofstream(text) << entries;
    const auto command = "PATH=$PATH:/lib/systemd systemd-journal-remote --output=" +
                         (folder_ / (name + ".journal")).string() + " " + text.string() +
                         " >/dev/null 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  static std::vector<std::string> read(JournaldLog& journal, std::size_t most = 1 << 20) {
    std::vector<std::string> lines;
    for (int i = 0; i < 20; ++i) {
      const auto more = journal.read(most, [&](std::string_view line) {
        lines.emplace_back(line.substr(line.find("]: ") + 3));
      });
      EXPECT_TRUE(more) << more.error();
      if (!more || !*more) break;
    }
    return lines;
  }

  std::filesystem::path folder_;
  int number_ = 0;
};

TEST_F(JournaldLogTest, GivesWhatTheMailSystemLogged) {
  write("a", entry("one") + entry("of a kernel", "0", "kernel") + entry("two"));
  JournaldLog journal(folder_);
  EXPECT_THAT(read(journal), ElementsAre("one", "two"));
  EXPECT_THAT(read(journal), IsEmpty());
}

TEST_F(JournaldLogTest, PassesOverWhatPeopleLogInPostfixName) {
  const auto logged_by = [&](const std::string& message, const std::string& fields) {
    auto out = entry(message);
    return out.insert(out.size() - 1, fields);
  };
  write("a", logged_by("of its user", "_UID=101\n_COMM=smtp\n") +
                 logged_by("of people", "_UID=1000\n_COMM=smtp\n") +
                 logged_by("of another program", "_UID=0\n_COMM=logger\n"));
  JournaldLog journal(folder_);
  EXPECT_THAT(read(journal), ElementsAre("of its user"));
}

TEST_F(JournaldLogTest, ReadsABitAtATime) {
  write("a", entry("one") + entry("two") + entry("three"));
  JournaldLog journal(folder_);
  EXPECT_THAT(read(journal, 1), ElementsAre("one", "two", "three"));
}

TEST_F(JournaldLogTest, FollowsIntoAnotherFile) {
  write("a", entry("one"));
  JournaldLog journal(folder_);
  EXPECT_THAT(read(journal), ElementsAre("one"));
  write("b", entry("two"));
  EXPECT_THAT(read(journal), ElementsAre("two"));
}

TEST_F(JournaldLogTest, GoesOnBehindTheLastEntry) {
  write("a", entry("one") + entry("two"));
  std::optional<std::string> kept;
  {
    JournaldLog journal(folder_);
    EXPECT_THAT(read(journal), ElementsAre("one", "two"));
    kept = journal.position();
  }
  write("b", entry("three"));
  JournaldLog journal(folder_, kept);
  EXPECT_THAT(read(journal), ElementsAre("three"));
}

TEST_F(JournaldLogTest, GoesOnWhereTheLastEntryIsGone) {
  write("a", entry("one"));
  std::optional<std::string> kept;
  {
    JournaldLog journal(folder_);
    EXPECT_THAT(read(journal), ElementsAre("one"));
    kept = journal.position();
  }
  write("b", entry("two") + entry("three"));
  std::filesystem::remove(folder_ / "a.journal");
  JournaldLog journal(folder_, kept);
  EXPECT_THAT(read(journal), ElementsAre("two", "three"));
}

TEST_F(JournaldLogTest, BeginsAnewWithAPositionThatIsNone) {
  write("a", entry("one"));
  JournaldLog journal(folder_, "{\"inode\":1}");
  EXPECT_THAT(read(journal), ElementsAre("one"));
}

TEST_F(JournaldLogTest, SaysThatThereIsNothingToRead) {
  JournaldLog journal(folder_);
  const auto done = journal.read(1, [](std::string_view) {});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error(), HasSubstr("systemd-journal"));
  JournaldLog nowhere(folder_ / "nowhere");
  EXPECT_FALSE(nowhere.read(1, [](std::string_view) {}));
  // And reads once there is.
  write("a", entry("one"));
  EXPECT_THAT(read(journal), ElementsAre("one"));
}

TEST(JournaldLine, IsReadAsAnyOther) {
  const auto line =
      journald_line(1'785'000'000'123'456, "mail", "postfix-out/smtp", "42", "two\nlines");
  ASSERT_TRUE(line);
  EXPECT_EQ(*line, "2026-07-25T17:20:00Z mail postfix-out/smtp[42]: two lines");
  probes::reports::LogLineReader reader(
      probes::reports::calendar(config::Time{config::Seconds{1'785'000'000}}));
  const auto read = reader.read(*line);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->program, "postfix-out/smtp");
  EXPECT_EQ(read->pid, 42U);
  EXPECT_EQ(read->message, "two lines");
}

TEST(JournaldLine, IsNoneWhereProgramOrProcessAreNone) {
  EXPECT_FALSE(journald_line(0, "mail", "", "42", "x"));
  EXPECT_FALSE(journald_line(0, "mail", "post fix", "42", "x"));
  EXPECT_FALSE(journald_line(0, "mail", "postfix[1]: x", "42", "x"));
  EXPECT_FALSE(journald_line(0, "mail", "postfix/smtp", "", "x"));
  EXPECT_FALSE(journald_line(0, "mail", "postfix/smtp", "4x", "x"));
  EXPECT_FALSE(journald_line(~std::uint64_t{0}, "mail", "postfix/smtp", "42", "x"));
  EXPECT_TRUE(journald_line(0, "", "postfix/smtp", "42", std::string(100'000, 'x')));
}

}  // namespace
}  // namespace agent

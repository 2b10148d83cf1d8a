#include "agent/log.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

namespace {

using namespace agent::log;
using testing::ElementsAre;

TEST(Log, TellsTheJournalItsPriorityAndEachFieldByItself) {
  EXPECT_THAT(journal_entry(LOG_WARNING, "notify-failed",
                            {{"notifier", "chat"}, {"retry_in", "30s"}, {"detail", "a \"b\"\n"}}),
              ElementsAre("MESSAGE=event=notify-failed notifier=\"chat\" retry_in=\"30s\" "
                          "detail=\"a \\\"b\\\"\\x0a\"",
                          "PRIORITY=4", "DANELAW_EVENT=notify-failed", "DANELAW_NOTIFIER=chat",
                          "DANELAW_RETRY_IN=30s", "DANELAW_DETAIL=a \"b\"\\x0a"));
}

TEST(Log, KnowsTheJournalByItsDeviceAndInode) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  struct stat is {};
  ASSERT_EQ(fstat(ends[1], &is), 0);
  EXPECT_TRUE(leads_to(fmt::format("{}:{}", is.st_dev, is.st_ino), ends[1]));
  EXPECT_FALSE(leads_to(fmt::format("{}:{}", is.st_dev, is.st_ino + 1), ends[1]));
  EXPECT_FALSE(leads_to("", ends[1]));
  close(ends[0]);
  close(ends[1]);
  EXPECT_FALSE(leads_to(fmt::format("{}:{}", is.st_dev, is.st_ino), ends[1])) << "closed";
}

}  // namespace

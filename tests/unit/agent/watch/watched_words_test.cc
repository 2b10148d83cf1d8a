#include "agent/watch/watched_words.h"

#include <gtest/gtest.h>

namespace {

TEST(WatchedWords, CountDomainsAndServicesApart) {
  EXPECT_EQ(agent::watched_words(1, 0), "1 domain");
  EXPECT_EQ(agent::watched_words(0, 0), "0 domains");
  EXPECT_EQ(agent::watched_words(0, 1), "1 service");
  EXPECT_EQ(agent::watched_words(4, 2), "4 domains and 2 services");
}

}  // namespace

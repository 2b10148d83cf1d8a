#include "web/http/turns.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using web::Turns;

// Guessers and others, with a clock of their own.
class Waiting : public testing::Test {
 protected:
  std::optional<std::uint64_t> come(std::uint64_t id, const std::string& source,
                                    const std::string& subject = "alice") {
    return turns_.wait({.id = id, .source = source, .subject = subject}, now_);
  }
  // So many wrong passwords in a row.
  void fail(const std::string& source, int times, const std::string& subject = "alice") {
    for (int i = 0; i < times; ++i) turns_.failed({.source = source, .subject = subject}, now_);
  }
  // The next one's turn, however long that takes; 0 when nobody waits.
  std::uint64_t next() {
    if (const auto at = turns_.ready_at(now_)) now_ = std::max(now_, *at);
    const auto claim = turns_.next(now_);
    return claim ? claim->id : 0;
  }

  Turns turns_{{.places = 20, .places_a_source = 10, .sources = 50}, 1};
  Turns::Time now_{1h};
};

TEST_F(Waiting, EverybodyGetsATurnInTheOrderOfComing) {
  for (std::uint64_t id = 1; id <= 3; ++id) EXPECT_FALSE(come(id, "a"));
  EXPECT_EQ(next(), 1U);
  EXPECT_EQ(next(), 2U);
  EXPECT_EQ(next(), 3U);
  EXPECT_EQ(next(), 0U);
  EXPECT_EQ(turns_.ready_at(now_), std::nullopt);
}

TEST_F(Waiting, ASourceThatAsksMuchHoldsUpItselfOnly) {
  for (std::uint64_t id = 1; id <= 9; ++id) EXPECT_FALSE(come(id, "flood"));
  EXPECT_EQ(next(), 1U);
  EXPECT_FALSE(come(100, "other"));
  EXPECT_EQ(next(), 100U);
  EXPECT_EQ(next(), 2U);
}

TEST_F(Waiting, WithinASourceAnotherUserNeedNotWaitForTheGuessedOne) {
  for (std::uint64_t id = 1; id <= 9; ++id) EXPECT_FALSE(come(id, "proxy", "alice"));
  EXPECT_EQ(next(), 1U);
  EXPECT_FALSE(come(100, "proxy", "bob"));
  EXPECT_EQ(next(), 100U);
}

TEST_F(Waiting, WhoHasFailedOftenIsHeldToAPaceAndOthersAreNot) {
  fail("guesser", 3);
  EXPECT_FALSE(come(1, "guesser"));
  EXPECT_FALSE(come(2, "guesser"));
  EXPECT_EQ(turns_.next(now_)->id, 1U);
  EXPECT_FALSE(turns_.next(now_)) << "not yet";
  EXPECT_EQ(turns_.ready_at(now_), now_ + 100ms);
  EXPECT_FALSE(come(3, "other", "alice")) << "the same user, from elsewhere";
  EXPECT_EQ(turns_.next(now_)->id, 3U);
  now_ += 100ms;
  EXPECT_EQ(turns_.next(now_)->id, 2U);
}

TEST_F(Waiting, GuessersInManyPlacesShareThePaceOfTheUserTheyGuess) {
  for (std::uint64_t id = 1; id <= 10; ++id) {
    fail(std::to_string(id), 3);
    EXPECT_FALSE(come(id, std::to_string(id)));
  }
  EXPECT_TRUE(turns_.next(now_));
  EXPECT_FALSE(turns_.next(now_));
  EXPECT_FALSE(come(11, "10", "bob"));
  EXPECT_EQ(turns_.next(now_)->id, 11U) << "whom nobody guesses";
}

TEST_F(Waiting, ThoseWhoDidNotFailGoFirstButNotAlone) {
  fail("guesser", 3);
  EXPECT_FALSE(come(1, "guesser"));
  for (std::uint64_t id = 10; id <= 15; ++id) EXPECT_FALSE(come(id, "s" + std::to_string(id)));
  std::vector<std::uint64_t> order;
  for (int i = 0; i < 7; ++i) order.push_back(next());
  EXPECT_THAT(order, testing::ElementsAre(10, 11, 12, 1, 13, 14, 15));
}

TEST_F(Waiting, WhoHasBegunIsLetFinish) {
  EXPECT_FALSE(come(1, "a"));
  EXPECT_FALSE(turns_.wait({.id = 2, .source = "a", .has_begun = true}, now_));
  EXPECT_EQ(next(), 2U);
  EXPECT_EQ(next(), 1U);
}

TEST_F(Waiting, FailuresAreForgotten) {
  fail("user", 3);
  now_ += 600s;
  EXPECT_FALSE(come(1, "user"));
  EXPECT_FALSE(come(2, "user"));
  EXPECT_TRUE(turns_.next(now_));
  EXPECT_TRUE(turns_.next(now_)) << "no pace";
  fail("user", 1);
  EXPECT_FALSE(come(3, "user"));
  EXPECT_FALSE(come(4, "user"));
  EXPECT_TRUE(turns_.next(now_));
  EXPECT_TRUE(turns_.next(now_)) << "one is no guesser";
}

// However many guess as the same user from the same address (a proxy's), whoever has the right
// password is heard before long.
TEST_F(Waiting, NobodyWaitsForEver) {
  constexpr int kGuessers = 40;
  Turns turns{{}, 1};
  for (int i = 0; i < 3; ++i) turns.failed({.source = "proxy", .subject = "alice"}, now_);
  const Turns::Claim guess{.id = 1, .source = "proxy", .subject = "alice"};
  for (int i = 0; i < kGuessers; ++i) EXPECT_FALSE(turns.wait(guess, now_));
  EXPECT_FALSE(turns.wait({.id = 2, .source = "proxy", .subject = "alice"}, now_));
  const auto begin = now_;
  while (now_ - begin < 60s) {
    now_ = *turns.ready_at(now_);
    const auto claim = turns.next(now_);
    ASSERT_TRUE(claim);
    if (claim->id == 2) break;
    turns.failed(*claim, now_);
    EXPECT_FALSE(turns.wait(guess, now_)) << "a guesser tries the next one at once";
  }
  EXPECT_LE(now_ - begin, 5s);
}

TEST_F(Waiting, PlacesAreBoundedAndTheGreediestLosesOne) {
  std::set<std::uint64_t> lost;
  for (std::uint64_t id = 1; id <= 30; ++id) {
    if (const auto one = come(id, "flood")) {
      EXPECT_TRUE(lost.insert(*one).second);
    }
  }
  EXPECT_EQ(turns_.waiting(), 10U);
  EXPECT_EQ(lost.size(), 20U);
  EXPECT_THAT(lost, testing::Not(testing::Contains(testing::Gt(30U))));
  for (std::uint64_t id = 101; id <= 110; ++id) EXPECT_FALSE(come(id, std::to_string(id)));
  const auto gone = come(111, "111");
  ASSERT_TRUE(gone);
  EXPECT_LE(*gone, 30U) << "of the flood";
  EXPECT_EQ(turns_.waiting(), 20U);
}

TEST_F(Waiting, SourcesAreBoundedAndThoseWhoFailedAreRememberedLongest) {
  fail("guesser", 3);
  for (std::uint64_t id = 1; id <= 500; ++id) {
    EXPECT_FALSE(come(id, "source" + std::to_string(id), ""));
    EXPECT_EQ(next(), id);
  }
  EXPECT_EQ(turns_.sources(), 50U);
  EXPECT_FALSE(come(1001, "guesser"));
  EXPECT_FALSE(come(1002, "guesser"));
  EXPECT_TRUE(turns_.next(now_));
  EXPECT_FALSE(turns_.next(now_)) << "still held to its pace";
}

}  // namespace

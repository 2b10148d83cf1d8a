#include "agent/hindsight/key_past.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/past.h"

// How a key in use came to be refused.
namespace {

using agent::Chain;
using std::chrono::hours;
using std::chrono::minutes;
using support::kNow;
using support::new_chain;
using support::new_record;
using support::old_chain;
using support::old_record;
using support::Past;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

agent::History history(const Past& past) {
  return agent::history_of(past.host_history, {"mx.example.test"});
}

TEST(KeyPast, OfARecordTakenOutUnderItsKeyTellsWhichAndWhen) {
  Past past;
  past.look(kNow - hours{24}, Past::give({old_record()}), old_chain())
      .look(kNow - hours{2}, Past::give({old_record(), new_record()}), old_chain())
      .look(kNow, Past::give({new_record()}, minutes{20}), old_chain());
  const auto key = agent::refused_key(history(past), kNow);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->past.record_removed_at, kNow);
  EXPECT_EQ(key->past.since, kNow - hours{24});
  EXPECT_TRUE(key->past.is_since_before);
  EXPECT_FALSE(key->past.is_unannounced);
  EXPECT_THAT(key->removed_records, ElementsAre(probes::dane::to_text(old_record())));
  EXPECT_EQ(agent::refusal_ttl(history(past), kNow), minutes{20});
}

TEST(KeyPast, KnowsWhetherTheKeyBeforeWouldBeTaken) {
  Past late;
  late.look(kNow - hours{24}, Past::give({old_record()}), old_chain())
      .look(kNow - hours{1}, Past::give({old_record()}), new_chain());
  EXPECT_FALSE(agent::is_old_key_refused(history(late), kNow - hours{1}));
  late.look(kNow, Past::give({new_record()}), new_chain());
  EXPECT_TRUE(agent::is_old_key_refused(history(late), kNow)) << "its record is gone";
  Past steady;
  steady.look(kNow, Past::give({new_record()}), old_chain());
  EXPECT_FALSE(agent::is_old_key_refused(history(steady), kNow)) << "there is none before";
}

TEST(KeyPast, OfRecordsInTwoDigestsTellsBoth) {
  const auto strong = support::record(3, 1, 2, *old_chain().front());
  Past past;
  past.look(kNow - hours{24}, Past::give({old_record(), strong}), old_chain())
      .look(kNow, Past::give({new_record()}), old_chain());
  const auto key = agent::refused_key(history(past), kNow);
  ASSERT_TRUE(key);
  EXPECT_THAT(key->removed_records, UnorderedElementsAre(probes::dane::to_text(old_record()),
                                                         probes::dane::to_text(strong)));
}

TEST(KeyPast, OfAKeyThatCameBeforeItsRecordTellsSo) {
  Past past;
  past.look(kNow - hours{24}, Past::give({old_record()}), old_chain())
      .look(kNow, Past::give({old_record()}), new_chain());
  const auto key = agent::refused_key(history(past), kNow);
  ASSERT_TRUE(key);
  EXPECT_TRUE(key->past.is_unannounced);
  EXPECT_EQ(key->past.since, kNow);
  EXPECT_EQ(key->past.record_removed_at, std::nullopt);
  EXPECT_THAT(key->removed_records, IsEmpty());
}

TEST(KeyPast, OfAKeyThatNeverHadARecordAccusesNobodyOfAChange) {
  Past past;
  past.look(kNow - hours{24}, Past::give({old_record()}), new_chain())
      .look(kNow, Past::give({old_record()}), new_chain());
  const auto key = agent::refused_key(history(past), kNow);
  ASSERT_TRUE(key);
  EXPECT_FALSE(key->past.is_unannounced);
  EXPECT_EQ(key->past.record_removed_at, std::nullopt);
}

// The lab's drift: one server of two.
TEST(KeyPast, CountsWhatOneServerTookOut) {
  Past past;
  past.look(kNow - hours{24}, Past::give({old_record()}), old_chain())
      .look(kNow, Past::give({old_record()}), Past::give({new_record()}), old_chain());
  const auto key = agent::refused_key(history(past), kNow);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->past.record_removed_at, kNow);
  EXPECT_THAT(key->removed_records, ElementsAre(probes::dane::to_text(old_record())));
}

TEST(KeyPast, OfAKeyThatIsAcceptedTellsNothing) {
  Past past;
  past.look(kNow, Past::give({old_record()}), old_chain());
  EXPECT_EQ(agent::refused_key(history(past), kNow), std::nullopt);
  EXPECT_EQ(agent::refusal_ttl(history(past), kNow), std::nullopt);
}

// "Put the old key back" helps nobody where it is there still.
TEST(KeyPast, TellsAKeyThatCachesRefuseFromOneThatWasChanged) {
  Past removed;
  removed.look(kNow - hours{24}, Past::give({old_record()}), old_chain())
      .look(kNow - hours{1}, Past::give({new_record()}), old_chain())
      .look(kNow, Past::give({old_record()}), old_chain());
  const auto same = agent::unchanged_key(history(removed), kNow - hours{1}, kNow);
  ASSERT_TRUE(same);
  EXPECT_EQ(same->since, kNow - hours{24});
  Past late;
  late.look(kNow - hours{24}, Past::give({old_record()}), old_chain())
      .look(kNow - hours{1}, Past::give({old_record()}), new_chain())
      .look(kNow, Past::give({old_record(), new_record()}), new_chain());
  EXPECT_FALSE(agent::unchanged_key(history(late), kNow - hours{1}, kNow));
}

}  // namespace

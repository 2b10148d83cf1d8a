#include "agent/lists/held_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace agent;
using config::ListedDomain;
using config::Role;
using config::Time;
using std::chrono::hours;
using Taken = HeldList::Taken;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Time kNow{std::chrono::seconds{1'800'000'000}};

std::vector<ListedDomain> list_of(const std::vector<std::string>& names) {
  std::vector<ListedDomain> out;
  for (const auto& name : names) out.push_back({.name = name, .role = {}, .group = {}});
  return out;
}

std::vector<ListedDomain> numbered(int from, int until) {
  std::vector<ListedDomain> out;
  for (int i = from; i < until; ++i)
    out.push_back({.name = "d" + std::to_string(i) + ".test", .role = {}, .group = {}});
  return out;
}

std::vector<std::string> watched(const HeldList& list) {
  config::Config config;
  add_domains(config, {.url = "https://a.test"}, list);
  std::vector<std::string> out;
  for (const auto& domain : config.domains) out.push_back(domain.name);
  return out;
}

TEST(HeldList, IsWhatWasReadByName) {
  HeldList list;
  EXPECT_FALSE(list.read_at());
  EXPECT_EQ(list.take(list_of({"b.test", "a.test"}), kNow), Taken::changed);
  EXPECT_THAT(watched(list), ElementsAre("a.test", "b.test"));
  EXPECT_EQ(list.read_at(), kNow);
}

TEST(HeldList, StaysTheSameWhateverTheOrder) {
  HeldList list;
  (void)list.take(list_of({"b.test", "a.test"}), kNow);
  EXPECT_EQ(list.take(list_of({"a.test", "b.test"}), kNow + hours{1}), Taken::unchanged);
  EXPECT_EQ(list.read_at(), kNow + hours{1});
}

TEST(HeldList, KeepsForADayWhatIsMissing) {
  HeldList list;
  (void)list.take(numbered(0, 5), kNow);
  EXPECT_EQ(list.take(numbered(0, 4), kNow + hours{1}), Taken::changed);
  EXPECT_EQ(list.missing(), 1U);
  EXPECT_EQ(list.take(numbered(0, 4), kNow + hours{2}), Taken::unchanged);
  EXPECT_FALSE(list.forget_missing(kNow + hours{25} - std::chrono::seconds{1}));
  EXPECT_THAT(watched(list), SizeIs(5));
  EXPECT_TRUE(list.forget_missing(kNow + hours{25})) << "from when it was first not there";
  EXPECT_THAT(watched(list), SizeIs(4));
}

TEST(HeldList, ForgetsThatANameWasMissingOnceItIsBack) {
  HeldList list;
  (void)list.take(numbered(0, 5), kNow);
  (void)list.take(numbered(0, 4), kNow);
  EXPECT_EQ(list.take(numbered(0, 5), kNow + hours{23}), Taken::changed);
  EXPECT_FALSE(list.forget_missing(kNow + hours{48}));
}

TEST(HeldList, LosesAFifthAtOnceAndNoMore) {
  HeldList list;
  (void)list.take(numbered(0, 10), kNow);
  EXPECT_EQ(list.take(numbered(2, 10), kNow), Taken::changed) << "two of ten are a fifth";
  EXPECT_EQ(list.take(numbered(4, 10), kNow), Taken::refused) << "two of eight are more";
  ASSERT_TRUE(list.refusal());
  EXPECT_THAT(list.refusal()->lost, ElementsAre("d2.test", "d3.test"));
  EXPECT_EQ(list.refusal()->of, 8U);
  EXPECT_THAT(watched(list), SizeIs(10)) << "and all are watched: a day is not over";
}

TEST(HeldList, LosesNoneAtOnceOfFewerThanFive) {
  HeldList list;
  (void)list.take(numbered(0, 4), kNow);
  EXPECT_EQ(list.take(numbered(1, 4), kNow), Taken::refused) << "one of four is more than a fifth";
  EXPECT_THAT(list.refusal()->lost, ElementsAre("d0.test"));
  EXPECT_TRUE(list.accept(kNow));
  EXPECT_EQ(list.take(list_of({"other.test"}), kNow), Taken::refused) << "nor all for another";
  EXPECT_EQ(list.take({}, kNow), Taken::refused);
  EXPECT_TRUE(list.accept(kNow));
  EXPECT_EQ(list.take({}, kNow), Taken::unchanged) << "there is nothing more to lose";
}

TEST(HeldList, IsNotEmptiedByASourceThatIs) {
  HeldList list;
  (void)list.take(numbered(0, 5), kNow);
  EXPECT_EQ(list.take({}, kNow + hours{1}), Taken::refused);
  EXPECT_EQ(list.missing(), 0U);
  EXPECT_EQ(list.read_at(), kNow) << "of the list that is gone by";
}

TEST(HeldList, RefusesNewNamesWithTheRestAndTakesThemWithAWholeList) {
  HeldList list;
  (void)list.take(numbered(0, 5), kNow);
  EXPECT_EQ(list.take(numbered(3, 9), kNow), Taken::refused);
  EXPECT_THAT(watched(list), SizeIs(5));
  EXPECT_EQ(list.take(numbered(0, 9), kNow), Taken::changed);
  EXPECT_FALSE(list.refusal());
  EXPECT_THAT(watched(list), SizeIs(9));
}

TEST(HeldList, SaysSinceWhenItIsRefused) {
  HeldList list;
  (void)list.take(numbered(0, 5), kNow);
  (void)list.take({}, kNow + hours{1});
  (void)list.take(numbered(0, 1), kNow + hours{2});
  EXPECT_EQ(list.refusal()->since, kNow + hours{1});
  EXPECT_THAT(list.refusal()->lost, SizeIs(4)) << "as it was read last";
}

TEST(HeldList, GoesByWhatWasRefusedOnceSomebodySaysSo) {
  HeldList list;
  (void)list.take(numbered(0, 5), kNow);
  EXPECT_FALSE(list.accept(kNow)) << "nothing is refused";
  (void)list.take(numbered(4, 6), kNow + hours{1});
  EXPECT_TRUE(list.accept(kNow + hours{2}));
  EXPECT_FALSE(list.refusal());
  EXPECT_EQ(list.missing(), 4U);
  EXPECT_THAT(watched(list), SizeIs(6)) << "what it lost is watched for a day from then on";
  EXPECT_TRUE(list.forget_missing(kNow + hours{26}));
  EXPECT_THAT(watched(list), ElementsAre("d4.test", "d5.test"));
}

TEST(HeldList, IsRefusedAgainForWhatNobodyAccepted) {
  HeldList list;
  (void)list.take(numbered(0, 20), kNow);
  (void)list.take(numbered(5, 20), kNow);
  (void)list.accept(kNow);
  EXPECT_EQ(list.take(numbered(10, 20), kNow), Taken::refused);
}

TEST(HeldList, GoesOnWithWhatWasRemembered) {
  HeldList before;
  (void)before.take(numbered(0, 5), kNow);
  (void)before.take(numbered(0, 4), kNow);
  HeldList list(before.domains(), kNow);
  EXPECT_THAT(watched(list), SizeIs(5));
  EXPECT_EQ(list.take(numbered(0, 4), kNow + hours{1}), Taken::unchanged);
  EXPECT_TRUE(list.forget_missing(kNow + hours{24}));
}

TEST(HeldList, AddsWhatIsNotThereYetAsItSaysOrAsItsEntryDoes) {
  HeldList list;
  (void)list.take({{.name = "a.test", .role = {}, .group = {}},
                   {.name = "b.test", .role = Role::inbound, .group = "theirs"},
                   {.name = "c.test", .role = {}, .group = ""}},
                  kNow);
  config::Config config{.domains = {{.name = "a.test", .role = Role::inbound, .group = "ours"}}};
  add_domains(config, {.url = "https://x.test", .role = Role::outbound, .group = "all"}, list);
  ASSERT_THAT(config.domains, SizeIs(3));
  EXPECT_EQ(config.domains[0].group, "ours") << "the configuration is the first to say";
  EXPECT_EQ(config.domains[1].role, Role::inbound);
  EXPECT_EQ(config.domains[1].group, "theirs");
  EXPECT_EQ(config.domains[2].role, Role::outbound);
  EXPECT_EQ(config.domains[2].group, "") << "said by the list";
  EXPECT_THAT(HeldList{}.domains(), IsEmpty());
}

}  // namespace

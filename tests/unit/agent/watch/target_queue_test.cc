#include "agent/watch/target_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

// Due times, on a clock that is a number.
namespace {

using namespace agent;
using testing::ElementsAre;
using testing::Optional;

Target domain(const std::string& name) {
  return {.kind = Target::Kind::domain, .name = support::name(name)};
}
Ticks at(int seconds) {
  return Ticks{config::Seconds{seconds}};
}

TEST(TargetQueue, GivesThoseThatAreDueTheLatestFirstAndEachOnce) {
  TargetQueue queue;
  queue.add(domain("b.test"), at(20));
  queue.add(domain("a.test"), at(10));
  queue.add(domain("c.test"), at(30));
  queue.add(domain("a.test"), at(99));  // stays as it is
  EXPECT_EQ(queue.next_due(), at(10));
  EXPECT_EQ(queue.take(at(9)), std::nullopt);
  EXPECT_EQ(queue.count_due(at(25)), 2U);
  EXPECT_EQ(queue.take(at(25)), domain("a.test"));
  EXPECT_EQ(queue.take(at(25)), domain("b.test"));
  EXPECT_EQ(queue.take(at(25)), std::nullopt);
  EXPECT_EQ(queue.in_flight(), 2U);
  EXPECT_EQ(queue.oldest_in_flight(), at(25));
  queue.give_back(domain("a.test"), at(26), at(40), 1);
  EXPECT_EQ(queue.failures(domain("a.test")), 1);
  EXPECT_THAT(queue.failing(), ElementsAre(domain("a.test")));
  EXPECT_EQ(queue.take(at(50)), domain("c.test"));
  EXPECT_EQ(queue.take(at(50)), domain("a.test"));
}

TEST(TargetQueue, KeepsWhatIsWantedWhileItIsProbed) {
  TargetQueue queue;
  queue.add(domain("a.test"), at(0));
  ASSERT_TRUE(queue.take(at(0)));
  queue.move(domain("a.test"), at(500));
  EXPECT_EQ(queue.next_due(), std::nullopt);
  queue.give_back(domain("a.test"), at(3), at(900), 0);
  EXPECT_EQ(queue.next_due(), at(3)) << "again, and at once";
  ASSERT_TRUE(queue.take(at(3)));
  queue.give_back(domain("a.test"), at(4), at(900), 0);
  EXPECT_EQ(queue.next_due(), at(900)) << "once only";
}

TEST(TargetQueue, HastensWithoutEverPuttingOff) {
  TargetQueue queue;
  queue.add(domain("a.test"), at(100));
  queue.hasten(domain("a.test"), at(60));
  queue.hasten(domain("a.test"), at(80));
  EXPECT_EQ(queue.next_due(), at(60));
  ASSERT_TRUE(queue.take(at(60)));
  queue.hasten(domain("a.test"), at(61));
  queue.give_back(domain("a.test"), at(62), at(900), 0);
  EXPECT_EQ(queue.next_due(), at(900)) << "that probe was the one";
}

TEST(TargetQueue, LetsGoOfOneThatIsProbedWhenItIsBack) {
  TargetQueue queue;
  queue.add(domain("a.test"), at(0));
  ASSERT_TRUE(queue.take(at(0)));
  queue.drop(domain("a.test"));
  EXPECT_TRUE(queue.all().empty());
  EXPECT_EQ(queue.in_flight(), 1U) << "somebody is still at it";
  queue.give_back(domain("a.test"), at(1), at(2), 0);
  EXPECT_EQ(queue.in_flight(), 0U);
  EXPECT_EQ(queue.next_due(), std::nullopt);

  queue.add(domain("a.test"), at(5));
  ASSERT_TRUE(queue.take(at(5)));
  queue.drop(domain("a.test"));
  queue.add(domain("a.test"), at(60));  // a reload took it away, and the next gave it back
  EXPECT_EQ(queue.take(at(70)), std::nullopt) << "never two at one target";
  queue.give_back(domain("a.test"), at(70), at(900), 0);
  EXPECT_EQ(queue.take(at(70)), domain("a.test")) << "and what it was then is out of date";
}

TEST(TargetQueue, ForgetsWhatIsDropped) {
  TargetQueue queue;
  queue.add(domain("a.test"), at(0));
  queue.add(domain("b.test"), at(10));
  EXPECT_EQ(queue.count_due(at(1)), 1U);
  queue.drop(domain("a.test"));
  queue.drop(domain("b.test"));
  queue.move(domain("a.test"), at(3));
  EXPECT_EQ(queue.count_due(at(99)), 0U);
  EXPECT_TRUE(queue.all().empty());
}

}  // namespace

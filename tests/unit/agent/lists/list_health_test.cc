#include "agent/lists/list_health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace agent;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr config::Time kNow{std::chrono::seconds{1'800'000'000}};

ListHealth well(const std::string& name) {
  return {.name = name,
          .source = "https://" + name + ".test/",
          .domains = 7,
          .is_tried = true,
          .read_at = kNow};
}

SelfCheck check_of(const ListHealth& list, config::Time at = kNow) {
  return check_lists({list}, at).front();
}

TEST(CheckLists, IsUpWhileAListIsWell) {
  EXPECT_THAT(check_lists({}, kNow), IsEmpty());
  const auto checks = check_lists({well("one"), well("two")}, kNow);
  ASSERT_THAT(checks, SizeIs(2));
  EXPECT_TRUE(checks[0].is_up);
  EXPECT_FALSE(checks[0].detail);
  EXPECT_EQ(checks[0].check, "domain_list:one");
  EXPECT_EQ(list_of_check(checks[1].check), "two");
  EXPECT_EQ(list_of_check("dns"), "");
}

TEST(CheckLists, TellsASourceThatFailsAgainAndAgain) {
  auto list = well("one");
  list.fault = "connection refused";
  list.failures = kListFailuresTold - 1;
  EXPECT_TRUE(check_of(list).is_up);
  list.failures = kListFailuresTold;
  const auto checks = check_lists({well("two"), list}, kNow);
  EXPECT_TRUE(checks[0].is_up);
  EXPECT_FALSE(checks[1].is_up);
  EXPECT_THAT(blinding(checks), IsEmpty()) << "others are seen as before";
  EXPECT_THAT(*checks[1].detail,
              AllOf(HasSubstr("one (https://one.test/)"), HasSubstr("still watched"),
                    HasSubstr("connection refused")));
}

TEST(CheckLists, TellsASourceThatFailsWhenItsListIsOldAlready) {
  auto list = well("one");
  list.fault = "connection refused";
  list.failures = 1;  // after a restart
  EXPECT_TRUE(check_of(list, kNow + 3 * list.refresh - std::chrono::seconds{1}).is_up);
  EXPECT_FALSE(check_of(list, kNow + 3 * list.refresh).is_up);
}

TEST(CheckLists, SaysNothingOfAListThatWasNotTriedYet) {
  EXPECT_THAT(check_lists({{.name = "one"}, well("two")}, kNow), SizeIs(1));
}

TEST(CheckLists, TellsAtOnceASourceThatWasNeverRead) {
  auto list = well("one");
  list.read_at.reset();
  list.fault = "timed out";
  list.failures = 1;
  EXPECT_THAT(*check_of(list).detail, HasSubstr("nothing of it is watched"));
}

TEST(CheckLists, SaysWhatAListLostAndHowToAcceptThat) {
  auto list = well("inventory");
  list.refusal = {.since = kNow, .lost = {"a", "b", "c", "d", "e", "f"}, .of = 7};
  const auto check = check_of(list);
  EXPECT_FALSE(check.is_up);
  EXPECT_THAT(*check.detail, AllOf(HasSubstr("lost 6 of 7 names"), HasSubstr("a, b, c, d, e …"),
                                   HasSubstr("danelaw accept-list inventory")));
}

}  // namespace

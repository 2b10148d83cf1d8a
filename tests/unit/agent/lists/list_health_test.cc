#include "agent/lists/list_health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace agent;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr config::Time kNow{std::chrono::seconds{1'800'000'000}};

ListHealth well(const std::string& name) {
  return {.name = name, .source = "https://" + name + ".test/", .domains = 7, .read_at = kNow};
}

TEST(CheckLists, IsUpWhileAllAreWell) {
  EXPECT_TRUE(check_lists({}, kNow).is_up);
  const auto check = check_lists({well("one"), well("two")}, kNow);
  EXPECT_TRUE(check.is_up);
  EXPECT_EQ(check.check, "domain_lists");
  EXPECT_FALSE(check.detail);
}

TEST(CheckLists, TellsASourceThatFailsAgainAndAgain) {
  auto list = well("one");
  list.fault = "connection refused";
  list.failures = kListFailuresTold - 1;
  EXPECT_TRUE(check_lists({list}, kNow).is_up);
  list.failures = kListFailuresTold;
  const auto check = check_lists({well("two"), list}, kNow);
  EXPECT_FALSE(check.is_up);
  EXPECT_FALSE(check.blinds) << "others are seen as before";
  EXPECT_THAT(*check.detail, AllOf(HasSubstr("one (https://one.test/)"), HasSubstr("still watched"),
                                   HasSubstr("connection refused"), Not(HasSubstr("two"))));
}

TEST(CheckLists, TellsASourceThatFailsWhenItsListIsOldAlready) {
  auto list = well("one");
  list.fault = "connection refused";
  list.failures = 1;  // after a restart
  EXPECT_TRUE(check_lists({list}, kNow + 3 * list.refresh - std::chrono::seconds{1}).is_up);
  EXPECT_FALSE(check_lists({list}, kNow + 3 * list.refresh).is_up);
  list.fault.reset();
  EXPECT_TRUE(check_lists({list}, kNow + 3 * list.refresh).is_up) << "not tried yet";
}

TEST(CheckLists, SaysNothingBeforeEveryListWasTried) {
  auto list = well("one");
  EXPECT_FALSE(are_all_tried({list}));
  list.is_tried = true;
  EXPECT_TRUE(are_all_tried({list}));
  EXPECT_FALSE(are_all_tried({list, well("two")}));
  EXPECT_TRUE(are_all_tried({})) << "there is nothing to wait for";
}

TEST(CheckLists, TellsAtOnceASourceThatWasNeverRead) {
  auto list = well("one");
  EXPECT_TRUE(check_lists({{.name = "one"}}, kNow).is_up) << "it has not been tried yet";
  list.read_at.reset();
  list.fault = "timed out";
  list.failures = 1;
  EXPECT_THAT(*check_lists({list}, kNow).detail, HasSubstr("nothing of it is watched"));
}

TEST(CheckLists, SaysWhatAListLostAndHowToAcceptThat) {
  auto list = well("inventory");
  list.refusal = {.since = kNow, .lost = {"a", "b", "c", "d", "e", "f"}, .of = 7};
  const auto check = check_lists({list}, kNow);
  EXPECT_FALSE(check.is_up);
  EXPECT_THAT(*check.detail, AllOf(HasSubstr("lost 6 of 7 names"), HasSubstr("a, b, c, d, e …"),
                                   HasSubstr("danelaw accept-list inventory")));
}

}  // namespace

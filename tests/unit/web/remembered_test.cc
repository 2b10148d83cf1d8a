#include "web/routes/remembered.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/unit/web/service.h"

// Answers that are kept from request to request are what they would be without that.
namespace {

using probes::Delivery;
using support::kMinute;
using support::kNow;

class Kept : public testing::Test {
 protected:
  Kept() {
    const auto one = service_.snapshot.domains[0];
    service_.snapshot.domains = {};
    for (int i = 0; i < 600; ++i) {
      auto state = one;
      state.configured.change().name = fmt::format("d{:03}.test", i);
      service_.snapshot.domains.push_back(std::move(state));
    }
  }
  std::size_t held_up() {
    const auto counts = web::all_counts(
        service_.snapshot, *recorded_.of(service_.snapshot.domains, *service_.queries));
    return counts.by_delivery[static_cast<std::size_t>(Delivery::held_up)].inbound;
  }

  support::Service service_;
  web::RecordedReader recorded_;
};

TEST_F(Kept, CountsFollowWhatChangesAnywhereInTheList) {
  EXPECT_EQ(held_up(), 600);
  EXPECT_EQ(held_up(), 600);
  auto sound = service_.snapshot.domains[0];
  sound.judged = std::make_shared<const probes::DomainJudgement>(support::Scene{}.judge());
  for (const std::size_t place : {0U, 300U, 599U}) {
    service_.snapshot.domains.set(place, sound);
    service_.snapshot.domains.change(place, [&](auto& state) {
      state.configured.change().name = fmt::format("d{:03}.test", place);
    });
  }
  EXPECT_EQ(held_up(), 597);
  service_.snapshot.domains.push_back(service_.snapshot.domains[1]);
  EXPECT_EQ(held_up(), 598);
  service_.snapshot.domains = {};
  EXPECT_EQ(held_up(), 0);
}

TEST_F(Kept, WhatWasRecordedIsReadOnceForAListAndAnewForAnother) {
  auto& domains = service_.snapshot.domains;
  const auto unseen = [&](std::size_t place, const std::string& name) {
    domains.change(place, [&](auto& state) {
      state.judged = nullptr;
      state.configured.change().name = name;
    });
    domains.keep_order();
  };
  unseen(5, "example.test");
  const auto first = recorded_.of(domains, *service_.queries);
  ASSERT_NE(first->find(domains, 5), nullptr);
  EXPECT_EQ(first->find(domains, 5)->delivery, Delivery::held_up);
  EXPECT_EQ(first->find(domains, 6), nullptr) << "it was looked at";
  EXPECT_EQ(recorded_.of(domains, *service_.queries), first);
  unseen(6, "never.test");
  const auto second = recorded_.of(domains, *service_.queries);
  EXPECT_NE(second, first);
  EXPECT_EQ(second->find(domains, 6), nullptr) << "nothing is recorded";
  domains.change(5, [&](auto& state) { state.judged = domains[7].judged; });
  EXPECT_EQ(second->find(domains, 5), nullptr) << "what is seen now counts";
}

// More than are read one by one.
TEST_F(Kept, WhatWasRecordedIsFoundInALongList) {
  auto& domains = service_.snapshot.domains;
  for (int i = 600; i < 1'500; ++i) {
    auto state = domains[0];
    state.configured.change().name = fmt::format("d{:04}.test", i);
    domains.push_back(std::move(state));
  }
  for (const auto& [place, name] : {std::pair{3U, "example.test"}, {1'400U, "never.test"}}) {
    domains.change(place, [&, called = std::string(name)](auto& state) {
      state.judged = nullptr;
      state.configured.change().name = called;
    });
  }
  const web::RecordedBriefs recorded(domains, *service_.queries);
  EXPECT_TRUE(recorded.is_whole());
  ASSERT_NE(recorded.find(domains, 3), nullptr);
  EXPECT_EQ(recorded.find(domains, 3)->delivery, Delivery::held_up);
  EXPECT_EQ(recorded.find(domains, 1'400), nullptr);
}

TEST_F(Kept, WhatWasNotProbedSinceTheStartCountsAsItIsRecordedNow) {
  service_.snapshot.domains.change(5, [&](auto& state) { state.judged = nullptr; });
  service_.snapshot.domains.change(
      5, [&](auto& state) { state.configured.change().name = "example.test"; });
  EXPECT_EQ(held_up(), 600) << "by what was recorded of example.test";
  service_.snapshot.domains.change(
      5, [&](auto& state) { state.configured.change().name = "never.test"; });
  EXPECT_EQ(held_up(), 599);
}

TEST_F(Kept, WhatIsHeldUpLatelyFollowsWhatIsRecorded) {
  web::HeldUpLately lately;
  std::map<std::string, Delivery> now{{"example.test", Delivery::held_up}};
  const auto count = [&](config::Time begin) {
    return lately.count(
        begin,
        [&](const std::string& name) -> std::optional<Delivery> {
          return now.contains(name) ? std::optional(now.at(name)) : std::nullopt;
        },
        *service_.queries);
  };
  const auto hour = std::chrono::hours{1};
  EXPECT_EQ(count(kNow + kMinute - hour), 1);
  auto other = service_.snapshot.domains[0];
  other.configured.change().name = "d000.test";
  service_.store.record({.at = kNow + 2 * kMinute, .judged = {other}});
  now["d000.test"] = Delivery::unknown;
  EXPECT_EQ(count(kNow + 2 * kMinute - hour), 1) << "recorded, but not so now";
  now["d000.test"] = Delivery::held_up;
  EXPECT_EQ(count(kNow + 3 * kMinute - hour), 2);
  now.erase("example.test");
  EXPECT_EQ(count(kNow + 3 * kMinute - hour), 1) << "not watched any more";
  EXPECT_EQ(count(kNow + 2 * hour), 0) << "all began longer ago";
}

TEST_F(Kept, SpansAreReadAnewWhenAVerdictIsRecordedOrAMinuteIsOver) {
  web::SpansOfAll spans;
  const auto of = [&](config::Time now) {
    return *spans.of({.domains = {},
                      .from = now - std::chrono::hours{24},
                      .until = now,
                      .longest_silence = std::chrono::hours{1}},
                     *service_.queries);
  };
  const auto first = of(kNow + kMinute);
  EXPECT_EQ(of(kNow + kMinute + config::Seconds{59}), first);
  EXPECT_EQ(first->until, kNow + kMinute) << "as of when it was read";
  const auto second = of(kNow + 2 * kMinute);
  EXPECT_NE(second, first);
  auto other = service_.snapshot.domains[0];
  other.configured.change().name = "d000.test";
  service_.store.record({.at = kNow + 2 * kMinute, .judged = {other}});
  const auto third = of(kNow + 2 * kMinute + config::Seconds{1});
  EXPECT_NE(third, second);
  EXPECT_TRUE(third->spans.contains("d000.test"));
  EXPECT_FALSE(second->spans.contains("d000.test"));
}

}  // namespace

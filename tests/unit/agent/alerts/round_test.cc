#include "agent/alerts/round.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/watch/runner.h"

namespace agent {
namespace {

using config::Failure;
using config::Result;
using config::Time;
using testing::ElementsAre;

TEST(Decisions, of_before_come_first_and_what_was_seen_is_left_out) {
  Round before{.at = Time{config::Seconds{100}}};
  before.domain = std::make_shared<const probes::DomainObservation>();
  before.alerts = {{.id = "a"}, {.id = "b"}};
  before.transitions = {{.alert_id = "a", .reason = "opened"}};
  before.notifications = {{.id = "a-opened"}};
  before.ended_exceptions = {"one.test", "two.test"};
  Round now;
  now.alerts = {{.id = "c"}};
  now.forgotten = {"b"};
  now.notifications = {{.id = "c-opened"}};
  now.exceptions = {{.domain = "two.test"}};
  const auto missed = decisions_of(before);
  EXPECT_EQ(missed.domain, nullptr);
  const auto all = with_decisions(missed, now);
  std::vector<std::string> alerts, notifications;
  for (const auto& alert : all.alerts) alerts.push_back(alert.id);
  for (const auto& notification : all.notifications) notifications.push_back(notification.id);
  EXPECT_THAT(alerts, ElementsAre("a", "c")) << "b is forgotten by now";
  EXPECT_THAT(notifications, ElementsAre("a-opened", "c-opened"));
  EXPECT_THAT(all.forgotten, ElementsAre("b"));
  EXPECT_EQ(all.transitions.size(), 1U);
  EXPECT_THAT(all.ended_exceptions, ElementsAre("one.test")) << "the other was made again";
}

// A database that fails when told so.
class Disk final : public Recorder {
 public:
  bool is_full = false;
  std::string poison;                            // a silence of this person cannot be recorded
  std::vector<std::vector<std::string>> rounds;  // who made silences, by round

  Result<void, RecordFault> record_all(const std::vector<const Round*>& all) override {
    std::vector<std::vector<std::string>> taken;
    for (const auto* round : all) {
      auto& authors = taken.emplace_back();
      for (const auto& silence : round->silences) authors.push_back(silence.created_by);
      const bool is_poisoned =
          !poison.empty() && std::ranges::find(authors, poison) != authors.end();
      if (is_full || is_poisoned) return Failure<RecordFault>(RecordFault{.detail = "disk full"});
    }
    std::ranges::move(taken, std::back_inserter(rounds));
    return {};
  }
  Result<RestoredState, RecordFault> restore(Time /*since*/) override { return RestoredState{}; }
  Result<std::map<std::string, Time>, RecordFault> protected_domains(Time /*since*/) override {
    return std::map<std::string, Time>{};
  }
  Result<HostHistory, RecordFault> host_history(const probes::dns::Name& /*host*/,
                                                Time /*since*/) override {
    return HostHistory{};
  }
  Result<Signatures, RecordFault> mx_signatures(const probes::dns::Name& /*domain*/,
                                                Time /*since*/) override {
    return Signatures{};
  }
  Result<ZonePast, RecordFault> zone_past(const probes::dns::Name& /*zone*/,
                                          Time /*since*/) override {
    return ZonePast{};
  }
  std::unique_ptr<Chore> forget(Time /*before*/) override { return nullptr; }
  std::unique_ptr<Chore> keep_only(std::vector<config::Domain> /*domains*/) override {
    return nullptr;
  }
};

class WhatCannotBeRecorded : public testing::Test {
 protected:
  bool silence(const std::string& author) {
    return runner_
        .silence({.matchers = {{.name = "mx", .value = "mx.example.test"}},
                  .starts_at = kNow,
                  .ends_at = kNow + std::chrono::hours{1},
                  .created_by = author,
                  .comment = "why"})
        .has_value();
  }

  static constexpr Time kNow{std::chrono::hours{490'000}};
  Disk disk_;
  Runner runner_{config::Config{},
                 nullptr,
                 disk_,
                 {},
                 {},
                 {.wall = [] { return kNow; }, .ticks = [] { return Ticks{}; }}};
};

TEST_F(WhatCannotBeRecorded, is_recorded_with_what_comes_next) {
  disk_.is_full = true;
  EXPECT_FALSE(silence("ann"));
  EXPECT_FALSE(silence("bob"));
  disk_.is_full = false;
  EXPECT_TRUE(silence("cas"));
  EXPECT_TRUE(silence("dan"));
  EXPECT_THAT(disk_.rounds, ElementsAre(ElementsAre("ann"), ElementsAre("bob"), ElementsAre("cas"),
                                        ElementsAre("dan")));
}

TEST_F(WhatCannotBeRecorded, keeps_nothing_else_from_being_recorded) {
  disk_.poison = "eve";
  EXPECT_FALSE(silence("eve"));
  EXPECT_TRUE(silence("ann"));
  EXPECT_TRUE(silence("bob"));
  EXPECT_THAT(disk_.rounds, ElementsAre(ElementsAre("ann"), ElementsAre("bob")));
}

}  // namespace
}  // namespace agent

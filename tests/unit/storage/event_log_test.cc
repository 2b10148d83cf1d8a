#include "storage/event_log.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/storage/store.h"

namespace {

using storage::LogEvent;
using storage::LogQuery;
using support::kMinute;
using support::kNow;
using support::Pki;
using support::Scene;
using support::Store;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Scene serving(const probes::tls::CertificatePtr& leaf) {
  Scene scene;
  scene.serve({leaf, Pki::get().inter.certificate});
  return scene;
}

// example.test is well, then presents another key; an alert opens, is acknowledged, and resolved.
class EventLog : public testing::Test {
 protected:
  EventLog() {
    look(Pki::get().leaf.certificate, 0);
    look(Pki::get().leaf.certificate, 15);
    look(Pki::get().old_leaf.certificate, 30);
    auto round = support::domain_round(serving(Pki::get().old_leaf.certificate), at(31));
    round.alerts = {support::alert("f-1", agent::AlertState::firing, at(31))};
    round.transitions = {{.what = agent::Transition::What::opened, .alert_id = "f-1"}};
    store_.record(round);
    auto log = std::move(*storage::ActLog::open(store_.place()));
    if (!log->record({.at = at(32),
                      .by = "alice",
                      .login = "user",
                      .what = "acknowledge",
                      .subject_kind = "alert",
                      .subject = "f-1"}))
      throw std::runtime_error("not recorded");
    look(Pki::get().leaf.certificate, 45);
  }
  static config::Time at(int minute) { return kNow + minute * kMinute; }
  void look(const probes::tls::CertificatePtr& leaf, int minute) {
    const auto scene = serving(leaf);
    store_.record(support::host_round(scene, at(minute)));
    store_.record(support::domain_round(scene, at(minute)));
  }
  storage::LogPage page(LogQuery query) {
    if (!query.has_kind) query.has_kind = [](LogEvent::Kind) { return true; };
    const auto queries = store_.queries();
    auto found = queries->event_log(query);
    if (!found) throw std::runtime_error(found.error());
    return std::move(*found);
  }
  // "31 opened f-1", in minutes.
  static std::vector<std::string> words(const storage::LogPage& page) {
    std::vector<std::string> out;
    for (const auto& event : page.events) {
      const auto minute = std::to_string((event.at - kNow).count() / 60) + " ";
      switch (event.kind) {
        case LogEvent::Kind::verdict:
          out.push_back(minute + event.before.value_or("-") + " " + event.now);
          break;
        case LogEvent::Kind::key:
          out.push_back(minute + (event.before ? "key" : "first key"));
          break;
        case LogEvent::Kind::records:
          out.push_back(minute + (event.before ? "records" : "first records"));
          break;
        case LogEvent::Kind::alert:
          out.push_back(minute + event.what + " " + event.alert->id);
          break;
        case LogEvent::Kind::act:
          out.push_back(minute + event.act->what + " " + event.act->by);
          break;
        case LogEvent::Kind::ours:
          out.push_back(minute + event.subject);
          break;
      }
    }
    return out;
  }

  Store store_;
};

TEST_F(EventLog, TellsWhatChangedTheNewestFirst) {
  const auto all = words(page({}));
  EXPECT_THAT(all, testing::IsSupersetOf({"45 deferred authenticated", "32 acknowledge alice",
                                          "31 opened f-1", "30 authenticated deferred",
                                          "0 - authenticated"}));
  EXPECT_THAT(all, testing::Contains("30 key"));
  EXPECT_THAT(
      words(
          page({.has_kind = [](LogEvent::Kind kind) { return kind == LogEvent::Kind::verdict; }})),
      ElementsAre("45 deferred authenticated", "30 authenticated deferred", "0 - authenticated"))
      << "what stayed is no event";
}

TEST_F(EventLog, PagesHoldTogetherWhatTheWholeHolds) {
  const auto all = words(page({}));
  std::vector<std::string> joined;
  std::optional<storage::LogPlace> after;
  for (int i = 0; i < 100; ++i) {
    const auto part = page({.after = after, .limit = 1});
    for (const auto& word : words(part)) joined.push_back(word);
    after = part.next;
    if (!after) break;
  }
  EXPECT_FALSE(after);
  // A key that a host shows at several addresses comes once a page.
  std::set<std::string> all_of(all.begin(), all.end());
  EXPECT_EQ(std::set<std::string>(joined.begin(), joined.end()), all_of);
  EXPECT_TRUE(std::ranges::is_sorted(joined, std::greater{},
                                     [](const std::string& word) { return std::stoi(word); }));
}

TEST_F(EventLog, TimesBoundIt) {
  EXPECT_THAT(words(page({.from = at(31), .until = at(32)})),
              ElementsAre("32 acknowledge alice", "31 opened f-1"));
  EXPECT_THAT(words(page({.until = kNow - kMinute})), IsEmpty());
}

TEST_F(EventLog, OnlyTheVerdictsAndFindingsAskedFor) {
  EXPECT_THAT(words(page({.has_kind = [](auto kind) { return kind == LogEvent::Kind::verdict; },
                          .has_verdict = [](const auto& word) { return word == "deferred"; }})),
              ElementsAre("30 authenticated deferred"));
  const auto of = [&](bool is_it) {
    return words(page(
        {.has_kind =
             [](auto kind) { return kind == LogEvent::Kind::alert || kind == LogEvent::Kind::act; },
         .has_code = [&](probes::Code) { return is_it; }}));
  };
  EXPECT_THAT(of(true), ElementsAre("32 acknowledge alice", "31 opened f-1"));
  EXPECT_THAT(of(false), IsEmpty());
}

TEST_F(EventLog, OnlyWhatConcernsTheDomainsAskedFor) {
  const auto none = [](const std::string&) { return false; };
  EXPECT_THAT(page({.has_domain = none, .has_host = none}).events, IsEmpty());
  const auto mine = [](const std::string& name) { return name == "example.test"; };
  EXPECT_THAT(words(page({.has_domain = mine, .has_host = none})),
              ElementsAre("45 deferred authenticated", "32 acknowledge alice", "31 opened f-1",
                          "30 authenticated deferred", "0 - authenticated"));
}

}  // namespace

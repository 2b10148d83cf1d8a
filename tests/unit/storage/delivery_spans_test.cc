#include "storage/delivery_spans.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/storage/store.h"

namespace {

using config::Seconds;
using probes::Delivery;
using probes::Verdict;
using storage::DeliverySpan;
using support::kMinute;
using support::kNow;
using support::Pki;
using support::Scene;
using support::Store;
using testing::ElementsAre;
using testing::IsEmpty;

Scene healthy() {
  Scene scene;
  scene.serve({Pki::get().leaf.certificate, Pki::get().inter.certificate});
  return scene;
}
Scene broken() {
  Scene scene;
  scene.serve({Pki::get().old_leaf.certificate, Pki::get().inter.certificate});
  return scene;
}

class Spans : public testing::Test {
 protected:
  void look(const Scene& scene, int minute) {
    store_.record(support::domain_round(scene, kNow + minute * kMinute));
  }
  // "authenticated 0..15", in minutes.
  std::vector<std::string> spans(int from, int until) {
    auto queries = store_.queries();
    const auto found =
        queries->delivery_spans({.of = of_,
                                 .domains = domains_,
                                 .from = kNow + from * kMinute,
                                 .until = kNow + until * kMinute,
                                 .longest_silence = storage::longest_silence(15 * kMinute)});
    if (!found) throw std::runtime_error(found.error());
    std::vector<std::string> out;
    for (const auto& [domain, list] : *found) {
      for (const auto& span : list)
        out.push_back(fmt::format("{} {}..{}", wire_name(span.verdict),
                                  (span.from - kNow).count() / 60,
                                  (span.until - kNow).count() / 60));
    }
    return out;
  }

  Store store_;
  storage::Whose of_ = storage::Whose::domains;
  std::vector<std::string> domains_;  // none: all
};

TEST_F(Spans, AVerdictHoldsUntilTheNext) {
  for (const int minute : {0, 15, 30}) look(healthy(), minute);
  for (const int minute : {45, 60}) look(broken(), minute);
  look(healthy(), 75);
  const auto want = ElementsAre("authenticated 0..45", "deferred 45..75", "authenticated 75..80");
  EXPECT_THAT(spans(-100, 80), want);
  domains_ = {"example.test"};
  EXPECT_THAT(spans(-100, 80), want);
  domains_ = {"other.test"};
  EXPECT_THAT(spans(-100, 80), IsEmpty());
}

TEST_F(Spans, OfAHostWhateverBecameOfItsDomains) {
  const auto look_at_host = [&](const Scene& scene, int minute) {
    store_.record(support::host_round(scene, kNow + minute * kMinute));
  };
  look(healthy(), 0);  // of the domain: it says nothing of when the host was looked at
  look_at_host(healthy(), 5);
  for (const int minute : {20, 35}) look_at_host(broken(), minute);
  look_at_host(healthy(), 50);
  of_ = storage::Whose::hosts;
  const auto want = ElementsAre("authenticated 5..20", "refused 20..50", "authenticated 50..60");
  EXPECT_THAT(spans(-100, 60), want);
  domains_ = {"mx.example.test"};
  EXPECT_THAT(spans(-100, 60), want);
  domains_ = {"example.test"};
  EXPECT_THAT(spans(-100, 60), IsEmpty());
  look_at_host(healthy(), 500);
  domains_ = {"mx.example.test"};
  EXPECT_THAT(spans(55, 510), ElementsAre("unknown 55..500", "authenticated 500..510"))
      << "nobody looked";
}

// Its users are not judged anew while nothing changes.
TEST_F(Spans, AHostThatStaysAsItIsIsSeenAllTheSame) {
  for (int minute = 0; minute <= 300; minute += 15) {
    auto round = support::host_round(healthy(), kNow + minute * kMinute);
    if (minute > 0) round.judged.clear();
    store_.record(round);
  }
  of_ = storage::Whose::hosts;
  EXPECT_THAT(spans(0, 310), ElementsAre("authenticated 0..310"));
}

TEST_F(Spans, AHostIsWhatItIsForTheDomainForWhichItIsWorst) {
  auto round = support::host_round(healthy(), kNow);
  auto other = *round.judged.front().judged;
  ASSERT_EQ(other.hosts.size(), 1U);
  other.hosts.change(0).verdict = Verdict::host_authenticated;  // its MX RRset is not signed
  auto state = round.judged.front();
  state.configured.change().name = "other.test";
  state.judged = std::make_shared<const probes::DomainJudgement>(other);
  round.judged.push_back(state);
  store_.record(support::with_host_judged(round));
  of_ = storage::Whose::hosts;
  EXPECT_THAT(spans(0, 10), ElementsAre("host-authenticated 0..10"));
}

TEST_F(Spans, OnlyTheTimeAskedForIsTold) {
  look(healthy(), 0);
  look(broken(), 15);
  look(broken(), 30);
  look(healthy(), 40);
  EXPECT_THAT(spans(20, 50), ElementsAre("deferred 20..40", "authenticated 40..50"));
  EXPECT_THAT(spans(20, 35), ElementsAre("deferred 20..35"));
}

TEST_F(Spans, WhatCachesHoldIsRecordedWithTheVerdict) {
  const auto cached = [&](int minute) {
    auto round = support::domain_round(healthy(), kNow + minute * kMinute);
    auto judged = *round.judged.front().judged;
    judged.hosts.change(0).most_caches_refuse = true;
    round.judged.front().judged = std::make_shared<const probes::DomainJudgement>(judged);
    store_.record(round);
  };
  look(broken(), 0);
  cached(15);
  const auto queries = store_.queries();
  const auto row = *queries->domain("example.test");
  ASSERT_TRUE(row && row->known);
  EXPECT_EQ(row->delivery, Delivery::held_up);
  EXPECT_EQ(row->known->delivery, Delivery::held_up);
  const auto since = queries->delivery_since({{"example.test", Delivery::held_up}});
  EXPECT_EQ(since->at("example.test"), kNow) << "it waits since it was refused";
  look(healthy(), 30);
  const auto spans = queries->delivery_spans({.domains = {"example.test"},
                                              .from = kNow,
                                              .until = kNow + 31 * kMinute,
                                              .longest_silence = 60 * kMinute});
  std::vector<std::string> words;
  for (const auto& span : spans->at("example.test"))
    words.push_back(fmt::format("{} {}", wire_name(span.verdict), wire_name(span.delivery)));
  EXPECT_THAT(words, ElementsAre("deferred held-up", "authenticated held-up", testing::_));
  EXPECT_THAT(words.back(), testing::Not(testing::HasSubstr("held-up")));
  const auto log = queries->event_log(
      {.has_kind = [](auto kind) { return kind == storage::LogEvent::Kind::verdict; }});
  std::vector<bool> refused;
  for (const auto& event : log->events) refused.push_back(event.most_caches_refuse);
  EXPECT_THAT(refused, ElementsAre(false, true, false)) << "the end of it is an event, too";
}

TEST_F(Spans, WhatLiesBetweenLooksThatAreFarApartIsUnknown) {
  look(healthy(), 0);
  look(healthy(), 15);
  store_.reopen();  // after three hours
  look(healthy(), 195);
  EXPECT_THAT(spans(0, 200),
              ElementsAre("authenticated 0..15", "unknown 15..195", "authenticated 195..200"));
  look(broken(), 500);
  EXPECT_THAT(spans(190, 500), ElementsAre("unknown 190..500")) << "a look is a moment";
}

TEST_F(Spans, NothingIsKnownOnceLooksStayAway) {
  look(healthy(), 0);
  EXPECT_THAT(spans(0, 40), ElementsAre("authenticated 0..40"));
  EXPECT_THAT(spans(0, 41), ElementsAre("unknown 0..41"));
}

TEST_F(Spans, WhatWasWatchedBeforeTheTimeIsUnknownAndNotUnwatched) {
  look(healthy(), 0);
  look(healthy(), 1000);
  EXPECT_THAT(spans(500, 1010), ElementsAre("unknown 500..1000", "authenticated 1000..1010"));
}

}  // namespace

#include "agent/alerts/lifecycle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

// One alert on a fake clock: looks a minute apart.
namespace {

using namespace agent;
using probes::Code;
using probes::Finding;
using probes::Severity;
using support::kNow;

constexpr config::Seconds kMinute{60};

Finding finding(Code code, Severity severity = Severity::critical) {
  return {.code = code,
          .severity = severity,
          .subject = {.kind = probes::Subject::Kind::host, .name = "mx.example.test"},
          .evidence = {},
          .addresses = {}};
}

Trouble trouble(Finding found, std::vector<std::string> domains = {}) {
  const auto cause = found.subject;
  return {.cause = cause, .finding = std::move(found), .domains = std::move(domains)};
}

class Story {
 public:
  explicit Story(Code code, int relapses = 0)
      : trouble_(trouble(finding(code), {"a.test", "b.test"})), relapses_(relapses) {}
  explicit Story(Finding finding) : Story(finding.code) { trouble_.finding = std::move(finding); }

  Step look(Sight sight) {
    now_ += kMinute;
    auto followed = follow(alert_, sight, &trouble_, relapses_, now_);
    const bool is_over = followed.step == Step::forgotten || followed.step == Step::passed ||
                         followed.step == Step::resolved;
    alert_ = is_over ? std::nullopt : followed.alert;
    return followed.step;
  }
  std::vector<Step> looks(std::initializer_list<Sight> sights) {
    std::vector<Step> out;
    for (const auto sight : sights) out.push_back(look(sight));
    return out;
  }
  void wait(config::Seconds time) { now_ += time; }
  const std::optional<Alert>& alert() const { return alert_; }

 private:
  Trouble trouble_;
  int relapses_;
  std::optional<Alert> alert_;
  config::Time now_ = kNow;
};

using enum Sight;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Lifecycle, a_mismatch_opens_at_the_second_look_and_ends_at_the_second_clean_one) {
  Story story{Code::tlsa_mismatch};
  EXPECT_THAT(story.looks({seen, seen, seen, clean, clean}),
              ElementsAre(Step::noticed, Step::opened, Step::still_firing, Step::maybe_over,
                          Step::resolved));
}

TEST(Lifecycle, one_sight_alone_is_an_episode_that_nobody_is_told_of) {
  Story story{Code::tlsa_mismatch};
  EXPECT_THAT(story.looks({seen, clean, seen}),
              ElementsAre(Step::noticed, Step::passed, Step::noticed));
}

TEST(Lifecycle, weather_seen_once_is_forgotten) {
  Story story{Code::host_down};
  EXPECT_THAT(story.looks({seen, clean}), ElementsAre(Step::noticed, Step::forgotten));
}

TEST(Lifecycle, what_comes_and_goes_opens_at_once_and_ends_after_half_an_hour_of_calm) {
  Story story{Code::tlsa_mismatch, 2};
  EXPECT_THAT(story.looks({seen, clean, clean, clean}),
              ElementsAre(Step::opened, Step::maybe_over, Step::maybe_over, Step::maybe_over));
  story.wait(std::chrono::minutes{26});
  EXPECT_EQ(story.look(clean), Step::resolved);
}

TEST(Lifecycle, trouble_at_a_second_host_counts_no_look_and_raises_the_severity) {
  auto mild = finding(Code::tlsa_mismatch, Severity::high);
  auto first = trouble(mild, {"a.test"});
  first.direction = config::Role::outbound;
  auto alert = *follow(std::nullopt, seen, &first, 0, kNow).alert;
  auto grave = finding(Code::tlsa_mismatch);
  grave.subject.name = "mx2.example.test";
  alert = joined(alert, trouble(grave, {"b.test"}), kNow + kMinute);
  EXPECT_EQ(alert.looks_seen, 1);
  EXPECT_EQ(alert.finding.severity, Severity::critical);
  EXPECT_EQ(alert.direction, config::Role::inbound);
  EXPECT_THAT(alert.domains, ElementsAre("a.test", "b.test"));
  auto other = left(alert, mild.subject);
  EXPECT_EQ(other.finding.subject, grave.subject);
  EXPECT_THAT(other.finding.evidence, IsEmpty()) << "that was seen at the one which left";
  alert = left(alert, grave.subject);
  EXPECT_EQ(alert.finding.evidence, mild.evidence);
  EXPECT_EQ(alert.finding.severity, Severity::high);
  EXPECT_EQ(alert.direction, config::Role::outbound);
  EXPECT_FALSE(hits(alert, grave.subject));
}

// Two hosts whose TLSA name is a CNAME to one owner, each with a next key of its own.
TEST(Lifecycle, the_next_key_of_a_second_host_is_told_anew_with_its_record) {
  const auto next = [](const std::string& host, const std::string& key) {
    auto found = finding(Code::next_key_unpublished, Severity::high);
    found.subject.name = host;
    found.next_keys = {key};
    found.remedy = probes::Remedy{.owner = "_25._tcp.provider.test", .publish = {"3 1 1 " + key}};
    auto out = trouble(std::move(found));
    out.cause = {.kind = probes::Subject::Kind::owner, .name = "_25._tcp.provider.test"};
    return out;
  };
  const auto mx1 = next("mx1.test", "aa"), mx2 = next("mx2.test", "bb");
  auto alert = follow(std::nullopt, seen, &mx1, 0, kNow).alert;
  alert = follow(alert, seen, &mx1, 0, kNow + kMinute).alert;
  const auto told = [&] {
    alert->told_at = kNow + kMinute;
    alert->acknowledged = Acknowledgement{.by = "ann", .comment = "", .at = kNow};
  };
  told();
  alert = joined(*alert, mx2, kNow + 2 * kMinute);
  EXPECT_EQ(alert->told_at, std::nullopt);
  EXPECT_EQ(alert->acknowledged, std::nullopt);
  EXPECT_THAT(alert->finding.next_keys, ElementsAre("aa", "bb"));
  EXPECT_THAT(alert->finding.remedy->publish, ElementsAre("3 1 1 aa", "3 1 1 bb"));
  EXPECT_THAT(alert->hits[1].publish, ElementsAre("3 1 1 bb"));
  told();
  alert = follow(alert, seen, &mx1, 0, kNow + 3 * kMinute).alert;
  alert = joined(*alert, mx2, kNow + 4 * kMinute);
  EXPECT_TRUE(alert->told_at.has_value()) << "both are known";
  EXPECT_THAT(alert->finding.remedy->publish, ElementsAre("3 1 1 aa", "3 1 1 bb"));
  alert = left(*alert, mx2.finding.subject);
  EXPECT_THAT(alert->finding.remedy->publish, ElementsAre("3 1 1 aa"));
}

TEST(Lifecycle, a_split_that_comes_to_refuse_the_key_in_use_is_told_anew) {
  auto harmless = finding(Code::nameserver_split, Severity::high);
  harmless.gaps = {{.server = "ns2 (192.0.2.54)", .lacks = {"3 1 1 bb"}, .given_by = "ns1"}};
  auto refusing = harmless;
  refusing.gaps.front().is_refusing = true;
  auto other = refusing;
  other.gaps.front().server = "ns1 (192.0.2.53)";
  const auto first = trouble(harmless);
  std::optional<Alert> alert;
  for (int i = 0; i < 4; ++i) alert = follow(alert, seen, &first, 0, kNow + i * kMinute).alert;
  ASSERT_EQ(alert->state, AlertState::firing);
  const auto is_told_anew = [&](const probes::Finding& now) {
    alert->told_at = kNow + 4 * kMinute;
    const auto next = trouble(now);
    alert = follow(alert, seen, &next, 0, kNow + 5 * kMinute).alert;
    return !alert->told_at;
  };
  EXPECT_FALSE(is_told_anew(harmless));
  EXPECT_TRUE(is_told_anew(refusing));
  EXPECT_FALSE(is_told_anew(refusing));
  EXPECT_TRUE(is_told_anew(other)) << "the advice turns round";
}

TEST(Lifecycle, a_relapse_starts_the_count_of_clean_looks_anew) {
  Story story{Code::tlsa_mismatch};
  EXPECT_THAT(story.looks({seen, seen, clean, seen, clean, clean}),
              ElementsAre(Step::noticed, Step::opened, Step::maybe_over, Step::still_firing,
                          Step::maybe_over, Step::resolved));
}

TEST(Lifecycle, unknown_neither_opens_nor_closes) {
  Story story{Code::tlsa_mismatch};
  EXPECT_THAT(story.looks({unknown, seen, unknown, unknown, seen, unknown, clean, unknown, clean}),
              ElementsAre(Step::nothing, Step::noticed, Step::nothing, Step::nothing, Step::opened,
                          Step::nothing, Step::maybe_over, Step::nothing, Step::resolved));
}

TEST(Lifecycle, weather_takes_three_looks) {
  Story story{Code::host_down};
  EXPECT_THAT(story.looks({seen, seen, seen}),
              ElementsAre(Step::noticed, Step::waiting, Step::opened));
}

TEST(Lifecycle, a_name_server_that_lacks_the_record_of_a_key_in_use_is_no_weather) {
  auto split = finding(Code::nameserver_split);
  split.gaps = {{.server = "ns1.example.test", .lacks = {"3 1 1 aa"}, .is_refusing = true}};
  EXPECT_THAT(Story(split).looks({seen, seen}), ElementsAre(Step::noticed, Step::opened));
  EXPECT_THAT(Story(split).looks({seen, clean}), ElementsAre(Step::noticed, Step::passed));
  split.gaps.front().is_refusing = false;
  EXPECT_THAT(Story(split).looks({seen, seen}), ElementsAre(Step::noticed, Step::waiting));
}

TEST(Lifecycle, weather_that_lasts_half_an_hour_needs_no_third_look) {
  Story story{Code::host_down};
  EXPECT_EQ(story.look(seen), Step::noticed);
  story.wait(std::chrono::minutes{29});
  EXPECT_EQ(story.look(seen), Step::opened);
}

TEST(Lifecycle, an_alert_keeps_its_id_from_first_sight_to_the_end_and_a_new_one_gets_another) {
  Story story{Code::tlsa_mismatch};
  story.look(seen);
  const auto id = story.alert()->id;
  EXPECT_THAT(id, testing::MatchesRegex("[a-z0-9._-]+"));
  story.looks({seen, clean});
  EXPECT_EQ(story.alert()->id, id);
  story.looks({clean, seen});
  EXPECT_NE(story.alert()->id, id);
}

TEST(Lifecycle, an_alert_tells_what_was_seen_last_and_whom_it_hits) {
  auto first = finding(Code::starttls_rejected, Severity::high);
  auto second = finding(Code::starttls_rejected, Severity::critical);
  const auto before = trouble(first, {"a.test"});
  const auto after = trouble(second, {"a.test", "b.test"});
  auto state = follow(std::nullopt, seen, &before, 0, kNow);
  state = follow(state.alert, seen, &after, 0, kNow + kMinute);
  EXPECT_EQ(state.alert->finding.severity, Severity::critical);
  EXPECT_THAT(state.alert->domains, ElementsAre("a.test", "b.test"));
  EXPECT_EQ(state.alert->first_seen_at, kNow);
  EXPECT_EQ(state.alert->last_seen_at, kNow + kMinute);
}

// What was published has come to fit: the alert stays what it was, with nothing left to publish.
TEST(Lifecycle, a_mismatch_that_only_caches_hold_asks_for_no_record) {
  auto first = finding(Code::tlsa_mismatch);
  first.evidence = {{"endpoint", "192.0.2.1"}};
  first.remedy = probes::Remedy{.publish = {"3 1 1 ab"}};
  const auto refused = trouble(first, {"a.test"});
  auto rest = finding(Code::tlsa_mismatch, Severity::high);
  rest.is_in_caches_only = true;
  rest.remedy = probes::Remedy{.recovers_at = kNow + 5 * kMinute};
  const auto cached = trouble(rest, {"a.test"});
  auto state = follow(std::nullopt, seen, &refused, 0, kNow);
  state = follow(state.alert, seen, &refused, 0, kNow + kMinute);
  state = follow(state.alert, seen, &cached, 0, kNow + 2 * kMinute);
  EXPECT_EQ(state.step, Step::still_firing);
  EXPECT_TRUE(state.alert->finding.is_in_caches_only);
  EXPECT_EQ(state.alert->finding.remedy, rest.remedy);
  EXPECT_EQ(state.alert->finding.evidence, first.evidence);
  EXPECT_EQ(state.alert->finding.severity, Severity::critical) << "it keeps the worst that it was";
  auto over = follow(state.alert, clean, nullptr, 0, kNow + 6 * kMinute);
  over = follow(over.alert, clean, nullptr, 0, kNow + 7 * kMinute);
  ASSERT_EQ(over.step, Step::resolved);
  EXPECT_FALSE(over.alert->finding.is_in_caches_only) << "its end is told under its own name";
  // It came back before that.
  state = follow(state.alert, seen, &refused, 0, kNow + 6 * kMinute);
  EXPECT_EQ(state.alert->finding.remedy, first.remedy);
  EXPECT_FALSE(state.alert->finding.is_in_caches_only);
}

TEST(Lifecycle, the_id_is_safe_whatever_the_subject_is_called) {
  auto hostile = finding(Code::mx_invalid, Severity::high);
  hostile.subject.name = "../<b>\x1b[31m" + std::string(600, 'x');
  const auto found = trouble(hostile);
  const auto state = follow(std::nullopt, seen, &found, 0, kNow);
  EXPECT_THAT(state.alert->id, testing::MatchesRegex("[a-z0-9._-]+"));
  EXPECT_LT(state.alert->id.size(), 300U);
}

TEST(Lifecycle, abandoning_ends_what_fires_and_forgets_what_is_pending) {
  Story story{Code::tlsa_mismatch};
  story.look(seen);
  EXPECT_EQ(abandon(*story.alert(), "no longer watched", kNow).step, Step::forgotten);
  story.look(seen);
  const auto ended = abandon(*story.alert(), "no longer watched", kNow);
  EXPECT_EQ(ended.step, Step::resolved);
  EXPECT_EQ(ended.alert->resolved_at, kNow);
  EXPECT_EQ(ended.reason, "no longer watched");
}

TEST(Lifecycle, only_causes_of_weight_become_alerts) {
  EXPECT_TRUE(is_alertable(finding(Code::tlsa_mismatch, Severity::critical)));
  EXPECT_TRUE(is_alertable(finding(Code::downgrade, Severity::high)));
  EXPECT_FALSE(is_alertable(finding(Code::mx_insecure, Severity::medium)));
  EXPECT_TRUE(is_alertable(finding(Code::predicted_mismatch, Severity::medium)));
  auto consequence = finding(Code::tlsa_lookup_failed, Severity::critical);
  consequence.consequence_of = probes::Code::ds_broken;
  EXPECT_FALSE(is_alertable(consequence));
  EXPECT_TRUE(is_alertable(finding(Code::monitor_fault, Severity::medium)));
}

// ---- whether a look can say that trouble is over

class Conclusive : public testing::Test {
 protected:
  bool about_host(Code code, std::vector<std::string> addresses = {}) {
    judged_ = scene_.judge();
    return is_conclusive(code, addresses, judged_.hosts.front());
  }
  void silence(std::size_t session) {
    auto& one = scene_.mx().sessions[session];
    one.stage = probes::smtp::Stage::connect;
    one.stop = probes::smtp::SessionStop::connect_timeout;
    one.tls.reset();
  }
  support::Scene scene_;
  probes::DomainJudgement judged_;
};

TEST_F(Conclusive, a_host_that_shows_everything_is) {
  EXPECT_TRUE(about_host(Code::tlsa_mismatch, {"192.0.2.1"}));
}

TEST_F(Conclusive, silence_of_the_address_that_showed_the_mismatch_proves_nothing) {
  silence(0);
  EXPECT_FALSE(about_host(Code::tlsa_mismatch, {"192.0.2.1"}));
  EXPECT_TRUE(about_host(Code::tlsa_mismatch, {"2001:db8::1"}));
}

TEST_F(Conclusive, a_failed_tlsa_lookup_proves_nothing_about_certificates) {
  scene_.mx().tlsa = support::failed("_25._tcp.mx.example.test", probes::dns::type::tlsa,
                                     probes::dns::Cause::timeout);
  scene_.mx().records.clear();
  EXPECT_FALSE(about_host(Code::tlsa_mismatch));
  EXPECT_FALSE(about_host(Code::rrsig_expiring));
  EXPECT_TRUE(about_host(Code::address_lookup_failed));
}

TEST_F(Conclusive, a_domain_is_only_with_all_its_hosts) {
  scene_.add_host("mx2.example.test", 20);
  EXPECT_TRUE(is_conclusive(Code::downgrade, scene_.judge()));
  scene_.hosts.erase("mx2.example.test");
  EXPECT_FALSE(is_conclusive(Code::downgrade, scene_.judge()));
  EXPECT_TRUE(is_conclusive(Code::mx_lookup_failed, scene_.judge()));
}

}  // namespace

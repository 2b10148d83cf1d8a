#include "agent/watch/runner.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_world.h"

// The runner on fakes: due, confirm, alert, whatever the disk and the clock do meanwhile.
namespace {

using namespace agent;
using config::Seconds;
using support::fake_settings;
using support::kNow;
using support::soon;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::Optional;

constexpr Seconds kDay = std::chrono::hours{24};

class Running : public testing::Test {
 protected:
  void SetUp() override {
    begin({});
    // Who asks between the two is not told that nothing is watched.
    runner_->take_up();
    EXPECT_EQ(runner_->snapshot()->domains.size(), 1U);
    runner_->start();
    for (int i = 0; i < 3 && !is_judged(); ++i) clocks_.pass(Seconds{60});
    ASSERT_TRUE(soon([&] { return is_judged(); }));
  }

  virtual config::Config settings() const { return fake_settings(); }
  void begin(Recorder::RestoredState restored) {
    context_ = support::fake_context(settings());
    runner_ = std::make_unique<Runner>(settings(), context_, recorder_, std::move(restored),
                                       Events{}, clocks_.clocks(),
                                       [this](const std::shared_ptr<ProbeContext>&)
                                           -> config::Result<std::unique_ptr<Prober>, std::string> {
                                         return std::make_unique<support::FakeProber>(world_);
                                       });
  }

  bool is_judged() const {
    const auto state = runner_->domain("example.test");
    return state && state->judged;
  }
  // Lets time go by, in steps that every look keeps up with, until it is so.
  template <class Condition>
  bool in_time(Seconds most, Condition condition) {
    for (Seconds passed{0}; passed <= most; passed += Seconds{30}) {
      if (condition()) return true;
      clocks_.pass(Seconds{30});
      // Until all that is due is done; every half minute that is a look at ourselves at least.
      const bool is_done = soon([&] {
        const auto now = runner_->snapshot();
        return now->queue_length == 0 && now->in_flight == 0;
      });
      if (!is_done) return false;
    }
    return condition();
  }
  std::vector<Alert> firing(probes::Code code) const {
    std::vector<Alert> out;
    const auto now = runner_->snapshot();
    for (const auto& alert : now->alerts) {
      if (alert.state == AlertState::firing && alert.finding.code == code) out.push_back(alert);
    }
    return out;
  }
  bool is_faulty(const std::string& check) const {
    return std::ranges::any_of(firing(probes::Code::monitor_fault), [&](const Alert& alert) {
      return alert.finding.subject.name == check;
    });
  }
  bool is_noticed(std::uint64_t steps) const {
    return soon([&] { return runner_->snapshot()->clock_steps == steps; });
  }
  void break_host() {
    world_.change([](support::Scene& scene) {
      const auto& pki = support::Pki::get();
      scene.serve({pki.old_leaf.certificate, pki.inter.certificate});
    });
  }
  void mend_host() {
    world_.change([](support::Scene& scene) {
      const auto& pki = support::Pki::get();
      scene.serve({pki.leaf.certificate, pki.inter.certificate});
    });
  }
  std::vector<std::string> recorded_letters() const {
    std::vector<std::string> out;
    for (const auto& round : recorder_.rounds()) {
      for (const auto& notification : round.notifications) out.push_back(notification.id);
    }
    return out;
  }

  std::ptrdiff_t letters_about(probes::Code code) const {
    std::ptrdiff_t out = 0;
    for (const auto& round : recorder_.rounds())
      out += std::ranges::count(round.notifications, code,
                                [](const auto& one) { return one.alert.finding.code; });
    return out;
  }

  support::FakeClocks clocks_;
  support::FakeWorld world_;
  support::FakeRecorder recorder_;
  std::shared_ptr<ProbeContext> context_;
  std::unique_ptr<Runner> runner_;
};

TEST_F(Running, confirms_what_it_sees_and_tells_people) {
  break_host();
  ASSERT_TRUE(in_time(Seconds{1200}, [&] { return !firing(probes::Code::tlsa_mismatch).empty(); }));
  // Whoever reads the two clocks while one of them moves takes it for a step, and waits with
  // letters.
  EXPECT_TRUE(
      in_time(Seconds{1200}, [&] { return letters_about(probes::Code::tlsa_mismatch) == 1; }));
  EXPECT_TRUE(runner_->unrecorded_notifications().empty()) << "the outbox on disk has it";
}

TEST_F(Running, people_are_told_from_memory_while_the_disk_is_full_under_the_id_that_is_recorded) {
  recorder_.is_full = true;
  break_host();
  ASSERT_TRUE(in_time(Seconds{1200}, [&] { return !firing(probes::Code::tlsa_mismatch).empty(); }));
  ASSERT_TRUE(in_time(Seconds{300}, [&] { return is_faulty("storage"); }));
  ASSERT_TRUE(soon([&] { return runner_->unrecorded_notifications().size() == 2; }));
  EXPECT_THAT(runner_->health().unrecorded, Optional(HasSubstr("disk full")));
  EXPECT_EQ(runner_->health().stall, std::nullopt) << "it looks on";
  std::vector<std::string> told;
  for (const auto& notification : runner_->unrecorded_notifications())
    told.push_back(notification.id);
  EXPECT_TRUE(recorded_letters().empty());
  recorder_.is_full = false;
  ASSERT_TRUE(in_time(Seconds{300}, [&] { return !is_faulty("storage"); }));
  ASSERT_TRUE(soon([&] { return runner_->snapshot()->unrecorded_rounds == 0; }));
  const auto recorded = recorded_letters();
  for (const auto& id : told) EXPECT_THAT(recorded, Contains(id));
  EXPECT_EQ(runner_->health().unrecorded, std::nullopt);
  for (const auto& round : recorder_.rounds()) EXPECT_EQ(round.gap, std::nullopt) << "all was kept";
}

TEST_F(Running, damage_of_what_was_recorded_is_a_fault_of_its_own_and_it_looks_on) {
  recorder_.is_damaged = true;
  ASSERT_TRUE(in_time(Seconds{600}, [&] { return is_faulty("storage"); }));
  EXPECT_EQ(runner_->health().unrecorded, std::nullopt) << "what is seen is recorded";
  EXPECT_FALSE(recorder_.rounds().empty());
  recorder_.is_damaged = false;
  EXPECT_TRUE(in_time(Seconds{600}, [&] { return !is_faulty("storage"); }));
}

TEST_F(Running, keeps_so_much_of_a_long_outage_and_says_what_it_lost) {
  recorder_.is_full = true;
  for (int i = 0; i < 700; ++i) {
    const auto done = runner_->silence({.matchers = {{.name = "mx", .value = "mx.example.test"}},
                                        .starts_at = kNow,
                                        .ends_at = kNow + kDay,
                                        .created_by = "test",
                                        .comment = "why"});
    EXPECT_FALSE(done) << "it holds, and is not recorded";
  }
  EXPECT_LE(runner_->snapshot()->unrecorded_rounds, 501U);
  EXPECT_GE(runner_->snapshot()->lost_rounds, 199U);
  recorder_.is_full = false;
  ASSERT_TRUE(in_time(Seconds{120}, [&] { return runner_->snapshot()->unrecorded_rounds == 0; }));
  std::size_t silences = 0;
  const auto rounds = recorder_.rounds();
  for (const auto& round : rounds) silences += round.silences.size();
  EXPECT_EQ(silences, 700U) << "no decision is lost";
  const auto gap =
      std::ranges::find_if(rounds, [](const Round& one) { return one.gap.has_value(); });
  ASSERT_NE(gap, rounds.end());
  EXPECT_GE(gap->gap->rounds, 199U);
  EXPECT_LE(gap->gap->from, gap->gap->until);
}

class AtAProvider : public Running {
 protected:
  void SetUp() override {
    world_.change([](support::Scene& scene) {
      for (auto& session : scene.mx().sessions) {
        session.stage = probes::smtp::Stage::banner;
        session.stop = probes::smtp::SessionStop::negative_reply;
        session.last_reply = probes::smtp::Reply{.code = 421};
        session.tls.reset();
      }
    });
    Running::SetUp();
  }
  config::Config settings() const override {
    auto out = fake_settings();
    out.politeness.own_hosts_too = true;
    return out;
  }
  std::vector<Spared> recorded() const {
    std::vector<Spared> out;
    for (const auto& round : recorder_.rounds()) out = round.spared.value_or(out);
    return out;
  }
};

TEST_F(AtAProvider, that_sends_the_first_probe_away_it_is_known_to_whoever_goes_on) {
  ASSERT_TRUE(in_time(Seconds{300}, [&] { return !runner_->snapshot()->spared.empty(); }));
  std::set<std::string> names;
  const auto snapshot = runner_->snapshot();
  for (const auto& one : snapshot->spared) {
    names.insert(one.provider);
    EXPECT_EQ(one.times, 1) << "one probe";
  }
  // By the first name other hosts are known that nobody has looked for yet.
  EXPECT_THAT(names, testing::ElementsAre("192.0.2.0/24", "2001:db8:0::/48", "example.test"));
  // With whatever is decided next.
  ASSERT_TRUE(in_time(Seconds{3600}, [&] { return !recorded().empty(); }));
  auto spared = recorded().front();
  runner_.reset();
  spared.until = clocks_.now() + Seconds{60};
  begin({.spared = {spared}});
  EXPECT_EQ(runner_->snapshot()->spared, std::vector{spared});
}

class StepOfTheClock : public Running, public testing::WithParamInterface<Seconds> {};

TEST_P(StepOfTheClock, everybody_is_looked_at_anew_and_it_is_said) {
  const auto looks = world_.looks("mx.example.test");
  clocks_.set(GetParam());
  EXPECT_TRUE(is_noticed(1));
  EXPECT_TRUE(in_time(Seconds{90}, [&] { return world_.looks("mx.example.test") > looks; }));
  EXPECT_TRUE(in_time(Seconds{300}, [&] { return is_faulty("clock"); }));
  EXPECT_EQ(runner_->health().stall, std::nullopt);
  EXPECT_EQ(runner_->snapshot()->clock_steps, 1U);
  // It goes on as before, not only once.
  const auto later = world_.looks("example.test");
  EXPECT_TRUE(in_time(Seconds{2000}, [&] { return world_.looks("example.test") > later + 1; }));
  EXPECT_TRUE(in_time(Seconds{1200}, [&] { return !is_faulty("clock"); })) << "it holds since";
  const auto rounds = recorder_.rounds();
  EXPECT_EQ(
      std::ranges::count_if(rounds, [](const Round& one) { return one.clock_step.has_value(); }),
      1);
}

TEST_P(StepOfTheClock, an_alert_is_confirmed_told_and_ended_across_it) {
  break_host();
  ASSERT_TRUE(in_time(Seconds{1200}, [&] { return !firing(probes::Code::tlsa_mismatch).empty(); }));
  const auto before = firing(probes::Code::tlsa_mismatch).front();
  clocks_.set(GetParam());
  EXPECT_TRUE(is_noticed(1));
  EXPECT_TRUE(in_time(Seconds{300}, [&] { return is_faulty("clock"); }));
  const auto after = firing(probes::Code::tlsa_mismatch);
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after.front().id, before.id);
  EXPECT_LE(*after.front().told_at, clocks_.now());
  mend_host();
  // Caches may hold what the host refused for an hour.
  ASSERT_TRUE(
      in_time(Seconds{3 * 3600}, [&] { return firing(probes::Code::tlsa_mismatch).empty(); }));
  const auto is_end = [&](const std::string& id) {
    return id.starts_with(before.id) && id.find("/resolved/") != std::string::npos;
  };
  EXPECT_TRUE(soon([&] { return std::ranges::any_of(recorded_letters(), is_end); }))
      << "who heard of it hears of its end";
}

INSTANTIATE_TEST_SUITE_P(Steps, StepOfTheClock,
                         testing::Values(-Seconds{3600}, -kDay, -40 * kDay, Seconds{3600},
                                         40 * kDay));

TEST_F(Running, survives_a_clock_that_goes_forward_and_comes_back) {
  const auto silence = runner_->silence({.matchers = {{.name = "mx", .value = "mx.example.test"}},
                                         .starts_at = clocks_.now(),
                                         .ends_at = clocks_.now() + kDay,
                                         .created_by = "test",
                                         .comment = "why"});
  ASSERT_TRUE(silence);
  clocks_.set(40 * kDay);
  ASSERT_TRUE(is_noticed(1));
  ASSERT_TRUE(in_time(Seconds{300}, [&] { return is_faulty("clock"); }));
  runner_->forget(clocks_.now() - 30 * kDay);
  clocks_.set(-40 * kDay);
  ASSERT_TRUE(is_noticed(2));
  EXPECT_EQ(recorder_.forgot_before, 0)
      << "no history is deleted for its age while time is doubtful";
  ASSERT_EQ(runner_->snapshot()->silences.size(), 1U);
  EXPECT_LT(clocks_.now(), runner_->snapshot()->silences.front().ends_at);
  const auto looks = world_.looks("mx.example.test");
  EXPECT_TRUE(in_time(Seconds{1200}, [&] { return world_.looks("mx.example.test") > looks; }));
}

TEST_F(Running, workers_that_do_not_come_back_are_missed) {
  world_.stick(true);
  runner_->check_now("example.test");
  ASSERT_TRUE(soon([&] { return runner_->snapshot()->in_flight == 2; }));
  clocks_.pass(Seconds{600});
  EXPECT_EQ(runner_->health().stall, std::nullopt) << "a look may take so long";
  clocks_.pass(Seconds{120});
  EXPECT_THAT(runner_->health().stall, Optional(HasSubstr("stuck")));
  clocks_.set(-40 * kDay);
  EXPECT_THAT(runner_->health().stall, Optional(HasSubstr("stuck"))) << "whatever the clock says";
  world_.stick(false);
  EXPECT_TRUE(soon([&] { return !runner_->health().stall; }));
}

TEST_F(Running, a_look_without_memory_is_lost_and_is_our_own_fault) {
  const auto verdict = runner_->domain("example.test")->judged->verdict;
  world_.is_starved = true;
  // Either target may be the first that is due.
  const auto looks = [&] { return world_.looks("example.test") + world_.looks("mx.example.test"); };
  const auto before = looks();
  ASSERT_TRUE(in_time(Seconds{1200}, [&] { return is_faulty("looks"); }));
  EXPECT_GT(looks(), before);
  const auto now = runner_->snapshot();
  for (const auto& alert : now->alerts)
    EXPECT_EQ(alert.finding.code, probes::Code::monitor_fault) << "nobody else is blamed";
  EXPECT_EQ(runner_->domain("example.test")->judged->verdict, verdict);
  EXPECT_EQ(runner_->health().stall, std::nullopt) << "it tries on";
  world_.is_starved = false;
  EXPECT_TRUE(in_time(Seconds{1800}, [&] { return !is_faulty("looks"); }));
}

TEST_F(Running, goes_on_after_a_restart_with_what_it_told) {
  break_host();
  ASSERT_TRUE(in_time(Seconds{1200}, [&] { return !firing(probes::Code::tlsa_mismatch).empty(); }));
  ASSERT_TRUE(
      in_time(Seconds{1200}, [&] { return letters_about(probes::Code::tlsa_mismatch) == 1; }));
  const auto before = firing(probes::Code::tlsa_mismatch);
  runner_->stop();
  begin({.alerts = before});
  runner_->take_up();
  runner_->start();
  ASSERT_TRUE(in_time(Seconds{1200}, [&] { return is_judged(); }));
  const auto looks = world_.looks("mx.example.test");
  ASSERT_TRUE(in_time(Seconds{3600}, [&] { return world_.looks("mx.example.test") > looks + 1; }));
  const auto after = firing(probes::Code::tlsa_mismatch);
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after[0].id, before[0].id);
  EXPECT_EQ(after[0].opened_at, before[0].opened_at);
  EXPECT_EQ(letters_about(probes::Code::tlsa_mismatch), 1) << "nobody is told twice";
  mend_host();
  EXPECT_TRUE(in_time(Seconds{7200}, [&] { return firing(probes::Code::tlsa_mismatch).empty(); }));
  EXPECT_TRUE(in_time(Seconds{1200}, [&] {
    return letters_about(probes::Code::tlsa_mismatch) == 2;
  })) << "the end is told, too";
}

TEST_F(Running, a_look_that_a_reload_overtakes_is_followed_by_what_is_configured_now) {
  world_.stick(true);
  runner_->check_now("example.test");
  ASSERT_TRUE(soon([&] { return runner_->snapshot()->in_flight > 0; }));
  const auto before = recorder_.rounds().size();
  auto changed = settings();
  changed.domains[0].role = config::Role::outbound;
  changed.domains[0].group = "partners";
  runner_->reconfigure(changed, context_);
  EXPECT_EQ(runner_->domain("example.test")->configured->role, config::Role::outbound)
      << "a reload waits for no look";
  break_host();
  world_.stick(false);
  ASSERT_TRUE(in_time(Seconds{7200}, [&] { return !firing(probes::Code::tlsa_mismatch).empty(); }));
  const auto rounds = recorder_.rounds();
  for (auto i = before; i < rounds.size(); ++i) {
    for (const auto& state : rounds[i].judged) EXPECT_EQ(state.configured->group, "partners");
  }
  EXPECT_EQ(firing(probes::Code::tlsa_mismatch)[0].finding.severity, probes::Severity::high)
      << "a partner's";
}

TEST_F(Running, who_leaves_while_it_is_looked_at_is_neither_recorded_nor_probed_again) {
  world_.stick(true);
  runner_->check_now("example.test");
  ASSERT_TRUE(soon([&] { return runner_->snapshot()->in_flight == 2; })) << "the host as well";
  auto nobody = settings();
  nobody.domains.clear();
  runner_->reconfigure(nobody, context_);
  EXPECT_TRUE(runner_->snapshot()->domains.empty());
  const auto before = recorder_.rounds().size();
  break_host();
  world_.stick(false);
  ASSERT_TRUE(soon([&] { return runner_->snapshot()->in_flight == 0; }));
  const auto looks = world_.looks("example.test") + world_.looks("mx.example.test");
  EXPECT_FALSE(in_time(Seconds{7200}, [&] {
    return world_.looks("example.test") + world_.looks("mx.example.test") > looks;
  }));
  const auto rounds = recorder_.rounds();
  for (auto i = before; i < rounds.size(); ++i) {
    EXPECT_EQ(rounds[i].host, nullptr);
    EXPECT_EQ(rounds[i].domain, nullptr);
    EXPECT_TRUE(rounds[i].judged.empty());
  }
  EXPECT_TRUE(firing(probes::Code::tlsa_mismatch).empty());
  EXPECT_TRUE(runner_->snapshot()->hosts.empty());
}

TEST_F(Running, a_past_that_cannot_be_read_is_read_by_the_next_look) {
  runner_->stop();
  recorder_.is_unreadable = true;
  begin({});
  runner_->start();
  ASSERT_TRUE(in_time(Seconds{120}, [&] { return is_judged(); }));
  EXPECT_TRUE(runner_->snapshot()->rollovers.empty());
  recorder_.is_unreadable = false;
  runner_->check_now("example.test");
  EXPECT_TRUE(in_time(Seconds{1200}, [&] { return is_judged(); }));
}

}  // namespace

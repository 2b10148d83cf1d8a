#include <algorithm>
#include <deque>
#include <memory>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/fleet/dispatcher.h"
#include "agent/fleet/remote_prober.h"
#include "agent/fleet/sent_look.h"
#include "tests/support/fake_world.h"

// One agent leads and another looks for it, in one process, with a board in memory: each has a
// world of its own to look at.
namespace {

using namespace agent;
using config::Seconds;
using support::kNow;
using support::soon;

// What several boards share.
struct Table {
  std::mutex mutex;
  std::map<std::pair<std::string, Target>, std::string> tasks;  // and who has it
  std::deque<SentLook> looks;
  bool is_away = false;
};

class FakeBoard final : public TaskBoard {
 public:
  FakeBoard(Table& table, std::string name, std::string vantage)
      : table_(table), name_(std::move(name)), vantage_(std::move(vantage)) {}
  Result<> clear() override {
    return done([&] {
      table_.tasks.clear();
      table_.looks.clear();
    });
  }
  Result<> hand_out(const std::string& vantage, const std::vector<Target>& targets) override {
    return done([&] {
      for (const auto& target : targets) table_.tasks.emplace(std::pair{vantage, target}, "");
    });
  }
  Result<> withdraw(const std::string& vantage, const std::vector<Target>& targets) override {
    return done([&] {
      for (const auto& target : targets) table_.tasks.erase({vantage, target});
    });
  }
  Result<std::vector<SentLook>> collect(std::size_t most, config::Time) override {
    std::vector<SentLook> out;
    auto did = done([&] {
      while (!table_.looks.empty() && out.size() < most) {
        out.push_back(std::move(table_.looks.front()));
        table_.looks.pop_front();
      }
    });
    if (!did) return config::Failure<std::string>(did.error());
    return out;
  }
  Result<std::vector<Target>> lease(std::size_t most, Seconds) override {
    std::vector<Target> out;
    auto did = done([&] {
      for (auto& [task, who] : table_.tasks) {
        if (task.first != vantage_ || !who.empty() || out.size() == most) continue;
        who = name_;
        out.push_back(task.second);
      }
    });
    if (!did) return config::Failure<std::string>(did.error());
    return out;
  }
  Result<> send(const std::vector<SentLook>& looks, config::Time) override {
    return done([&] {
      for (auto look : looks) {
        if (table_.tasks.erase({vantage_, look.target}) == 0) continue;
        look.vantage = vantage_;
        look.agent = name_;
        table_.looks.push_back(std::move(look));
      }
    });
  }
  Result<> renew(Seconds) override {
    return done([] {});
  }
  Result<> release() override {
    return done([&] {
      for (auto& [task, who] : table_.tasks) {
        if (who == name_) who.clear();
      }
    });
  }
  void wait(std::chrono::milliseconds) override {
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }

 private:
  template <class Work>
  Result<> done(Work work) {
    const std::scoped_lock lock(table_.mutex);
    if (table_.is_away) return config::Failure<std::string>("the database is away");
    work();
    return {};
  }
  Table& table_;
  const std::string name_, vantage_;
};

config::Config settings(const std::string& vantage) {
  auto out = support::fake_settings();
  out.agent = {.name = "agent-" + vantage, .vantage = vantage};
  return out;
}

class AFleet : public testing::Test {
 protected:
  void begin(unsigned quorum) {
    auto mine = settings("here");
    mine.fleet.quorum = quorum;
    leader_ = std::make_unique<Runner>(mine, support::fake_context(mine), recorder_,
                                       Recorder::RestoredState{}, Events{}, clocks_.clocks(),
                                       looks_at(here_));
    leader_->start();
    dispatcher_ = std::make_unique<Dispatcher>(
        *leader_, std::make_unique<FakeBoard>(table_, "agent-here", "here"), "here",
        Dispatcher::Calls{.lookers = [this] { return std::optional{lookers()}; },
                          .on_fault = [](const std::string&) {},
                          .on_recovery = [] {}},
        clocks_.clocks());
    const auto theirs = settings("there");
    far_ =
        std::make_unique<RemoteProber>(theirs, support::fake_context(theirs),
                                       std::make_unique<FakeBoard>(table_, "agent-there", "there"),
                                       std::make_unique<FakeBoard>(table_, "agent-there", "there"),
                                       RemoteProber::Calls{.on_fault = [](const std::string&) {}},
                                       clocks_.clocks(), looks_at(there_));
    ASSERT_TRUE(in_time(Seconds{600}, [&] { return places().size() == 2; }));
  }
  static Runner::MakeProber looks_at(support::FakeWorld& world) {
    return [&world](const std::shared_ptr<ProbeContext>&)
               -> config::Result<std::unique_ptr<Prober>, std::string> {
      return std::make_unique<support::FakeProber>(world);
    };
  }
  Lookers lookers() const { return is_far_gone_ ? Lookers{} : Lookers{{"there", 1U}}; }
  std::vector<Snapshot::SeenFrom> places() const {
    const auto now = leader_->snapshot();
    return now->places.size() == 0 ? std::vector<Snapshot::SeenFrom>{} : now->places[0];
  }
  // Lets time go by until it is so; between two steps all that is due is done.
  template <class Condition>
  bool in_time(Seconds most, Condition condition) {
    for (Seconds passed{0}; passed <= most; passed += Seconds{30}) {
      if (condition()) return true;
      clocks_.pass(Seconds{30});
      const bool is_done = soon([&] {
        const auto now = leader_->snapshot();
        const std::scoped_lock lock(table_.mutex);
        return now->queue_length == 0 && now->in_flight == 0 &&
               (table_.is_away || (table_.tasks.empty() && table_.looks.empty()));
      });
      if (!is_done) return false;
    }
    return soon(condition);
  }
  std::vector<Alert> firing(probes::Code code) const {
    std::vector<Alert> out;
    const auto now = leader_->snapshot();
    for (const auto& alert : now->alerts) {
      if (alert.state == AlertState::firing && alert.finding.code == code) out.push_back(alert);
    }
    return out;
  }
  bool is_found(probes::Code code) const {
    const auto state = leader_->domain("example.test");
    return state && state->judged &&
           std::ranges::any_of(state->judged->findings,
                               [&](const probes::Finding& one) { return one.code == code; });
  }
  static void break_host(support::FakeWorld& world) {
    world.change([](support::Scene& scene) {
      const auto& pki = support::Pki::get();
      scene.serve({pki.old_leaf.certificate, pki.inter.certificate});
    });
  }
  static void mend_host(support::FakeWorld& world) {
    world.change([](support::Scene& scene) {
      const auto& pki = support::Pki::get();
      scene.serve({pki.leaf.certificate, pki.inter.certificate});
    });
  }

  support::FakeClocks clocks_;
  support::FakeWorld here_, there_;
  support::FakeRecorder recorder_;
  Table table_;
  std::atomic<bool> is_far_gone_{false};
  std::unique_ptr<Runner> leader_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<RemoteProber> far_;
};

TEST_F(AFleet, looks_at_each_host_from_each_place_now_and_then) {
  begin(1);
  EXPECT_EQ(places().at(0).vantage, "here");
  EXPECT_EQ(places().at(1).vantage, "there");
  EXPECT_EQ(places().at(1).agent, "agent-there");
  const auto before = there_.looks("mx.example.test");
  ASSERT_TRUE(in_time(Seconds{3900}, [&] { return there_.looks("mx.example.test") > before; }));
  EXPECT_LE(there_.looks("mx.example.test"), before + 2);
}

TEST_F(AFleet, alerts_of_what_one_place_sees_where_one_is_enough) {
  begin(1);
  break_host(there_);
  ASSERT_TRUE(in_time(Seconds{7200}, [&] { return !firing(probes::Code::tlsa_mismatch).empty(); }));
  mend_host(there_);
  ASSERT_TRUE(in_time(Seconds{14400}, [&] { return firing(probes::Code::tlsa_mismatch).empty(); }));
}

TEST_F(AFleet, tells_of_what_fewer_than_the_quorum_see_that_places_differ) {
  begin(2);
  break_host(there_);
  ASSERT_TRUE(in_time(Seconds{7200}, [&] { return is_found(probes::Code::selective_starttls); }));
  EXPECT_TRUE(firing(probes::Code::tlsa_mismatch).empty());
  EXPECT_FALSE(is_found(probes::Code::tlsa_mismatch));
}

TEST_F(AFleet, alerts_of_what_the_quorum_sees) {
  begin(2);
  break_host(here_);
  EXPECT_FALSE(
      in_time(Seconds{1800}, [&] { return !firing(probes::Code::tlsa_mismatch).empty(); }));
  break_host(there_);
  ASSERT_TRUE(in_time(Seconds{3600}, [&] { return !firing(probes::Code::tlsa_mismatch).empty(); }));
}

TEST_F(AFleet, goes_on_by_itself_when_the_others_go) {
  begin(2);
  is_far_gone_ = true;
  break_host(here_);
  ASSERT_TRUE(in_time(Seconds{3600}, [&] { return !firing(probes::Code::tlsa_mismatch).empty(); }));
}

TEST_F(AFleet, goes_on_when_the_database_comes_back) {
  begin(1);
  {
    const std::scoped_lock lock(table_.mutex);
    table_.is_away = true;
  }
  clocks_.pass(Seconds{60});
  break_host(there_);
  EXPECT_TRUE(in_time(Seconds{600}, [&] { return true; }));
  {
    const std::scoped_lock lock(table_.mutex);
    table_.is_away = false;
  }
  EXPECT_TRUE(in_time(Seconds{7200}, [&] { return !firing(probes::Code::tlsa_mismatch).empty(); }));
}

TEST(SentLooks, get_the_time_of_whoever_follows_them) {
  auto host = support::Scene().mx();
  host.observed_at = kNow;
  const probes::Recorded look{.host = std::make_shared<const probes::HostObservation>(host)};
  const auto moved = [&](Seconds shift, config::Time now) {
    return with_times_moved(look, shift, now).observed_at() - kNow;
  };
  const auto later = kNow + Seconds{100};
  EXPECT_EQ(moved(Seconds{2}, later), Seconds{0}) << "clocks that agree";
  EXPECT_EQ(moved(Seconds{-30}, later), Seconds{-30});
  EXPECT_EQ(moved(Seconds{30}, later), Seconds{30});
  EXPECT_EQ(moved(Seconds{300}, later), Seconds{100}) << "nothing was seen later than now";
}

TEST(SentLooks, are_of_the_target_that_was_asked_for) {
  const probes::Recorded look{
      .host = std::make_shared<const probes::HostObservation>(support::Scene().mx())};
  const auto host = support::name("mx.example.test");
  EXPECT_TRUE(is_of(look, {.kind = Target::Kind::host, .name = host}));
  EXPECT_FALSE(is_of(look, {.kind = Target::Kind::domain, .name = host}));
  EXPECT_FALSE(
      is_of(look, {.kind = Target::Kind::host, .name = support::name("mx2.example.test")}));
}

}  // namespace

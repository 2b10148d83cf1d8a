#include <atomic>
#include <csignal>
#include <fstream>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/alerts/alert_book.h"
#include "agent/notify/courier.h"
#include "storage/outbox.h"
#include "tests/unit/storage/store.h"

// The process is killed at every step between a decision and the mark that it was told, and started
// again: nothing decided is lost, and what is repeated has the same id.
namespace {

using support::kMinute;
using support::kNow;
using support::Scene;

// Kills the process at one of the steps that it is told of.
class Fate {
 public:
  explicit Fate(int deadly) : deadly_(deadly) {}
  void step() {
    if (++steps_ == deadly_) raise(SIGKILL);
  }

 private:
  const int deadly_;  // 0: none
  std::atomic<int> steps_{0};
};

class FatefulOutbox final : public agent::Outbox {
 public:
  FatefulOutbox(agent::Outbox& outbox, Fate& fate) : outbox_(outbox), fate_(fate) {}

  config::Result<std::vector<agent::QueuedNotification>, agent::RecordFault> due(
      const std::string& notifier, config::Time at, std::size_t most) override {
    auto posts = outbox_.due(notifier, at, most);
    if (posts && !posts->empty()) fate_.step();  // taken, not sent
    return posts;
  }
  config::Result<void, agent::RecordFault> delivered(const std::string& id,
                                                     config::Time at) override {
    fate_.step();  // sent, not marked
    auto done = outbox_.delivered(id, at);
    fate_.step();  // marked
    return done;
  }
  config::Result<void, agent::RecordFault> failed(const std::string& id, config::Time next,
                                                  const std::string& why) override {
    return outbox_.failed(id, next, why);
  }
  config::Result<std::size_t, agent::RecordFault> waiting(const std::string& notifier) override {
    return outbox_.waiting(notifier);
  }
  config::Result<std::optional<std::string>, agent::RecordFault> notifier_state(
      const std::string& key) override {
    return outbox_.notifier_state(key);
  }
  config::Result<void, agent::RecordFault> keep_notifier_state(
      const std::string& key, const std::optional<std::string>& value) override {
    return outbox_.keep_notifier_state(key, value);
  }

 private:
  agent::Outbox& outbox_;
  Fate& fate_;
};

// Somebody who writes down what arrives, and does not forget when the agent dies.
class Diary final : public agent::EventNotifier {
 public:
  Diary(std::filesystem::path file, Fate& fate) : file_(std::move(file)), fate_(fate) {}
  std::string name() const override { return "diary"; }
  agent::Delivered deliver(const agent::QueuedNotification& post, const std::stop_token&) override {
    fate_.step();
    std::ofstream(file_, std::ios::app) << post.id << '\n' << std::flush;
    fate_.step();  // it arrived, we have not heard so
    return {};
  }

 private:
  std::filesystem::path file_;
  Fate& fate_;
};

// The agent's life: four looks a minute apart, of which two see a mismatch. It goes on where the
// database says that it was, and ends when all notifications are out.
class Life {
 public:
  Life(const storage::Place& place, std::filesystem::path diary, int deadly)
      : place_(place), diary_(std::move(diary)), fate_(deadly), recorder_(open()) {}

  void run() {
    auto opened = storage::DatabaseOutbox::open(place_);
    if (!opened) _exit(2);
    FatefulOutbox outbox(**opened, fate_);
    agent::Courier courier(
        outbox, [] { return kNow + 60 * kMinute; }, [] { return nullptr; },
        [](const std::string&, const std::string&) {});
    agent::Notifiers notifiers;
    notifiers.event_notifiers.push_back(std::make_unique<Diary>(diary_, fate_));
    courier.set_notifiers(std::move(notifiers));
    auto restored = recorder_->restore(kNow);
    if (!restored) _exit(3);
    agent::AlertBook book(std::move(restored->alerts), {});
    for (int i = looks_done(); i < 4; ++i) {
      look(book, kNow + i * kMinute, i < 2);
      courier.wake();
    }
    while (outbox.waiting("diary").value_or(0) > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    _exit(0);
  }

 private:
  std::unique_ptr<storage::DatabaseRecorder> open() {
    auto opened = storage::DatabaseRecorder::open(place_);
    if (!opened) _exit(1);
    return std::move(*opened);
  }

  int looks_done() {
    storage::Database db{place_, storage::Database::Mode::read_only};
    if (db.integer("SELECT count(*) FROM version") == 0) return 0;
    const auto last = db.integer("SELECT max(last_seen) FROM version");
    return static_cast<int>((last - kNow.time_since_epoch().count()) / 60) + 1;
  }

  void look(agent::AlertBook& book, config::Time at, bool is_mismatch) {
    const probes::Subject subject{.kind = probes::Subject::Kind::host, .name = "mx.example.test"};
    std::vector<agent::Trouble> troubles;
    if (is_mismatch)
      troubles.push_back({.cause = subject,
                          .finding = {.code = probes::Code::tlsa_mismatch,
                                      .severity = probes::Severity::critical,
                                      .subject = subject},
                          .domains = {"example.test"}});
    auto round = support::host_round(Scene{}, at);
    book.follow(round, subject, troubles, [](const agent::Alert&) { return true; });
    book.tell(round, {.recipients = {{"diary", probes::Severity::info}}}, {}, false);
    fate_.step();  // decided, not recorded
    if (!recorder_->record(round)) _exit(4);
    fate_.step();  // recorded, not sent
  }

  const storage::Place& place_;
  const std::filesystem::path diary_;
  Fate fate_;
  std::unique_ptr<storage::DatabaseRecorder> recorder_;
};

// How a life ended: true when it was killed.
bool live(const storage::Place& place, const std::filesystem::path& diary, int deadly) {
  const auto child = fork();
  if (child == 0) Life(place, diary, deadly).run();
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return true;
  EXPECT_EQ(WEXITSTATUS(status), 0);
  return false;
}

TEST(Crash, AtEveryStepLosesNothingAndRepeatsAtMostOnceUnderTheSameId) {
  constexpr int kMoreThanThereAre = 100;
  int deaths = 0;
  for (int deadly = 1; deadly < kMoreThanThereAre; ++deadly) {
    SCOPED_TRACE(fmt::format("killed at step {}", deadly));
    const support::TemporaryFolder folder;
    const support::TestDatabase database;
    const auto file = folder.path() / "diary";
    const bool was_killed = live(database.place(), file, deadly);
    if (was_killed) {
      ++deaths;
      ASSERT_FALSE(live(database.place(), file, 0));
    }
    std::vector<std::string> arrived;
    std::ifstream diary(file);
    for (std::string line; std::getline(diary, line);) arrived.push_back(line);
    std::map<std::string, int> times;
    for (const auto& id : arrived) ++times[id];
    ASSERT_EQ(times.size(), 2U) << "one letter when it opens and one when it is over";
    EXPECT_LE(arrived.size(), 3U) << "at worst one of them twice";
    EXPECT_NE(arrived.front().find("/opened/"), std::string::npos);
    EXPECT_NE(arrived.back().find("/resolved/"), std::string::npos);
    if (!was_killed) break;
  }
  EXPECT_GE(deaths, 18) << "four looks of two steps, two letters of five";
}

}  // namespace

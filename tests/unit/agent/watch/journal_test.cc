#include "agent/watch/journal.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <numeric>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

// A disk that is slow: everything that is recorded waits until the test lets it through.
namespace {

using agent::Journal;
using support::kNow;
using testing::HasSubstr;

constexpr std::chrono::minutes kPatience{1};  // the bound of what is there at once

class SlowRecorder final : public agent::Recorder {
 public:
  template <class T>
  using Answer = config::Result<T, agent::RecordFault>;

  void let_through() {
    const std::scoped_lock lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  void until_busy() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return is_busy_; });
  }
  [[nodiscard]] std::vector<agent::Round> rounds() {
    const std::scoped_lock lock(mutex_);
    return rounds_;
  }

  Answer<void> record_all(const std::vector<const agent::Round*>& rounds) override {
    std::unique_lock lock(mutex_);
    is_busy_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return is_open_; });
    sizes_.push_back(rounds.size());
    for (const auto* round : rounds) rounds_.push_back(*round);
    return {};
  }
  [[nodiscard]] std::vector<std::size_t> sizes() {
    const std::scoped_lock lock(mutex_);
    return sizes_;
  }
  Answer<RestoredState> restore(config::Time) override { return RestoredState{}; }
  Answer<std::map<std::string, config::Time>> protected_domains(config::Time) override {
    return std::map<std::string, config::Time>{};
  }
  Answer<agent::HostHistory> host_history(const probes::dns::Name&, config::Time) override {
    return agent::HostHistory{};
  }
  Answer<agent::Signatures> mx_signatures(const probes::dns::Name&, config::Time) override {
    return agent::Signatures{};
  }
  Answer<agent::ZonePast> zone_past(const probes::dns::Name&, config::Time) override {
    return agent::ZonePast{};
  }
  std::unique_ptr<agent::Chore> forget(config::Time) override { return nullptr; }
  std::unique_ptr<agent::Chore> keep_only(std::vector<config::Domain>) override { return nullptr; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = false, is_busy_ = false;
  std::vector<agent::Round> rounds_;
  std::vector<std::size_t> sizes_;  // how many were recorded in one go
};

agent::Round round_with_letter(int number) {
  agent::Round out{.at = kNow + config::Seconds{number}};
  agent::Notification notification;
  notification.id = "letter-" + std::to_string(number);
  out.notifications.push_back(notification);
  return out;
}

struct Slow {
  SlowRecorder recorder;
  std::atomic<std::int64_t> seconds{0};
  std::atomic<int> recoveries{0};
  Journal journal{recorder, [this] { return agent::Ticks{config::Seconds{seconds.load()}}; },
                  Journal::Events{.on_recovery = [this] { ++recoveries; }}};
  ~Slow() { recorder.let_through(); }
};

TEST(ASlowDisk, IsAFaultOnceWhatWasDecidedWaitsForLongAndPeopleAreToldFromMemory) {
  Slow slow;
  const auto ticket = slow.journal.put(round_with_letter(1));
  slow.recorder.until_busy();
  EXPECT_FALSE(slow.journal.state().fault) << "a disk may take a moment";
  EXPECT_TRUE(slow.journal.unrecorded_notifications().empty());
  slow.seconds = Journal::kLate.count() + 1;
  ASSERT_TRUE(slow.journal.state().fault);
  EXPECT_THAT(*slow.journal.state().fault, HasSubstr("takes long"));
  ASSERT_EQ(slow.journal.unrecorded_notifications().size(), 1U);
  EXPECT_EQ(slow.journal.unrecorded_notifications()[0].id, "letter-1");
  slow.recorder.let_through();
  ASSERT_TRUE(slow.journal.wait(ticket, kPatience));
  EXPECT_FALSE(slow.journal.state().fault);
  EXPECT_TRUE(slow.journal.unrecorded_notifications().empty()) << "the outbox has them now";
  ASSERT_EQ(slow.recorder.rounds().size(), 1U);
  EXPECT_FALSE(slow.recorder.rounds()[0].gap) << "nothing was lost";
}

TEST(Journal, RecordsInOneGoWhatPiledUpMeanwhile) {
  Slow slow;
  slow.journal.put(round_with_letter(0));
  slow.recorder.until_busy();
  constexpr int kMore = 150;
  Journal::Ticket last;
  for (int i = 1; i <= kMore; ++i) last = slow.journal.put(round_with_letter(i));
  slow.recorder.let_through();
  ASSERT_TRUE(slow.journal.wait(last, kPatience));
  EXPECT_THAT(slow.recorder.sizes(),
              testing::ElementsAre(1, Journal::kMostTogether, kMore - Journal::kMostTogether));
  const auto rounds = slow.recorder.rounds();
  ASSERT_EQ(rounds.size(), kMore + 1U);
  for (std::size_t i = 0; i < rounds.size(); ++i)
    EXPECT_EQ(rounds[i].at, kNow + config::Seconds{static_cast<std::int64_t>(i)})
        << "in their order";
}

// Waits in each part until the test lets it go on.
class SlowChore final : public agent::Chore {
 public:
  explicit SlowChore(std::vector<std::size_t>& recorded, SlowRecorder& recorder, int parts)
      : recorded_(recorded), recorder_(recorder), left_(parts) {}
  config::Result<bool, agent::RecordFault> go_on() override {
    recorded_.push_back(recorder_.rounds().size());
    during();
    if (left_ == 0) return config::Failure<agent::RecordFault>({.detail = "no room"});
    return --left_ > 0;
  }
  std::function<void()> during = [] {};  // a part is done

 private:
  std::vector<std::size_t>& recorded_;
  SlowRecorder& recorder_;
  int left_;
};

TEST(AChore, IsDonePartByPartBetweenTheRoundsOnceThoseOfBeforeAreRecorded) {
  Slow slow;
  std::vector<std::size_t> recorded;  // before each part
  slow.journal.put(round_with_letter(0));
  slow.recorder.until_busy();
  slow.journal.put(round_with_letter(1));
  auto chore = std::make_unique<SlowChore>(recorded, slow.recorder, 3);
  Journal::Ticket last;
  int next = 2;
  std::promise<void> done;
  chore->during = [&] {
    last = slow.journal.put(round_with_letter(next++));
    if (next == 5) done.set_value();
  };
  slow.journal.post(std::move(chore));
  slow.recorder.let_through();
  done.get_future().wait();
  ASSERT_TRUE(slow.journal.wait(last, kPatience));
  EXPECT_THAT(recorded, testing::ElementsAre(2, 3, 4));
}

TEST(AChore, ThatFailsIsToldAndGivenUpAndTheNextIsBegun) {
  SlowRecorder recorder;
  recorder.let_through();
  std::vector<std::string> faults;
  std::vector<std::size_t> first, second;
  std::promise<void> done;
  {
    Journal journal{recorder,
                    [] { return agent::Ticks{}; },
                    {.on_fault = [&](const std::string& fault) { faults.push_back(fault); }}};
    journal.post(std::make_unique<SlowChore>(first, recorder, 0));
    journal.post(nullptr);  // nothing to do
    auto next = std::make_unique<SlowChore>(second, recorder, 1);
    next->during = [&] { done.set_value(); };
    journal.post(std::move(next));
    done.get_future().wait();
    EXPECT_FALSE(journal.state().fault) << "rounds are recorded";
  }
  EXPECT_THAT(faults, testing::ElementsAre("no room"));
  EXPECT_EQ(first.size(), 1U);
}

TEST(AChore, IsLeftUndoneAtTheEndAndHoldsUpNoRound) {
  SlowRecorder recorder;
  recorder.let_through();
  std::vector<std::size_t> parts;
  Journal journal{recorder, [] { return agent::Ticks{}; }, {}};
  auto chore = std::make_unique<SlowChore>(parts, recorder, 1'000'000'000);
  std::promise<void> begun;
  chore->during = [&, is_begun = false]() mutable {
    if (!std::exchange(is_begun, true)) begun.set_value();
  };
  journal.post(std::move(chore));
  begun.get_future().wait();
  journal.put(round_with_letter(1));
  journal.stop();
  EXPECT_EQ(recorder.rounds().size(), 1U);
}

TEST(ASlowDisk, ThatIsTooSlowLosesWhatWasSeenButNothingThatWasDecidedAndHistorySaysSo) {
  Slow slow;
  constexpr int kBeyond = 40;
  constexpr int kRounds = static_cast<int>(Journal::kMostWaiting) + kBeyond;
  Journal::Ticket last;
  for (int i = 0; i < kRounds; ++i) {
    last = slow.journal.put(round_with_letter(i));
    if (i == 0) slow.recorder.until_busy();
  }
  EXPECT_EQ(slow.journal.state().waiting, Journal::kMostWaiting);
  EXPECT_EQ(slow.journal.state().lost, static_cast<std::uint64_t>(kBeyond));
  slow.seconds = Journal::kLate.count() + 1;
  EXPECT_EQ(slow.journal.unrecorded_notifications().size(), static_cast<std::size_t>(kRounds));
  slow.recorder.let_through();
  ASSERT_TRUE(slow.journal.wait(last, kPatience));
  std::vector<std::string> recorded;
  std::uint64_t missing = 0;
  for (const auto& round : slow.recorder.rounds()) {
    for (const auto& notification : round.notifications) recorded.push_back(notification.id);
    if (!round.gap) continue;
    missing += round.gap->rounds;
    EXPECT_LT(round.gap->from, round.gap->until);
  }
  EXPECT_EQ(missing, static_cast<std::uint64_t>(kBeyond));
  std::vector<std::string> all;
  for (int i = 0; i < kRounds; ++i) all.push_back("letter-" + std::to_string(i));
  EXPECT_THAT(recorded, testing::UnorderedElementsAreArray(all));
  EXPECT_FALSE(slow.journal.state().fault);
}

}  // namespace

#include "agent/notify/courier.h"

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "agent/notify/notifiers/test_notification.h"
#include "tests/support/scene.h"

// Notifications on their way, with notifiers that fail when they are told to.
namespace {

using namespace agent;
using support::kNow;
using testing::ElementsAre;

// An outbox in memory.
class Box final : public Outbox {
 public:
  void put(const std::string& notifier, const std::string& id) {
    const std::scoped_lock lock(mutex_);
    posts_.push_back({{.id = id, .notifier = notifier, .body = "{}"}, kNow});
  }
  config::Result<std::vector<QueuedNotification>, RecordFault> due(const std::string& notifier,
                                                                   config::Time at,
                                                                   std::size_t most) override {
    const std::scoped_lock lock(mutex_);
    std::vector<QueuedNotification> out;
    for (const auto& [post, next] : posts_) {
      if (post.notifier == notifier && next <= at && out.size() < most) out.push_back(post);
    }
    return out;
  }
  config::Result<void, RecordFault> delivered(const std::string& id, config::Time) override {
    const std::scoped_lock lock(mutex_);
    std::erase_if(posts_, [&](const auto& entry) { return entry.first.id == id; });
    return {};
  }
  config::Result<void, RecordFault> failed(const std::string& id, config::Time next,
                                           const std::string&) override {
    const std::scoped_lock lock(mutex_);
    for (auto& [post, when] : posts_) {
      if (post.id != id) continue;
      ++post.attempts;
      when = next;
      waits_.push_back(next - kNow);
    }
    return {};
  }
  config::Result<std::size_t, RecordFault> waiting(const std::string& notifier) override {
    const std::scoped_lock lock(mutex_);
    std::size_t out = 0;
    for (const auto& [post, next] : posts_) out += post.notifier == notifier ? 1 : 0;
    return out;
  }
  config::Result<std::optional<std::string>, RecordFault> notifier_state(
      const std::string&) override {
    return std::nullopt;
  }
  config::Result<void, RecordFault> keep_notifier_state(
      const std::string&, const std::optional<std::string>&) override {
    return {};
  }
  std::vector<config::Seconds> waits() {
    const std::scoped_lock lock(mutex_);
    return waits_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::pair<QueuedNotification, config::Time>> posts_;
  std::vector<config::Seconds> waits_;
};

struct Pipe {  // what a notifier does, shared with the test
  std::atomic<bool> is_broken{false};
  std::atomic<bool> throws{false};
  std::atomic<bool> hangs{false};       // until it is told to stop
  std::atomic<bool> is_hanging{false};  // it does
  std::mutex mutex;
  std::vector<std::string> out;
  std::vector<std::string> taken() {
    const std::scoped_lock lock(mutex);
    return out;
  }
};

class Scripted final : public EventNotifier {
 public:
  Scripted(std::string name, Pipe& pipe) : name_(std::move(name)), pipe_(pipe) {}
  std::string name() const override { return name_; }
  Delivered deliver(const QueuedNotification& post, const std::stop_token& stop) override {
    if (pipe_.hangs) {
      pipe_.is_hanging = true;
      std::mutex mutex;
      std::condition_variable_any never;
      std::unique_lock lock(mutex);
      never.wait(lock, stop, [] { return false; });
      return config::Failure<std::string>("given up");
    }
    if (pipe_.throws) throw std::runtime_error("a library threw");
    if (pipe_.is_broken) return config::Failure<std::string>("no route");
    const std::scoped_lock lock(pipe_.mutex);
    pipe_.out.push_back(post.id);
    return {};
  }

 private:
  std::string name_;
  Pipe& pipe_;
};

class Crier final : public StateNotifier {
 public:
  explicit Crier(std::atomic<int>& cries) : cries_(cries) {}
  std::string name() const override { return "crier"; }
  config::Seconds every() const override { return std::chrono::hours{1}; }
  Delivered tell(const Snapshot&, const std::stop_token&) override {
    ++cries_;
    return {};
  }

 private:
  std::atomic<int>& cries_;
};

template <class Condition>
bool soon(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return true;
}

class Couriers : public testing::Test {
 protected:
  void set_notifiers() {
    Notifiers notifiers;
    notifiers.event_notifiers.push_back(std::make_unique<Scripted>("chat", chat_));
    notifiers.event_notifiers.push_back(std::make_unique<Scripted>("mail", mail_));
    notifiers.state_notifiers.push_back(std::make_unique<Crier>(cries_));
    courier_.set_notifiers(std::move(notifiers));
  }
  NotifierHealth health(const std::string& name) {
    for (const auto& one : courier_.health()) {
      if (one.name == name) return one;
    }
    return {};
  }

  Box box_;
  Pipe chat_, mail_;
  std::atomic<int> cries_{0};
  std::atomic<std::int64_t> later_{0};
  std::mutex reports_mutex_;
  std::vector<std::string> reports_;
  Courier courier_{box_, [this] { return kNow + config::Seconds{later_}; },
                   [] { return std::make_shared<const Snapshot>(); },
                   [this](const std::string& name, const std::string& fault) {
                     const std::scoped_lock lock(reports_mutex_);
                     reports_.push_back(name + ": " + fault);
                   }};
};

TEST_F(Couriers, BringLettersToTheirNotifierInOrder) {
  box_.put("chat", "1");
  box_.put("mail", "2");
  box_.put("chat", "3");
  set_notifiers();
  EXPECT_TRUE(soon([&] { return chat_.taken().size() == 2 && mail_.taken().size() == 1; }));
  EXPECT_THAT(chat_.taken(), ElementsAre("1", "3"));
  EXPECT_TRUE(soon([&] { return health("chat").delivered == 2; }));
  EXPECT_EQ(health("chat").last_success_at, kNow);
}

TEST_F(Couriers, SendATestAndTellWhatCameOfIt) {
  mail_.is_broken = true;
  set_notifiers();
  const auto told = [](const std::optional<std::vector<Courier::Tested>>& tested) {
    std::vector<std::string> out;
    for (const auto& one : tested.value()) out.push_back(one.name + ": " + one.fault.value_or(""));
    return out;
  };
  constexpr std::chrono::seconds kPatience{20};
  EXPECT_THAT(told(courier_.test("chat", "alice", kPatience)), ElementsAre("chat: "));
  EXPECT_THAT(chat_.taken(), ElementsAre(test_notification("chat", "alice", kNow).id));
  EXPECT_THAT(told(courier_.test(std::nullopt, "", kPatience)),
              ElementsAre("chat: ", "mail: no route", "crier: it tells of no alerts"));
  EXPECT_THAT(told(courier_.test("pigeon", "", kPatience)), ElementsAre());
  mail_.is_broken = false;
  mail_.hangs = true;
  EXPECT_THAT(told(courier_.test("mail", "", std::chrono::milliseconds{1})),
              ElementsAre(testing::StartsWith("mail: no answer yet")));
}

TEST(TestLetters, SayThatTheyAreTests) {
  const auto post = queued_test(test_notification("chat", "alice", kNow));
  const auto body = nlohmann::json::parse(post.body);
  EXPECT_EQ(body["test"], true);
  EXPECT_EQ(body["reason"], "alice asked for a test");
  EXPECT_THAT(body["alert"]["title"], testing::HasSubstr("nothing is wrong"));
  EXPECT_THAT(body["alert"]["fix"], ElementsAre("There is nothing to do."));
}

TEST_F(Couriers, TryAgainEverMoreSeldomAndHoldUpNobodyElse) {
  chat_.is_broken = true;
  set_notifiers();
  box_.put("chat", "1");
  box_.put("mail", "2");
  courier_.wake();
  EXPECT_TRUE(soon([&] { return mail_.taken().size() == 1; }));
  EXPECT_TRUE(soon([&] { return box_.waits().size() == 1; }));
  EXPECT_EQ(health("chat").waiting, 1U);
  EXPECT_EQ(health("chat").fault, "no route");
  later_ = 1000;
  courier_.wake();
  EXPECT_TRUE(soon([&] { return box_.waits().size() == 2; }));
  EXPECT_THAT(box_.waits(), ElementsAre(config::Seconds{5}, config::Seconds{1010}));
  chat_.is_broken = false;
  later_ = 2000;
  courier_.wake();
  EXPECT_TRUE(soon([&] { return chat_.taken().size() == 1; }));
  EXPECT_TRUE(soon([&] { return !health("chat").fault; }));
  const std::scoped_lock lock(reports_mutex_);
  EXPECT_THAT(reports_, ElementsAre("chat: no route", "chat: "))
      << "the first of a row, and the end";
}

TEST_F(Couriers, ALibraryThatThrowsIsAFailureLikeOthers) {
  chat_.throws = true;
  box_.put("chat", "1");
  set_notifiers();
  EXPECT_TRUE(soon([&] { return health("chat").fault == "a library threw"; }));
  EXPECT_EQ(health("chat").waiting, 1U);
}

TEST_F(Couriers, HeraldsTellAtOnceWhenSomethingWasDecided) {
  set_notifiers();
  EXPECT_TRUE(soon([&] { return cries_ == 1; }));
  courier_.wake();
  EXPECT_TRUE(soon([&] { return cries_ == 2; }));
}

TEST_F(Couriers, GoOnWithOtherNotifiersAfterAReload) {
  set_notifiers();
  Notifiers notifiers;
  notifiers.event_notifiers.push_back(std::make_unique<Scripted>("other", chat_));
  courier_.set_notifiers(std::move(notifiers));
  box_.put("other", "1");
  courier_.wake();
  EXPECT_TRUE(soon([&] { return chat_.taken().size() == 1; }));
  EXPECT_EQ(courier_.health().size(), 1U);
}

TEST_F(Couriers, WaitForNobodyWhoHangsAndKeepWhatHeWasGiven) {
  chat_.hangs = true;
  box_.put("chat", "1");
  set_notifiers();
  ASSERT_TRUE(soon([&] { return chat_.is_hanging.load(); }));
  chat_.hangs = false;
  set_notifiers();  // a reload
  EXPECT_TRUE(soon([&] { return chat_.taken().size() == 1; })) << "the next one brings it";
  EXPECT_TRUE(box_.waits().empty()) << "to be told to stop is no failure of the receiver";
  chat_.hangs = true;
  chat_.is_hanging = false;
  box_.put("chat", "2");
  courier_.wake();
  ASSERT_TRUE(soon([&] { return chat_.is_hanging.load(); }));
  courier_.stop();  // returns
  EXPECT_EQ(box_.waiting("chat"), 1U);
}

TEST(BackOff, GrowsToTenMinutes) {
  EXPECT_EQ(back_off(1), config::Seconds{5});
  EXPECT_EQ(back_off(2), config::Seconds{10});
  EXPECT_EQ(back_off(1000), std::chrono::minutes{10});
}

}  // namespace

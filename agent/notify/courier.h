#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/notify/notifiers/notifier.h"
#include "config/mutex.h"

namespace agent {

// How a notifier fares, for the page and the metrics.
struct NotifierHealth {
  std::string name;
  std::size_t waiting = 0;                  // notifications
  std::uint64_t delivered = 0, failed = 0;  // since the start or the last reload
  std::optional<config::Time> last_success_at;
  std::optional<std::string> fault;  // of the last try; null when it went well
  bool tells_people = true;          // of alerts
};

// Brings notifications out, each notifier on a thread of its own, so that a slow one holds up
// nobody. A notification is marked when its notifier took it: whatever ends the process
// between, it is delivered again under the same id. What fails is tried again, ever more seldom,
// and never given up.
class Courier {
 public:
  using Now = std::function<config::Time()>;
  using See = std::function<std::shared_ptr<const Snapshot>()>;
  using Report = std::function<void(const std::string& notifier, const std::string& fault)>;

  // `outbox` outlives the courier. `report` hears of the first failure in a row, and of the end of
  // failures (an empty fault).
  Courier(Outbox& outbox, Now now, See see, Report report);
  ~Courier();  // stop()

  // Starts with these notifiers, or goes on with these instead of those before, and waits for
  // nobody: those are told to stop, and end by themselves. One for which there is no thread has a
  // fault, and gets one as soon as there is something to tell.
  void set_notifiers(Notifiers notifiers);
  // Exchanges under way are broken off; what was not delivered stays in the outbox.
  void stop();
  // Sends a test through the notifier of that name, or through all that tell people, and waits for
  // what comes of it, but not for longer than that. Any thread, one at a time: nothing while
  // another test is under way.
  struct Tested {
    std::string name;
    std::optional<std::string> fault;  // null: it was taken
  };
  [[nodiscard]] std::optional<std::vector<Tested>> test(const std::optional<std::string>& name,
                                                        const std::string& by,
                                                        std::chrono::milliseconds patience);
  // Something was decided: look at once. Any thread.
  void wake();
  // There are notifications, for those who bring notifications.
  void wake_senders();

  [[nodiscard]] std::vector<NotifierHealth> health() const;

 private:
  struct Worker;
  void run(const std::stop_token& stop, Worker& worker, EventNotifier& notifier);
  void run(const std::stop_token& stop, Worker& worker, StateNotifier& notifier);
  void retire();
  void start_missing();
  struct Trial;
  // The test that was asked for, if any.
  void run_test(const std::stop_token& stop, Worker& worker);
  // True when something was delivered.
  bool deliver_due(const std::stop_token& stop, Worker& worker, EventNotifier& notifier);
  void record_result(Worker& worker, const Delivered& done);

  Outbox& outbox_;
  Now now_;
  See see_;
  Report report_;

  mutable config::Mutex mutex_;
  std::condition_variable_any wake_;
  std::uint64_t wakes_ GUARDED_BY(mutex_) = 0;
  std::uint64_t notification_wakes_ GUARDED_BY(mutex_) = 0;
  std::atomic<bool> is_testing_{false};
  std::vector<std::unique_ptr<Worker>> workers_ GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Worker>> retired_ GUARDED_BY(mutex_);  // told to stop
};

// How long after so many failed tries the next one is made.
[[nodiscard]] config::Seconds back_off(int attempts);

}  // namespace agent

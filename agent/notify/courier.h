#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/notify/notifiers/notifier.h"

namespace agent {

// How a notifier fares, for the page and the metrics.
struct NotifierHealth {
  std::string name;
  std::size_t waiting = 0;                  // letters
  std::uint64_t delivered = 0, failed = 0;  // since the start or the last reload
  std::optional<config::Time> last_success_at;
  std::optional<std::string> fault;  // of the last try; null when it went well
};

// Brings letters out, each notifier on a thread of its own, so that a slow one holds up nobody. A
// letter is marked when its notifier took it: whatever ends the process between, it is delivered
// again under the same id. What fails is tried again, ever more seldom, and never given up.
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
  void employ(Notifiers notifiers);
  // Exchanges under way are broken off; what was not delivered stays in the outbox.
  void stop();
  // Something was decided: look at once. Any thread.
  void hurry();
  // There are letters, for those who bring letters.
  void hurry_letters();

  [[nodiscard]] std::vector<NotifierHealth> health() const;

 private:
  struct RestoredState;
  void run(const std::stop_token& stop, RestoredState& desk, EventNotifier& messenger);
  void run(const std::stop_token& stop, RestoredState& desk, StateNotifier& herald);
  void retire();
  void start_missing();
  // True when something was delivered.
  bool deliver_due(const std::stop_token& stop, RestoredState& desk, EventNotifier& messenger);
  void took(RestoredState& desk, const Delivered& done);

  Outbox& outbox_;
  Now now_;
  See see_;
  Report report_;

  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::uint64_t hurries_ = 0;  // guarded by mutex_, as the health of every desk
  std::uint64_t letter_hurries_ = 0;
  std::vector<std::unique_ptr<RestoredState>> desks_;
  std::vector<std::unique_ptr<RestoredState>> retired_;  // told to stop
};

// How long after so many failed tries the next one is made.
[[nodiscard]] config::Seconds back_off(int attempts);

}  // namespace agent

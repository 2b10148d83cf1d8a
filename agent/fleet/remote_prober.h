#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/fleet/task_board.h"
#include "agent/watch/runner.h"
#include "config/mutex.h"

namespace agent {

// Of an agent that another leads: looks at what that one laid out for our vantage, and lays down
// what it saw. It looks with a runner of its own, which watches nothing and knows how well it sees:
// while it does not, it takes no task. Any thread.
class RemoteProber {
 public:
  struct Calls {
    std::function<void(const std::string& fault)> on_fault;
  };
  // `tasks` and `looks`: two of the board, each used by a thread. `context`: to look with.
  RemoteProber(config::Config config, std::shared_ptr<ProbeContext> context,
               std::unique_ptr<TaskBoard> tasks, std::unique_ptr<TaskBoard> looks, Calls calls,
               Clocks clocks, Runner::MakeProber make_prober = {});
  ~RemoteProber();

  void reconfigure(config::Config config, std::shared_ptr<ProbeContext> context);

  // Why it cannot look; empty: it can.
  [[nodiscard]] std::string fault() const;
  // Targets looked at so far.
  [[nodiscard]] std::uint64_t looks() const { return count_; }
  [[nodiscard]] std::optional<std::string> why_stuck() const { return runner_->health().stuck; }

 private:
  class Nowhere;

  void fetch(const std::stop_token& stop);
  void begin(const Target& target);
  void send(const std::stop_token& stop);
  bool is_sent(const std::vector<SentLook>& batch);
  void take(const Target& target, const std::optional<probes::Recorded>& look);

  const std::unique_ptr<TaskBoard> tasks_, looks_;
  const Calls calls_;
  const Clocks clocks_;
  const std::unique_ptr<Recorder> nowhere_;  // nothing is recorded here
  std::atomic<std::uint64_t> count_{0};
  mutable config::Mutex mutex_;
  std::condition_variable_any wake_;
  std::size_t under_way_ GUARDED_BY(mutex_) = 0;
  std::size_t capacity_ GUARDED_BY(mutex_) = 0;
  std::vector<SentLook> done_ GUARDED_BY(mutex_);
  std::unique_ptr<Runner> runner_;
  std::jthread fetching_, sending_;  // last: they use the others
};

}  // namespace agent

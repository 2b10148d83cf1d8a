#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "agent/fleet/task_board.h"
#include "agent/watch/runner.h"

namespace agent {

// How many agents can look from each vantage now, ourselves not among them.
using Lookers = std::map<std::string, unsigned>;

// Their vantages but `own`, for Runner::set_places().
[[nodiscard]] std::set<std::string> vantages_of(const Lookers& lookers, const std::string& own);

// Of the agent that leads: lays out what is due from other places, and what our own workers are too
// busy for, and follows what comes back with the runner. One thread of its own.
class Dispatcher {
 public:
  struct Calls {
    // Null: the database cannot say; then it stays as it was.
    std::function<std::optional<Lookers>()> lookers;
    std::function<void(const std::string& fault)> on_fault;  // once for each that is new
    std::function<void()> on_recovery;
  };
  // `runner` outlives it.
  Dispatcher(Runner& runner, std::unique_ptr<TaskBoard> board, std::string own_vantage, Calls calls,
             Clocks clocks);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

 private:
  struct Task {
    std::string vantage;
    Target target;
    auto operator<=>(const Task&) const = default;
  };

  void work(const std::stop_token& stop);
  void ask_who_is_there();
  void hand_out();
  void take_back();
  void give_up(const std::string& vantage, const std::vector<Target>& targets);
  bool collect();  // whether there may be more
  void take(SentLook look);
  [[nodiscard]] std::optional<probes::Recorded> read(const SentLook& look);
  [[nodiscard]] std::string place(const std::string& vantage) const;  // for the runner
  [[nodiscard]] std::size_t out_at(const std::string& vantage) const;
  bool tell_fault(const std::string& fault);  // empty: none

  Runner& runner_;
  std::unique_ptr<TaskBoard> board_;
  const std::string own_vantage_;
  const Calls calls_;
  const Clocks clocks_;
  Lookers lookers_;
  std::map<Task, Ticks> out_;                   // since when
  std::map<std::string, std::size_t> windows_;  // how many may be out, by vantage
  std::optional<Ticks> asked_at_;
  bool is_clear_ = false;  // of what another has laid out
  std::string fault_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace agent

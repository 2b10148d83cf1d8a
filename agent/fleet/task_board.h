#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "agent/alerts/round.h"
#include "config/result.h"
#include "config/time.h"
#include "probes/dns/message.h"

namespace agent {

// What an agent of the fleet saw for the one that leads.
struct SentLook {
  std::string vantage;
  std::string agent;
  Target target;
  // Of probes::encode(); empty: it could not look.
  probes::dns::Bytes body;
  // To be added to its times so that they are those of the clock of whoever collects.
  config::Seconds shift{0};
};

// Where the agent that leads lays out what others are to look at, and they lay down what they saw.
// Implemented in storage/ for PostgreSQL, and by fakes in tests. One thread at a time calls it. The
// errors say that the database cannot be had; what was asked for was then not done.
class TaskBoard {
 public:
  template <class T = void>
  using Result = config::Result<T, std::string>;

  // Why it was not done; empty: it was.
  template <class T>
  [[nodiscard]] static std::string words_of(const Result<T>& done) {
    return done ? std::string() : done.error();
  }

  TaskBoard() = default;
  TaskBoard(const TaskBoard&) = delete;
  TaskBoard& operator=(const TaskBoard&) = delete;
  virtual ~TaskBoard() = default;

  // --- of the one that leads; refused once another does

  // Takes away whatever is there: another's tasks.
  virtual Result<> clear() = 0;
  virtual Result<> hand_out(const std::string& vantage, const std::vector<Target>& targets) = 0;
  virtual Result<> withdraw(const std::string& vantage, const std::vector<Target>& targets) = 0;
  // The oldest looks, which are then gone from there. `now`: by our clock.
  virtual Result<std::vector<SentLook>> collect(std::size_t most, config::Time now) = 0;

  // --- of the others

  // Tasks for our vantage that nobody has, or had for longer than they were lent; ours for so long.
  virtual Result<std::vector<Target>> lease(std::size_t most, config::Seconds lent_for) = 0;
  // Ours for so long from now on; and nobody's: for whoever has just begun and knows of none.
  virtual Result<> renew(config::Seconds lent_for) = 0;
  virtual Result<> release() = 0;
  // Lays them down; but not those of tasks that are not ours any more. `now`: by our clock.
  virtual Result<> send(const std::vector<SentLook>& looks, config::Time now) = 0;

  // Sleeps until others have laid something down or out, if it is heard of, but no longer.
  virtual void wait(std::chrono::milliseconds longest) = 0;
};

}  // namespace agent

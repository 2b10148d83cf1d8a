#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/alerts/ports.h"
#include "agent/self/clock.h"
#include "agent/watch/probe_counts.h"
#include "config/mutex.h"

namespace agent {

// Has rounds recorded in the order in which they were decided, on a thread of its own, so that a
// disk that is slow, full or locked holds up nobody who looks and decides. What cannot be recorded
// waits in memory and is recorded when that works again. Beyond kMostWaiting rounds only what was
// decided is kept: then what was seen meanwhile is lost, and history says so (Gap). Any thread may
// call.
class Journal {
 public:
  static constexpr std::size_t kMostWaiting = 500;   // rounds
  static constexpr std::size_t kMostTogether = 100;  // recorded in one go
  static constexpr config::Seconds kLate{15};        // waiting for longer is a fault of its own
  static constexpr config::Seconds kTryAgain{2};

  struct State {
    std::optional<std::string> fault;  // why nothing is recorded, in words; null when all is well
    std::uint64_t errors = 0;          // tries that failed
    std::size_t waiting = 0;           // rounds
    std::uint64_t lost = 0;            // rounds of which only the decisions were kept
    Durations recordings;
  };
  struct Events {
    std::function<void()> on_notifications = [] {};  // some were recorded, or could not be
    // A chore failed, or the first try in a row.
    std::function<void(const std::string& fault)> on_fault = [](const std::string&) {};
    std::function<void()> on_recovery = [] {};  // recording works again
  };

  // `recorder` outlives the journal.
  Journal(Recorder& recorder, std::function<Ticks()> ticks, Events events);
  ~Journal();  // stop()
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Takes the round to be recorded.
  struct Ticket {
    std::uint64_t number = 0;
    std::uint64_t failed = 0;  // tries, before
  };
  Ticket put(Round round);
  // Whether it is recorded by then; false as soon as a try failed.
  [[nodiscard]] bool wait(const Ticket& ticket, std::chrono::milliseconds patience);
  // Has it done, once the rounds of before are recorded, part by part between those that come;
  // `on_fault` hears of it when one fails. What is left of it at stop() is left undone.
  void post(std::unique_ptr<Chore> chore);

  // What people are to be told and is not recorded, because that fails or takes long: it has to
  // reach them from here. In the order in which it was decided.
  [[nodiscard]] std::vector<Notification> unrecorded_notifications() const;
  [[nodiscard]] State state() const;

  // Records what waits, but gives up at the first failure.
  void stop();

 private:
  struct Entry {
    Round round;
    Ticks since;
    std::uint64_t number = 0;
  };
  void work(const std::stop_token& stop);
  [[nodiscard]] bool record_together();
  void record_first();
  void go_on_with_chore();
  config::Result<void, RecordFault> record(const Entry& entry);
  void finish(const config::Result<void, RecordFault>& result);
  void set_aside(Entry entry) REQUIRES(mutex_);
  void bound() REQUIRES(mutex_);
  [[nodiscard]] bool is_late() const REQUIRES(mutex_);
  [[nodiscard]] bool has_chore() const REQUIRES(mutex_);

  Recorder& recorder_;
  std::function<Ticks()> ticks_;
  Events events_;

  mutable config::Mutex mutex_;
  std::condition_variable_any wake_;
  std::condition_variable_any done_;
  std::list<Entry> entries_ GUARDED_BY(mutex_);
  // So many of the first are being recorded: nobody touches them.
  std::size_t busy_ GUARDED_BY(mutex_) = 0;
  std::optional<Round> aside_ GUARDED_BY(mutex_);  // decisions of rounds that could not be recorded
  std::uint64_t aside_number_ GUARDED_BY(mutex_) = 0;  // of the latest of them
  std::uint64_t last_number_ GUARDED_BY(mutex_) = 0;
  std::uint64_t recorded_number_ GUARDED_BY(mutex_) = 0;
  std::uint64_t failed_ GUARDED_BY(mutex_) = 0;  // tries
  struct Posted {
    std::unique_ptr<Chore> chore;  // its parts are done without the lock
    std::uint64_t after = 0;       // the number of a round
  };
  std::list<Posted> chores_ GUARDED_BY(mutex_);
  State state_ GUARDED_BY(mutex_);
  std::jthread writer_;  // last: it uses the others
};

}  // namespace agent

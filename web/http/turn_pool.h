#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "config/mutex.h"
#include "web/http/client.h"
#include "web/http/turns.h"

namespace web {

// Few threads that do for clients what costs much, in turns. Nobody who waits here holds a thread.
class TurnPool {
 public:
  // False when it failed and is to count against source and subject. `is_crowded`: others wait.
  // Must not throw.
  using Work = std::function<bool(Client& client, bool is_crowded)>;

  // `on_done` is called by the threads whenever there is something in done().
  TurnPool(std::size_t threads, Turns::Limits limits, Work work, std::function<void()> on_done);
  ~TurnPool();  // those who wait are sent away
  TurnPool(const TurnPool&) = delete;
  TurnPool& operator=(const TurnPool&) = delete;

  // Takes the client out of `from`.
  void admit(Clients& from, Clients::iterator client, std::string subject);
  // Those for whom it was done, and those who have lost their place.
  [[nodiscard]] Clients done();

 private:
  void work();

  Work work_;
  std::function<void()> on_done_;
  config::Mutex mutex_;
  std::condition_variable_any wake_;
  Turns turns_ GUARDED_BY(mutex_);
  Clients waiting_ GUARDED_BY(mutex_), done_ GUARDED_BY(mutex_);
  std::map<std::uint64_t, Clients::iterator> places_
      GUARDED_BY(mutex_);  // of those who wait, by the id of their claim
  std::uint64_t last_id_ GUARDED_BY(mutex_) = 0;
  bool is_closed_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;  // last: they use the others
};

}  // namespace web

#pragma once

#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "agent/rollover/durations.h"
#include "config/mutex.h"

namespace web {

// The requests that were answered, by handler (the route's pattern, never the path) and status
// code; the streams of events that are open. What is refused before it is a whole request is not
// in here. Any thread may call.
class RequestStats {
 public:
  using Answered = std::map<std::pair<std::string, int>, agent::Durations>;

  void count(const std::string& handler, int status, std::chrono::duration<double> took) {
    const config::Lock lock(mutex_);
    answered_[{handler, status}].add(took);
  }
  [[nodiscard]] Answered answered() const {
    const config::Lock lock(mutex_);
    return answered_;
  }

  // One more stream; its number is how many there are with it.
  int open_stream() {
    const config::Lock lock(mutex_);
    return ++streams_;
  }
  void close_stream() {
    const config::Lock lock(mutex_);
    --streams_;
  }
  [[nodiscard]] int streams() const {
    const config::Lock lock(mutex_);
    return streams_;
  }

 private:
  mutable config::Mutex mutex_;
  Answered answered_ GUARDED_BY(mutex_);
  int streams_ GUARDED_BY(mutex_) = 0;
};

}  // namespace web

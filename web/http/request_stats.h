#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "agent/rollover/durations.h"

namespace web {

// The requests that were answered, by handler (the route's pattern, never the path) and status
// code; the streams of events that are open. What is refused before it is a whole request is not
// in here. Any thread may call.
class RequestStats {
 public:
  using Answered = std::map<std::pair<std::string, int>, agent::Durations>;

  void note(const std::string& handler, int status, std::chrono::duration<double> took) {
    const std::scoped_lock lock(mutex_);
    answered_[{handler, status}].add(took);
  }
  [[nodiscard]] Answered answered() const {
    const std::scoped_lock lock(mutex_);
    return answered_;
  }

  // One more stream; its number is how many there are with it.
  int open_stream() {
    const std::scoped_lock lock(mutex_);
    return ++streams_;
  }
  void close_stream() {
    const std::scoped_lock lock(mutex_);
    --streams_;
  }
  [[nodiscard]] int streams() const {
    const std::scoped_lock lock(mutex_);
    return streams_;
  }

 private:
  mutable std::mutex mutex_;
  Answered answered_;
  int streams_ = 0;
};

}  // namespace web

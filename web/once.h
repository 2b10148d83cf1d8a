#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "config/mutex.h"
#include "config/result.h"
#include "config/time.h"

namespace web {

// Checks of domains that are not watched, each once, because somebody asked: one at a time, so many
// an hour, so that nobody makes a scanner of us. The newest are remembered. Any thread may call.
class OnceChecks {
 public:
  // Looks at the domain, which takes a while; gives the check object, or why there is none.
  using CheckDomain =
      std::function<config::Result<std::string, std::string>(const std::string& domain)>;
  using Ticks = std::function<std::chrono::steady_clock::time_point()>;
  static constexpr std::size_t kMostAnHour = 30;
  static constexpr std::size_t kKept = 20;

  explicit OnceChecks(CheckDomain look, Ticks ticks = std::chrono::steady_clock::now);
  ~OnceChecks();  // stop()
  void stop();    // waits for the one under way

  struct Check {
    std::string id;
    std::string domain;
    std::string by;  // who asked
    config::Time started_at;
    bool is_done = false;
    std::optional<std::string> result;  // the check object
    std::optional<std::string> fault;
  };
  struct Refusal {
    std::string why;
    std::chrono::seconds again_in{0};
  };
  // `domain`: in A-label form.
  [[nodiscard]] config::Result<Check, Refusal> start(const std::string& domain, config::Time at,
                                                     const std::string& by = {});
  [[nodiscard]] std::optional<Check> find(const std::string& id) const;

 private:
  void run(const std::string& id, const std::string& domain) EXCLUDES(mutex_);

  CheckDomain look_;
  Ticks ticks_;
  mutable config::Mutex mutex_;
  std::uint64_t next_id_ GUARDED_BY(mutex_) = 1;
  bool is_running_ GUARDED_BY(mutex_) = false;
  bool is_stopping_ GUARDED_BY(mutex_) = false;
  std::deque<std::chrono::steady_clock::time_point> started_
      GUARDED_BY(mutex_);  // in the last hour
  std::deque<Check> checks_ GUARDED_BY(mutex_);
  std::vector<std::jthread> thread_ GUARDED_BY(mutex_);  // none or one
};

}  // namespace web

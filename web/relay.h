#pragma once

#include <chrono>
#include <condition_variable>
#include <stop_token>
#include <string>

#include "config/mutex.h"
#include "web/http/http.h"
#include "web/http/site.h"

namespace web {

// Has the agent that leads a fleet answer what one that stands by is asked, whoever leads by then:
// what waits for one that leads no more is asked of the next, and acts wait while it does not
// listen, both for as long as clients wait. An act that the last one did before it stopped is done
// twice then; afterwards it can do nothing, for its epoch is over. Where a connection broke nothing
// is asked again: it may be what broke it. Any thread may call.
class Relay {
 public:
  using Duration = std::chrono::milliseconds;
  static constexpr Duration kPatience = std::chrono::seconds{25};  // clients have some more

  // `self`: our name.
  explicit Relay(std::string self, Duration patience = kPatience)
      : self_(std::move(self)), patience_(patience) {}

  // `url`: of the API of the one that leads; empty: nobody is to be asked, for the reason in words.
  void follow(const std::string& url, const std::string& words) EXCLUDES(mutex_);
  // It will be we, who are not there yet: all that is asked waits.
  void take_over() EXCLUDES(mutex_);
  // From now on we answer.
  void answer_here(Site site) EXCLUDES(mutex_);
  // We end, and what waits is told so.
  void give_up() EXCLUDES(mutex_);

  // Whether somebody else is to be asked.
  [[nodiscard]] bool has_leader() const EXCLUDES(mutex_);
  // Where nobody answers it is 503, with the reason.
  [[nodiscard]] Reply answer(const Request& request) EXCLUDES(mutex_);

 private:
  // Who leads, as far as we know.
  struct Lead {
    enum class Who { unknown, another, we_soon, we, nobody };
    Who who = Who::unknown;
    std::string url;          // of another, also while it is unknown whether it still leads
    std::string words;        // of logs
    Site site;                // ours
    std::stop_source past{};  // told when it is somebody else
  };
  using Deadline = std::chrono::steady_clock::time_point;
  void change(Lead next) EXCLUDES(mutex_);
  [[nodiscard]] Lead lead() const EXCLUDES(mutex_);
  // Until somebody else leads, or it is so late.
  void wait(const Lead& now, Deadline until) EXCLUDES(mutex_);

  const std::string self_;
  const Duration patience_;
  mutable config::Mutex mutex_;
  Lead lead_ GUARDED_BY(mutex_);
  std::condition_variable_any changed_;
};

}  // namespace web

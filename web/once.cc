#include "web/once.h"

#include <algorithm>
#include <exception>

#include <fmt/format.h>

#include "agent/watch/threads.h"

namespace web {

using config::Failure;
using config::Result;

OnceChecks::OnceChecks(CheckDomain look, Ticks ticks)
    : look_(std::move(look)), ticks_(std::move(ticks)) {}

OnceChecks::~OnceChecks() {
  stop();
}

void OnceChecks::stop() {
  std::vector<std::jthread> last;
  {
    const config::Lock lock(mutex_);
    is_stopping_ = true;
    last.swap(thread_);
  }
  last.clear();  // joins
}

Result<OnceChecks::Check, OnceChecks::Refusal> OnceChecks::start(const std::string& domain,
                                                                 config::Time at,
                                                                 const std::string& by) {
  constexpr std::chrono::hours kHour{1};
  const config::Lock lock(mutex_);
  if (is_running_ || is_stopping_)
    return Failure<Refusal>(
        Refusal{.why = "another check is under way", .again_in = std::chrono::seconds{10}});
  const auto now = ticks_();
  while (!started_.empty() && now - started_.front() >= kHour) started_.pop_front();
  if (started_.size() >= kMostAnHour) {
    return Failure<Refusal>(Refusal{
        .why = fmt::format("{} checks were made in the last hour, and more are not", kMostAnHour),
        .again_in = std::chrono::ceil<std::chrono::seconds>(kHour - (now - started_.front()))});
  }
  thread_.clear();  // it has ended
  const auto id = std::to_string(next_id_++);
  is_running_ = true;
  if (agent::start_threads(thread_, 1, [this, id, domain] { run(id, domain); }) == 0) {
    is_running_ = false;
    return Failure<Refusal>(
        Refusal{.why = "no thread could be started: memory or threads are limited",
                .again_in = std::chrono::seconds{60}});
  }
  started_.push_back(now);
  checks_.push_back({.id = id, .domain = domain, .by = by, .started_at = at});
  if (checks_.size() > kKept) checks_.pop_front();
  return checks_.back();
}

void OnceChecks::run(const std::string& id, const std::string& domain) {
  Result<std::string, std::string> done;
  try {
    done = look_(domain);
  } catch (const std::exception& e) {  // no memory
    done = Failure<std::string>(e.what());
  }
  const config::Lock lock(mutex_);
  is_running_ = false;
  const auto mine = std::ranges::find(checks_, id, &Check::id);
  if (mine == checks_.end()) return;
  mine->is_done = true;
  if (done) {
    mine->result = std::move(*done);
  } else {
    mine->fault = done.error();
  }
}

std::optional<OnceChecks::Check> OnceChecks::find(const std::string& id) const {
  const config::Lock lock(mutex_);
  const auto found = std::ranges::find(checks_, id, &Check::id);
  return found == checks_.end() ? std::nullopt : std::optional{*found};
}

}  // namespace web

#include "web/http/turn_pool.h"

#include <random>
#include <system_error>
#include <utility>

#include "agent/watch/threads.h"

namespace web {

using std::chrono::steady_clock;

namespace {

constexpr std::size_t kSpareThreads = 24;  // for those who look and tell

}  // namespace

TurnPool::TurnPool(std::size_t threads, Turns::Limits limits, Work work,
                   std::function<void()> on_done)
    : work_(std::move(work)), on_done_(std::move(on_done)), turns_(limits, std::random_device{}()) {
  if (agent::start_threads(
          threads_, threads, [this] { this->work(); }, agent::Spare{.threads = kSpareThreads}) == 0)
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again),
                            "no thread of the web server could be started");
}

TurnPool::~TurnPool() {
  {
    const config::Lock lock(mutex_);
    is_closed_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void TurnPool::admit(Clients& from, Clients::iterator client, std::string subject) {
  bool has_lost = false;
  {
    const config::Lock lock(mutex_);
    const auto id = ++last_id_;
    places_.emplace(id, client);
    const auto lost =
        turns_.wait({.id = id,
                     .source = client->source,
                     .subject = std::move(subject),
                     .has_begun = client->phase == Client::Phase::greeting && client->has_begun},
                    steady_clock::now());
    waiting_.splice(waiting_.end(), from, client);
    if (lost) {
      const auto loser = places_.extract(*lost).mapped();
      loser->has_lost_place = true;
      done_.splice(done_.end(), waiting_, loser);
      has_lost = true;
    }
  }
  wake_.notify_one();
  if (has_lost) on_done_();
}

Clients TurnPool::done() {
  const config::Lock lock(mutex_);
  return std::exchange(done_, {});
}

void TurnPool::work() {
  config::Lock lock(mutex_);
  while (!is_closed_) {
    const auto claim = turns_.next(steady_clock::now());
    if (!claim) {
      if (const auto at = turns_.ready_at(steady_clock::now())) {
        wake_.wait_until(lock, *at);
      } else {
        wake_.wait(lock);
      }
      continue;
    }
    Clients mine;
    mine.splice(mine.end(), waiting_, places_.extract(claim->id).mapped());
    const bool is_crowded = turns_.waiting() > 0;
    lock.unlock();
    const bool is_well = work_(mine.front(), is_crowded);
    lock.lock();
    if (!is_well) turns_.failed(*claim, steady_clock::now());
    done_.splice(done_.end(), mine);
    on_done_();
  }
}

}  // namespace web

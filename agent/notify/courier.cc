#include "agent/notify/courier.h"

#include <algorithm>
#include <atomic>
#include <new>

#include "agent/watch/threads.h"

namespace agent {

using config::Seconds;

namespace {

constexpr std::size_t kAtOnce = 16;
constexpr Seconds kLookAgain{5};  // for letters whose time has come

}  // namespace

Seconds back_off(int attempts) {
  constexpr Seconds kFirst{5};
  constexpr Seconds kMost = std::chrono::minutes{10};
  auto out = kFirst;
  for (int i = 1; i < attempts && out < kMost; ++i) out *= 2;
  return std::min(out, kMost);
}

struct Courier::RestoredState {
  std::unique_ptr<EventNotifier> messenger;  // either this
  std::unique_ptr<StateNotifier> herald;     // or that
  NotifierHealth health;                     // guarded by mutex_
  std::uint64_t seen = 0;                    // hurries taken notice of
  std::atomic<bool> has_ended{false};
  std::jthread thread;  // last: it ends before the others go
};

Courier::Courier(Outbox& outbox, Now now, See see, Report report)
    : outbox_(outbox), now_(std::move(now)), see_(std::move(see)), report_(std::move(report)) {}

Courier::~Courier() {
  stop();
}

void Courier::employ(Notifiers notifiers) {
  retire();
  std::vector<std::unique_ptr<RestoredState>> desks;
  for (auto& one : notifiers.messengers) {
    auto& desk = *desks.emplace_back(std::make_unique<RestoredState>());
    desk.health.name = one->name();
    desk.messenger = std::move(one);
  }
  for (auto& one : notifiers.heralds) {
    auto& desk = *desks.emplace_back(std::make_unique<RestoredState>());
    desk.health.name = one->name();
    desk.herald = std::move(one);
  }
  {
    const std::scoped_lock lock(mutex_);
    desks_ = std::move(desks);
  }
  start_missing();
}

void Courier::start_missing() {
  std::vector<std::pair<std::string, std::string>> news;
  {
    const std::scoped_lock lock(mutex_);
    for (auto& desk : desks_) {
      if (desk->thread.joinable()) continue;
      std::vector<std::jthread> made;
      const bool is_started =
          start_threads(made, 1, [this, &desk = *desk](const std::stop_token& stop) {
            if (desk.messenger) {
              run(stop, desk, *desk.messenger);
            } else {
              run(stop, desk, *desk.herald);
            }
            desk.has_ended = true;
          }) == 1;
      if (is_started) {
        desk->thread = std::move(made.front());
      } else if (!desk->health.fault) {
        desk->health.fault = "no thread could be started for it: memory or threads are limited";
        news.emplace_back(desk->health.name, *desk->health.fault);
      }
    }
  }
  for (const auto& [name, fault] : news) report_(name, fault);
}

// Those that have ended go; the others are joined when they have, or at the end.
void Courier::retire() {
  const std::scoped_lock lock(mutex_);
  std::erase_if(retired_, [](const auto& desk) { return desk->has_ended.load(); });
  for (auto& desk : desks_) {
    desk->thread.request_stop();
    retired_.push_back(std::move(desk));
  }
  desks_.clear();
}

void Courier::stop() {
  retire();
  std::vector<std::unique_ptr<RestoredState>> all;
  {
    const std::scoped_lock lock(mutex_);
    all.swap(retired_);
  }
  all.clear();  // joins
}

void Courier::hurry_letters() {
  {
    const std::scoped_lock lock(mutex_);
    ++letter_hurries_;
  }
  wake_.notify_all();
  start_missing();
}

void Courier::hurry() {
  {
    const std::scoped_lock lock(mutex_);
    ++hurries_;
  }
  wake_.notify_all();
  start_missing();
}

std::vector<NotifierHealth> Courier::health() const {
  std::vector<NotifierHealth> out;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& desk : desks_) out.push_back(desk->health);
  }
  for (auto& one : out) {
    if (const auto waiting = outbox_.waiting(one.name)) one.waiting = *waiting;
  }
  return out;
}

void Courier::took(RestoredState& desk, const Delivered& done) {
  std::optional<std::string> news;
  {
    const std::scoped_lock lock(mutex_);
    auto& health = desk.health;
    if (done && health.fault) news = "";
    if (!done && !health.fault) news = done.error();
    if (done) {
      ++health.delivered;
      health.last_success_at = now_();
      health.fault.reset();
    } else {
      ++health.failed;
      health.fault = done.error();
    }
  }
  if (news) report_(desk.health.name, *news);
}

bool Courier::deliver_due(const std::stop_token& stop, RestoredState& desk,
                          EventNotifier& messenger) {
  const auto posts = outbox_.due(messenger.name(), now_(), kAtOnce);
  if (!posts) took(desk, config::Failure<std::string>(posts.error().detail));
  bool is_news = false;
  for (const auto& post : posts.value_or(std::vector<QueuedNotification>{})) {
    if (stop.stop_requested()) return false;
    Delivered done;
    try {
      done = messenger.deliver(post, stop);
    } catch (const std::exception& e) {  // a library threw
      done = config::Failure<std::string>(e.what());
    }
    if (!done && stop.stop_requested()) return false;  // nobody knows: whoever comes next tries
    took(desk, done);
    const auto marked =
        done ? outbox_.delivered(post.id, now_())
             : outbox_.failed(post.id, now_() + back_off(post.attempts + 1), done.error());
    if (!marked) took(desk, config::Failure<std::string>(marked.error().detail));
    is_news = is_news || (done && marked);
  }
  return is_news;
}

void Courier::run(const std::stop_token& stop, RestoredState& desk, EventNotifier& messenger) {
  while (!stop.stop_requested()) {
    {
      const std::scoped_lock lock(mutex_);
      desk.seen = hurries_ + letter_hurries_;
    }
    try {
      // What is delivered lets the next of the same alert go.
      while (deliver_due(stop, desk, messenger)) {
      }
    } catch (const std::bad_alloc&) {  // it stays in the outbox
      took(desk, config::Failure<std::string>("no memory"));
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kLookAgain, [&] { return desk.seen != hurries_ + letter_hurries_; });
  }
}

void Courier::run(const std::stop_token& stop, RestoredState& desk, StateNotifier& herald) {
  while (!stop.stop_requested()) {
    {
      const std::scoped_lock lock(mutex_);
      desk.seen = hurries_;
    }
    Delivered done;
    try {
      done = herald.tell(*see_(), stop);
    } catch (const std::exception& e) {
      done = config::Failure<std::string>(e.what());
    }
    if (!done && stop.stop_requested()) return;
    took(desk, done);
    const auto next = done ? herald.every() : std::min(herald.every(), back_off(2));
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, next, [&] { return herald.hurries() && desk.seen != hurries_; });
  }
}

}  // namespace agent

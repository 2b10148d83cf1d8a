#include "agent/notify/courier.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <new>

#include "agent/notify/notifiers/test_notification.h"
#include "agent/watch/threads.h"

namespace agent {

using config::Seconds;

namespace {

constexpr std::size_t kAtOnce = 16;
constexpr Seconds kLookAgain{5};  // for notifications whose time has come

}  // namespace

Seconds back_off(int attempts) {
  constexpr Seconds kFirst{5};
  constexpr Seconds kMost = std::chrono::minutes{10};
  auto out = kFirst;
  for (int i = 1; i < attempts && out < kMost; ++i) out *= 2;
  return std::min(out, kMost);
}

// A test on its way through one notifier.
struct Courier::Trial {
  Notification notification;
  std::promise<Delivered> done;
};

struct Courier::Worker {
  explicit Worker(NotifierHealth first) : name(first.name), health(std::move(first)) {}

  const std::string name;
  std::unique_ptr<EventNotifier> events;  // either this
  std::unique_ptr<StateNotifier> state;   // or that
  std::uint64_t seen = 0;                 // wake-ups taken notice of

  config::Mutex mutex;  // taken after the courier's
  NotifierHealth health GUARDED_BY(mutex);
  std::unique_ptr<Trial> trial GUARDED_BY(mutex);  // asked for and not taken up
  [[nodiscard]] bool has_trial() {
    const config::Lock lock(mutex);
    return trial != nullptr;
  }

  std::atomic<bool> has_ended{false};
  std::jthread thread;  // last: it ends before the others go
};

Courier::Courier(Outbox& outbox, Now now, See see, Report report)
    : outbox_(outbox), now_(std::move(now)), see_(std::move(see)), report_(std::move(report)) {}

Courier::~Courier() {
  stop();
}

void Courier::set_notifiers(Notifiers notifiers) {
  retire();
  std::vector<std::unique_ptr<Worker>> workers;
  for (auto& one : notifiers.event_notifiers) {
    auto& worker =
        *workers.emplace_back(std::make_unique<Worker>(NotifierHealth{.name = one->name()}));
    worker.events = std::move(one);
  }
  for (auto& one : notifiers.state_notifiers) {
    auto& worker = *workers.emplace_back(std::make_unique<Worker>(
        NotifierHealth{.name = one->name(), .tells_people = one->tells_people()}));
    worker.state = std::move(one);
  }
  {
    const config::Lock lock(mutex_);
    workers_ = std::move(workers);
  }
  start_missing();
}

void Courier::start_missing() {
  std::vector<std::pair<std::string, std::string>> news;
  {
    const config::Lock lock(mutex_);
    for (auto& worker : workers_) {
      if (worker->thread.joinable()) continue;
      std::vector<std::jthread> made;
      const bool is_started =
          start_threads(made, 1, [this, &worker = *worker](const std::stop_token& stop) {
            name_thread("notify");
            if (worker.events) {
              run(stop, worker, *worker.events);
            } else {
              run(stop, worker, *worker.state);
            }
            worker.has_ended = true;
          }) == 1;
      if (is_started) {
        worker->thread = std::move(made.front());
        continue;
      }
      const config::Lock its(worker->mutex);
      if (!worker->health.fault) {
        worker->health.fault = "no thread could be started for it: memory or threads are limited";
        news.emplace_back(worker->name, *worker->health.fault);
      }
    }
  }
  for (const auto& [name, fault] : news) report_(name, fault);
}

// Those that have ended go; the others are joined when they have, or at the end.
void Courier::retire() {
  const config::Lock lock(mutex_);
  std::erase_if(retired_, [](const auto& worker) { return worker->has_ended.load(); });
  for (auto& worker : workers_) {
    worker->thread.request_stop();
    retired_.push_back(std::move(worker));
  }
  workers_.clear();
}

void Courier::stop() {
  retire();
  std::vector<std::unique_ptr<Worker>> all;
  {
    const config::Lock lock(mutex_);
    all.swap(retired_);
  }
  all.clear();  // joins
}

std::optional<std::vector<Courier::Tested>> Courier::test(const std::optional<std::string>& name,
                                                          const std::string& by,
                                                          std::chrono::milliseconds patience) {
  if (is_testing_.exchange(true)) return std::nullopt;
  std::vector<std::pair<std::string, std::future<Delivered>>> asked;
  {
    const config::Lock lock(mutex_);
    for (auto& worker : workers_) {
      const config::Lock its(worker->mutex);
      if (!worker->health.tells_people || (name && worker->name != *name)) continue;
      worker->trial = std::make_unique<Trial>();
      worker->trial->notification = test_notification(worker->name, by, now_());
      asked.emplace_back(worker->name, worker->trial->done.get_future());
    }
  }
  wake();
  std::vector<Tested> out;
  const auto until = std::chrono::steady_clock::now() + patience;
  for (auto& [notifier, done] : asked) {
    std::optional<std::string> fault;
    if (done.wait_until(until) != std::future_status::ready) {
      fault = "no answer yet; it is still being tried, or busy with other notifications";
    } else {
      try {
        const auto result = done.get();
        if (!result) fault = result.error();
      } catch (const std::future_error&) {
        fault = "the notifiers were replaced meanwhile";
      }
    }
    out.push_back({.name = notifier, .fault = std::move(fault)});
  }
  is_testing_ = false;
  return out;
}

void Courier::run_test(const std::stop_token& stop, Worker& worker) {
  std::unique_ptr<Trial> trial;
  {
    const config::Lock lock(worker.mutex);
    trial = std::move(worker.trial);
  }
  if (!trial) return;
  Delivered done;
  try {
    done = worker.events
               ? worker.events->deliver(queued_test(trial->notification), stop)
               : worker.state->tell_test(trial->notification.alert, trial->notification.at, stop);
  } catch (const std::exception& e) {
    done = config::Failure<std::string>(e.what());
  }
  trial->done.set_value(std::move(done));
}

void Courier::wake_senders() {
  {
    const config::Lock lock(mutex_);
    ++notification_wakes_;
  }
  wake_.notify_all();
  start_missing();
}

void Courier::wake() {
  {
    const config::Lock lock(mutex_);
    ++wakes_;
  }
  wake_.notify_all();
  start_missing();
}

std::vector<NotifierHealth> Courier::health() const {
  std::vector<NotifierHealth> out;
  {
    const config::Lock lock(mutex_);
    for (const auto& worker : workers_) {
      const config::Lock its(worker->mutex);
      out.push_back(worker->health);
    }
  }
  for (auto& one : out) {
    if (const auto waiting = outbox_.waiting(one.name)) one.waiting = *waiting;
  }
  return out;
}

void Courier::record_result(Worker& worker, const Delivered& done) {
  std::optional<std::string> news;
  {
    const config::Lock lock(worker.mutex);
    auto& health = worker.health;
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
  if (news) report_(worker.name, *news);
}

bool Courier::deliver_due(const std::stop_token& stop, Worker& worker, EventNotifier& notifier) {
  const auto queue = outbox_.due(notifier.name(), now_(), kAtOnce);
  if (!queue) record_result(worker, config::Failure<std::string>(queue.error().detail));
  bool is_news = false;
  for (const auto& queued : queue.value_or(std::vector<QueuedNotification>{})) {
    if (stop.stop_requested()) return false;
    Delivered done;
    try {
      done = notifier.deliver(queued, stop);
    } catch (const std::exception& e) {  // a library threw
      done = config::Failure<std::string>(e.what());
    }
    if (!done && stop.stop_requested()) return false;  // nobody knows: whoever comes next tries
    record_result(worker, done);
    const auto marked =
        done ? outbox_.delivered(queued.id, now_())
             : outbox_.failed(queued.id, now_() + back_off(queued.attempts + 1), done.error());
    if (!marked) record_result(worker, config::Failure<std::string>(marked.error().detail));
    is_news = is_news || (done && marked);
  }
  return is_news;
}

void Courier::run(const std::stop_token& stop, Worker& worker, EventNotifier& notifier) {
  while (!stop.stop_requested()) {
    {
      const config::Lock lock(mutex_);
      worker.seen = wakes_ + notification_wakes_;
    }
    run_test(stop, worker);
    try {
      // What is delivered lets the next of the same alert go.
      while (deliver_due(stop, worker, notifier)) {
      }
    } catch (const std::bad_alloc&) {  // it stays in the outbox
      record_result(worker, config::Failure<std::string>("no memory"));
    }
    config::Lock lock(mutex_);
    wake_.wait_for(lock, stop, kLookAgain, [&]() REQUIRES(mutex_) {
      return worker.seen != wakes_ + notification_wakes_ || worker.has_trial();
    });
  }
}

void Courier::run(const std::stop_token& stop, Worker& worker, StateNotifier& notifier) {
  while (!stop.stop_requested()) {
    {
      const config::Lock lock(mutex_);
      worker.seen = wakes_;
    }
    run_test(stop, worker);
    Delivered done;
    try {
      done = notifier.tell(*see_(), stop);
    } catch (const std::exception& e) {
      done = config::Failure<std::string>(e.what());
    }
    if (!done && stop.stop_requested()) return;
    record_result(worker, done);
    const auto next = done ? notifier.every() : std::min(notifier.every(), back_off(2));
    config::Lock lock(mutex_);
    wake_.wait_for(lock, stop, next, [&]() REQUIRES(mutex_) {
      return (notifier.is_urgent() && worker.seen != wakes_) || worker.has_trial();
    });
  }
}

}  // namespace agent

#include "agent/watch/journal.h"

#include <algorithm>
#include <iterator>
#include <new>

#include <fmt/format.h>

#include "agent/watch/threads.h"

namespace agent {

using config::Result;
using std::chrono::steady_clock;

namespace {

// Without memory nothing is recorded now, and it is tried again.
template <class Act>
auto attempt(const Act& act) -> decltype(act()) {
  try {
    return act();
  } catch (const std::bad_alloc&) {
    return config::Failure<RecordFault>({.detail = "no memory"});
  }
}

}  // namespace

Journal::Journal(Recorder& recorder, std::function<Ticks()> ticks, Events events)
    : recorder_(recorder),
      ticks_(std::move(ticks)),
      events_(std::move(events)),
      writer_([this](const std::stop_token& stop) { work(stop); }) {}

Journal::~Journal() {
  stop();
}

Journal::Ticket Journal::put(Round round) {
  const auto since = ticks_();
  const config::Lock lock(mutex_);
  entries_.push_back({.round = std::move(round), .since = since, .number = ++last_number_});
  bound();
  wake_.notify_all();
  return {.number = last_number_, .failed = failed_};
}

void Journal::post(std::unique_ptr<Chore> chore) {
  if (!chore) return;
  const config::Lock lock(mutex_);
  chores_.push_back({.chore = std::move(chore), .after = last_number_});
  wake_.notify_all();
}

bool Journal::wait(const Ticket& ticket, std::chrono::milliseconds patience) {
  config::Lock lock(mutex_);
  done_.wait_for(lock, patience, [&]() REQUIRES(mutex_) {
    return recorded_number_ >= ticket.number || failed_ != ticket.failed;
  });
  return recorded_number_ >= ticket.number;
}

std::vector<Notification> Journal::unrecorded_notifications() const {
  const config::Lock lock(mutex_);
  std::vector<Notification> out;
  if (aside_) out = aside_->notifications;
  if (!state_.fault && !is_late()) return out;
  for (const auto& entry : entries_)
    std::ranges::copy(entry.round.notifications, std::back_inserter(out));
  return out;
}

Journal::State Journal::state() const {
  const config::Lock lock(mutex_);
  auto out = state_;
  out.waiting = entries_.size();
  if (!out.fault && is_late()) {
    const auto late = std::chrono::floor<config::Seconds>(ticks_() - entries_.front().since);
    out.fault = fmt::format(
        "the database takes long: what was decided {} s ago is not recorded yet", late.count());
  }
  return out;
}

void Journal::stop() {
  writer_.request_stop();
  if (writer_.joinable()) writer_.join();
}

bool Journal::is_late() const {
  return !entries_.empty() && ticks_() - entries_.front().since > kLate;
}

// Keeps only the decisions of the oldest rounds when too many wait.
void Journal::bound() {
  if (entries_.size() <= kMostWaiting) return;
  const auto oldest = std::next(entries_.begin(), static_cast<std::ptrdiff_t>(busy_));
  const auto at = oldest->round.at;
  set_aside(std::move(*oldest));
  entries_.erase(oldest);
  ++state_.lost;
  if (!aside_->gap) aside_->gap = Gap{.from = at, .until = at, .rounds = 0};
  ++aside_->gap->rounds;
}

void Journal::set_aside(Entry entry) {
  auto round = decisions_of(entry.round);
  // What was decided later comes last: it is what holds.
  if (aside_ && entry.number < aside_number_) std::swap(*aside_, round);
  aside_ = aside_ ? with_decisions(std::move(*aside_), std::move(round)) : std::move(round);
  aside_number_ = std::max(aside_number_, entry.number);
  constexpr std::uint64_t kNowAndThen = 100;  // it takes a while
  if (state_.lost % kNowAndThen == 0) agent::bound(*aside_);
}

// What could not be recorded is recorded with what comes next; if it never can be, it keeps nothing
// else from being recorded.
Result<void, RecordFault> Journal::record(const Entry& entry) {
  std::optional<Round> missed;
  {
    const config::Lock lock(mutex_);
    // What was decided later must not be put before it.
    if (entry.number > aside_number_) missed = std::exchange(aside_, std::nullopt);
  }
  const auto alone = [&] { return recorder_.record(entry.round); };
  if (!missed) return attempt(alone);
  auto result = attempt([&] { return recorder_.record(with_decisions(*missed, entry.round)); });
  if (result) return result;
  {
    const config::Lock lock(mutex_);
    // Others may have been set aside meanwhile; these are older.
    aside_ = aside_ ? with_decisions(std::move(*missed), std::move(*aside_)) : std::move(missed);
  }
  return attempt(alone);
}

// Records in one go what waits; false when that cannot be, and nothing is recorded.
bool Journal::record_together() {
  std::vector<const Round*> rounds;
  bool has_letters = false;
  try {
    rounds.reserve(kMostTogether);
  } catch (const std::bad_alloc&) {
    return false;
  }
  {
    const config::Lock lock(mutex_);
    if (state_.fault || aside_) return false;
    for (const auto& entry : entries_) {
      if (rounds.size() == kMostTogether) break;
      rounds.push_back(&entry.round);
      has_letters = has_letters || !entry.round.notifications.empty();
    }
    if (rounds.size() < 2) return false;
    busy_ = rounds.size();
  }
  const auto began = steady_clock::now();
  const bool is_done = attempt([&] { return recorder_.record_all(rounds); }).has_value();
  const auto took = steady_clock::now() - began;
  {
    const config::Lock lock(mutex_);
    for (std::size_t i = 0; is_done && i < rounds.size(); ++i) {
      recorded_number_ = entries_.front().number;
      entries_.pop_front();
      state_.recordings.add(took / static_cast<std::int64_t>(rounds.size()));
    }
    busy_ = 0;
  }
  if (!is_done) return false;
  done_.notify_all();
  if (has_letters) events_.on_notifications();
  return true;
}

// Records the first entry. When it cannot be and the next can, then it is the first that is at
// fault, not the disk.
void Journal::record_first() {
  config::Lock lock(mutex_);
  auto& first = entries_.front();
  auto* second = entries_.size() > 1 ? &*std::next(entries_.begin()) : nullptr;
  busy_ = second == nullptr ? 1 : 2;
  lock.unlock();
  const bool has_letters = !first.round.notifications.empty() ||
                           (second != nullptr && !second->round.notifications.empty());
  const auto began = steady_clock::now();
  const auto result = record(first);
  const bool is_second_done = !result && second != nullptr && record(*second).has_value();
  lock.lock();
  state_.recordings.add(steady_clock::now() - began);
  if (is_second_done) {
    set_aside(std::move(first));
    entries_.pop_front();
    ++state_.errors;
  }
  if (result || is_second_done) {
    recorded_number_ = entries_.front().number;
    entries_.pop_front();
  }
  busy_ = 0;
  lock.unlock();
  finish(is_second_done ? Result<void, RecordFault>{} : result);
  if (has_letters) events_.on_notifications();
}

void Journal::finish(const Result<void, RecordFault>& result) {
  bool is_news = false;
  {
    const config::Lock lock(mutex_);
    is_news = result.has_value() == state_.fault.has_value();
    state_.fault = result ? std::nullopt : std::optional{result.error().detail};
    if (!result) {
      ++state_.errors;
      ++failed_;
    }
  }
  done_.notify_all();
  if (is_news && !result) events_.on_fault(result.error().detail);
  if (is_news && result) events_.on_recovery();
}

bool Journal::has_chore() const {
  return !chores_.empty() && !state_.fault && chores_.front().after <= recorded_number_;
}

// The next part of the first.
void Journal::go_on_with_chore() {
  config::Lock lock(mutex_);
  if (!has_chore()) return;
  auto& chore = *chores_.front().chore;
  lock.unlock();
  auto more = attempt([&] { return chore.go_on(); });
  if (more && *more) return;
  lock.lock();
  auto done = std::move(chores_.front().chore);
  chores_.pop_front();
  lock.unlock();
  if (!more) events_.on_fault(more.error().detail);
  done.reset();
  give_memory_back();  // what it held of very many domains
}

void Journal::work(const std::stop_token& stop) {
  name_thread("record");
  std::uint64_t tried = 0;  // the last number there was at a try that failed
  while (true) {
    config::Lock lock(mutex_);
    const auto is_ready = [&]() REQUIRES(mutex_) {
      return has_chore() ||
             (!entries_.empty() && (!state_.fault || entries_.back().number != tried));
    };
    wake_.wait_for(lock, stop, kTryAgain, is_ready);
    const bool is_ending = stop.stop_requested();
    const bool has_rounds = !entries_.empty();
    if (is_ending && !has_rounds) return;
    if (has_rounds) tried = entries_.back().number;
    lock.unlock();
    if (has_rounds && !record_together()) record_first();
    if (!is_ending) go_on_with_chore();
    lock.lock();
    if (is_ending && state_.fault) return;
  }
}

}  // namespace agent

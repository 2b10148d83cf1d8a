#include "agent/lists/list_watch.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace agent {

using config::Failure;
using config::Result;

ListWatch::ListWatch(ListStore& store, const config::Config& settings, Calls calls)
    : store_(store), calls_(std::move(calls)) {
  for (const auto& list : settings.domain_lists) {
    if (list.is_elsewhere()) lists_.push_back(List{.settings = list});
  }
  auto kept = store_.restore();
  if (!kept) {
    calls_.on_event("lists-forgotten", "", kept.error());
    return;
  }
  for (auto& one : *kept) {
    auto* const list = find(one.name);
    if (list == nullptr) {
      has_left_ = true;
      continue;
    }
    list->held = HeldList(std::move(one.domains), one.read_at);
    list->kept_read_at = one.read_at;
  }
}

ListWatch::~ListWatch() = default;

void ListWatch::start() {
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
  } catch (const std::system_error& error) {
    calls_.on_event("list-unreadable", "",
                    std::string("no list from elsewhere is read: ") + error.what());
  }
}

void ListWatch::configure(const config::Config& settings) {
  {
    const config::Lock lock(mutex_);
    std::vector<List> next;
    for (const auto& wanted : settings.domain_lists) {
      if (!wanted.is_elsewhere()) continue;
      auto* const known = find(wanted.name);
      next.push_back(known == nullptr ? List{} : std::move(*known));
      next.back().settings = wanted;
      next.back().due = {};
    }
    has_left_ = true;
    lists_ = std::move(next);
    is_woken_ = true;
  }
  wake_.notify_all();
}

void ListWatch::add_to(config::Config& config) const {
  const config::Lock lock(mutex_);
  for (const auto& list : lists_) add_domains(config, list.settings, list.held);
}

Result<void, std::string> ListWatch::accept(const std::string& name) {
  {
    const config::Lock lock(mutex_);
    auto* const list = find(name);
    if (list == nullptr) return Failure<std::string>("no list from elsewhere has that name");
    if (!list->held.accept(calls_.now()))
      return Failure<std::string>("nothing is held back: the list is in use as it was read last");
    list->is_unkept = true;
    is_changed_ = true;
    is_woken_ = true;
  }
  wake_.notify_all();
  return {};
}

std::vector<ListHealth> ListWatch::health() const {
  const config::Lock lock(mutex_);
  std::vector<ListHealth> out;
  std::ranges::transform(lists_, std::back_inserter(out), health_of);
  return out;
}

ListHealth ListWatch::health_of(const List& list) {
  const auto missing = list.held.missing();
  ListHealth out{.name = list.settings.name,
                 .source = source_of(list.settings),
                 .domains = list.held.domains().size() - missing,
                 .missing = missing,
                 .refresh = list.settings.refresh,
                 .is_tried = list.is_tried,
                 .read_at = list.held.read_at(),
                 .fault = list.fault,
                 .failures = list.failures,
                 .refusal = std::nullopt};
  if (const auto& refused = list.held.refusal())
    out.refusal = {.since = refused->since, .lost = refused->lost, .of = refused->of};
  return out;
}

ListWatch::List* ListWatch::find(const std::string& name) {
  const auto found =
      std::ranges::find_if(lists_, [&](const List& one) { return one.settings.name == name; });
  return found == lists_.end() ? nullptr : &*found;
}

// --- the thread

void ListWatch::work(const std::stop_token& stop) {
  bool is_first = true;  // then what is known need not wait for a source that is slow
  while (!stop.stop_requested()) {
    bool is_any_due = false;
    try {
      is_any_due = std::exchange(is_first, false) || read_one(stop);
      let_go();
      keep();
      tell();
    } catch (const std::bad_alloc&) {
      is_any_due = false;  // the next round does what this one left
    } catch (const std::exception& error) {
      calls_.on_event("list-unreadable", "", error.what());
      is_any_due = false;
    }
    if (is_any_due) continue;
    config::Lock lock(mutex_);
    wake_.wait_for(lock, stop, calls_.patience, [this]() REQUIRES(mutex_) { return is_woken_; });
    is_woken_ = false;
  }
}

bool ListWatch::read_one(const std::stop_token& stop) {
  config::DomainList wanted;
  {
    const config::Lock lock(mutex_);
    const auto next = std::ranges::min_element(lists_, {}, &List::due);
    if (next == lists_.end() || next->due > Steady::now()) return false;
    next->due = Steady::now() + next->settings.refresh;
    wanted = next->settings;
  }
  auto read = calls_.read(wanted, stop);
  if (stop.stop_requested()) return false;
  take(wanted, std::move(read));
  return true;
}

void ListWatch::take(const config::DomainList& of, ReadList read) {
  std::string event, detail;
  {
    const config::Lock lock(mutex_);
    auto* const list = find(of.name);
    // A reload was quicker.
    if (list == nullptr || list->settings.url != of.url ||
        list->settings.catalog_zone != of.catalog_zone)
      return;
    list->is_tried = true;
    if (!read) {
      if (!list->fault) event = "list-unreadable";
      detail = read.error();
      list->fault = std::move(read.error());
      ++list->failures;
    } else {
      const bool was_refused = list->held.refusal().has_value();
      const auto taken = list->held.take(*std::move(read), calls_.now());
      if (list->fault) event = "list-readable";
      list->fault.reset();
      list->failures = 0;
      const auto now = health_of(*list);
      if (taken == HeldList::Taken::changed) {
        event = "list-read";
        detail = fmt::format("{} domains, {} missing", now.domains, now.missing);
        is_changed_ = true;
      } else if (taken == HeldList::Taken::refused && !was_refused) {
        event = "list-refused";
        detail = fmt::format("{} of {} names are lost", now.refusal->lost.size(), now.refusal->of);
      }
      const bool is_first = !list->kept_read_at && taken != HeldList::Taken::refused;
      list->is_unkept = list->is_unkept || taken == HeldList::Taken::changed || is_first;
    }
  }
  if (!event.empty()) calls_.on_event(event, of.name, detail);
}

void ListWatch::let_go() {
  const auto at = calls_.now();
  const config::Lock lock(mutex_);
  for (auto& list : lists_) {
    if (!list.held.forget_missing(at)) continue;
    list.is_unkept = true;
    is_changed_ = true;
  }
}

// What the store could not take is tried again in the next round.
void ListWatch::keep() {
  std::vector<ListStore::Kept> unkept;
  std::vector<std::pair<std::string, config::Time>> read_again;
  std::vector<std::string> all;
  bool has_left = false;
  {
    const config::Lock lock(mutex_);
    has_left = std::exchange(has_left_, false);
    for (auto& list : lists_) {
      const auto& name = list.settings.name;
      all.push_back(name);
      const auto read_at = list.held.read_at();
      if (!read_at) continue;
      if (list.is_unkept) {
        unkept.push_back({name, list.held.domains(), *read_at});
      } else if (list.kept_read_at != read_at) {
        read_again.emplace_back(name, *read_at);
      }
      list.is_unkept = false;
      list.kept_read_at = read_at;
    }
  }
  std::optional<std::string> fault;
  const auto failed = [&](const Result<void, std::string>& done) {
    if (!done) fault = done.error();
    return !done;
  };
  for (const auto& list : unkept) {
    if (failed(store_.keep(list))) keep_again(list.name);
  }
  for (const auto& [name, at] : read_again) {
    if (failed(store_.keep_read(name, at))) keep_again(name);
  }
  if (has_left && failed(store_.keep_only(all))) {
    const config::Lock lock(mutex_);
    has_left_ = true;
  }
  // Told once: the agent's check of its storage says the rest.
  if (fault && !is_store_faulty_) calls_.on_event("list-unkept", "", *fault);
  is_store_faulty_ = fault.has_value();
}

void ListWatch::keep_again(const std::string& name) {
  const config::Lock lock(mutex_);
  if (auto* const list = find(name)) list->is_unkept = true;
}

void ListWatch::tell() {
  bool is_changed = false;
  {
    const config::Lock lock(mutex_);
    is_changed = std::exchange(is_changed_, false);
  }
  try {
    if (is_changed) calls_.on_change();
  } catch (...) {
    const config::Lock lock(mutex_);
    is_changed_ = true;
    throw;
  }
  auto now = health();
  if (now == told_) return;
  calls_.on_health(now);
  told_ = std::move(now);
}

}  // namespace agent

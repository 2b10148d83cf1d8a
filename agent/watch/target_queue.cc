#include "agent/watch/target_queue.h"

namespace agent {

// Moves the node, so that no memory is needed.
void TargetQueue::put(Entry& entry, const Target& target, Places& where, Ticks when) {
  auto node = entry.where->extract({entry.when, &target});
  node.value().when = when;
  where.insert(std::move(node));
  entry.when = when;
  entry.where = &where;
}

void TargetQueue::add(const Target& target, Ticks due) {
  const auto [place, is_new] = entries_.try_emplace(target);
  auto& entry = place->second;
  if (is_new) {
    try {
      waiting_.insert({due, &place->first});
    } catch (...) {
      entries_.erase(place);
      throw;
    }
    entry.when = due;
    entry.where = &waiting_;
  } else if (entry.is_dropped) {  // it has come back before its last probe ended
    entry.is_dropped = false;
    entry.is_wanted = true;
  }
}

void TargetQueue::drop(const Target& target) {
  const auto place = entries_.find(target);
  if (place == entries_.end()) return;
  auto& entry = place->second;
  if (entry.where == &in_flight_) {
    entry.is_dropped = true;
    return;
  }
  entry.where->erase({entry.when, &place->first});
  entries_.erase(place);
}

void TargetQueue::move(const Target& target, Ticks due) {
  const auto place = entries_.find(target);
  if (place == entries_.end() || place->second.is_dropped) return;
  if (place->second.where == &in_flight_) {
    place->second.is_wanted = true;
  } else {
    put(place->second, place->first, waiting_, due);
  }
}

void TargetQueue::hasten(const Target& target, Ticks due) {
  const auto place = entries_.find(target);
  if (place == entries_.end() || place->second.where != &waiting_ || place->second.when <= due)
    return;
  put(place->second, place->first, waiting_, due);
}

void TargetQueue::promote(Ticks at) {
  while (!waiting_.empty() && waiting_.begin()->when <= at) {
    const auto* target = waiting_.begin()->target;
    put(entries_.find(*target)->second, *target, due_, waiting_.begin()->when);
  }
}

std::optional<Target> TargetQueue::take(Ticks at) {
  promote(at);
  if (due_.empty()) return std::nullopt;
  const auto* target = due_.begin()->target;
  std::optional<Target> out{*target};  // the last that wants memory
  put(entries_.find(*target)->second, *target, in_flight_, at);
  return out;
}

void TargetQueue::give_back(const Target& target, Ticks at, Ticks due, int failures) {
  const auto place = entries_.find(target);
  if (place == entries_.end() || place->second.where != &in_flight_) return;
  auto& entry = place->second;
  if (entry.is_dropped) {
    in_flight_.erase({entry.when, &place->first});
    entries_.erase(place);
    return;
  }
  put(entry, place->first, waiting_, entry.is_wanted ? at : due);
  entry.failures = failures;
  entry.is_wanted = false;
}

int TargetQueue::failures(const Target& target) const {
  const auto place = entries_.find(target);
  return place == entries_.end() ? 0 : place->second.failures;
}

std::vector<Target> TargetQueue::all() const {
  std::vector<Target> out;
  for (const auto& [target, entry] : entries_) {
    if (!entry.is_dropped) out.push_back(target);
  }
  return out;
}

std::vector<Target> TargetQueue::failing() const {
  std::vector<Target> out;
  for (const auto& [target, entry] : entries_) {
    if (entry.failures > 0 && !entry.is_dropped) out.push_back(target);
  }
  return out;
}

std::optional<Ticks> TargetQueue::next_due() const {
  if (!due_.empty()) return due_.begin()->when;
  return waiting_.empty() ? std::nullopt : std::optional{waiting_.begin()->when};
}

std::size_t TargetQueue::count_due(Ticks at) {
  promote(at);
  return due_.size();
}

std::optional<Ticks> TargetQueue::oldest_in_flight() const {
  return in_flight_.empty() ? std::nullopt : std::optional{in_flight_.begin()->when};
}

}  // namespace agent

#include "agent/watch/target_queue.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace agent {

// --- the heap

bool TargetQueue::is_before(const Node& a, const Node& b) {
  return std::tie(a.second.when, a.second.kind, a.first) <
         std::tie(b.second.when, b.second.kind, b.first);
}

void TargetQueue::set(std::size_t place, Node* node) {
  places_[place] = node;
  node->second.place = static_cast<std::uint32_t>(place);
}

void TargetQueue::swap(std::size_t a, std::size_t b) {
  auto* node = places_[a];
  set(a, places_[b]);
  set(b, node);
}

void TargetQueue::rise(std::size_t place) {
  for (; place > 0; place = (place - 1) / 2) {
    const auto above = (place - 1) / 2;
    if (!is_before(*places_[place], *places_[above])) return;
    swap(place, above);
  }
}

void TargetQueue::sink(std::size_t place) {
  for (auto below = 2 * place + 1; below < waiting_; below = 2 * place + 1) {
    if (below + 1 < waiting_ && is_before(*places_[below + 1], *places_[below])) ++below;
    if (!is_before(*places_[below], *places_[place])) return;
    swap(place, below);
    place = below;
  }
}

void TargetQueue::settle(const Node& node) {
  rise(node.second.place);
  sink(node.second.place);
}

// Of one that waits.
void TargetQueue::put(Node& node, Ticks when) {
  node.second.when = when;
  settle(node);
}

// From those in flight to those that wait.
void TargetQueue::enter(Node& node, Ticks when) {
  node.second.when = when;
  swap(node.second.place, waiting_);
  rise(waiting_++);
}

// And back.
void TargetQueue::leave(Node& node) {
  const auto place = node.second.place;
  swap(place, --waiting_);
  if (place != waiting_) settle(*places_[place]);
}

// Of one in flight.
void TargetQueue::erase(const Node& node) {
  swap(node.second.place, places_.size() - 1);
  places_.pop_back();
  auto& entries = entries_of(node.second.kind);
  entries.erase(entries.find(node.first));
}

const TargetQueue::Node* TargetQueue::find(const Target& target) const {
  const auto& entries = entries_[static_cast<std::size_t>(target.kind)];
  const auto entry = entries.find(target.name);
  return entry == entries.end() ? nullptr : &*entry;
}

TargetQueue::Node* TargetQueue::find(const Target& target) {
  return const_cast<Node*>(std::as_const(*this).find(target));
}

Target TargetQueue::target_of(const Node& node) {
  return {.kind = node.second.kind, .name = node.first};
}

// --- the outside

void TargetQueue::add(const Target& target, Ticks due) {
  auto& entries = entries_of(target.kind);
  const auto [place, is_new] = entries.try_emplace(target.name);
  auto& entry = place->second;
  if (is_new) {
    entry.kind = target.kind;
    try {
      places_.push_back(&*place);
    } catch (...) {
      entries.erase(place);
      throw;
    }
    set(places_.size() - 1, &*place);
    enter(*place, due);
  } else if (entry.is_dropped) {  // it has come back before its last probe ended
    entry.is_dropped = false;
    entry.is_wanted = true;
  }
}

void TargetQueue::drop(const Target& target) {
  auto* node = find(target);
  if (node == nullptr) return;
  if (is_in_flight(node->second)) {
    node->second.is_dropped = true;
    return;
  }
  leave(*node);
  erase(*node);
}

void TargetQueue::move(const Target& target, Ticks due) {
  auto* node = find(target);
  if (node == nullptr || node->second.is_dropped) return;
  if (is_in_flight(node->second))
    node->second.is_wanted = true;
  else
    put(*node, due);
}

void TargetQueue::hasten(const Target& target, Ticks due) {
  auto* node = find(target);
  if (node == nullptr || is_in_flight(node->second) || node->second.when <= due) return;
  put(*node, due);
}

std::optional<Target> TargetQueue::take(Ticks at) {
  if (waiting_ == 0 || places_.front()->second.when > at) return std::nullopt;
  auto& node = *places_.front();
  leave(node);
  node.second.when = at;
  return target_of(node);
}

void TargetQueue::give_back(const Target& target, Ticks at, Ticks due, int failures) {
  auto* node = find(target);
  if (node == nullptr || !is_in_flight(node->second)) return;
  auto& entry = node->second;
  if (entry.is_dropped) return erase(*node);
  constexpr int kMost = std::numeric_limits<std::uint16_t>::max();
  entry.failures = static_cast<std::uint16_t>(std::min(failures, kMost));
  enter(*node, entry.is_wanted ? at : due);
  entry.is_wanted = false;
}

int TargetQueue::failures(const Target& target) const {
  const auto* node = find(target);
  return node == nullptr ? 0 : node->second.failures;
}

std::vector<Target> TargetQueue::all() const {
  std::vector<Target> out;
  for (const auto& entries : entries_) {
    for (const auto& node : entries) {
      if (!node.second.is_dropped) out.push_back(target_of(node));
    }
  }
  return out;
}

std::vector<Target> TargetQueue::failing() const {
  std::vector<Target> out;
  for (const auto* node : places_) {
    if (node->second.failures > 0 && !node->second.is_dropped) out.push_back(target_of(*node));
  }
  return out;
}

std::optional<Ticks> TargetQueue::next_due() const {
  return waiting_ == 0 ? std::nullopt : std::optional{places_.front()->second.when};
}

// Whoever is due stands below others that are.
std::size_t TargetQueue::count_due(Ticks at) const {
  std::size_t out = 0;
  std::vector<std::size_t> open{0};
  while (!open.empty()) {
    const auto place = open.back();
    open.pop_back();
    if (place >= waiting_ || places_[place]->second.when > at) continue;
    ++out;
    open.push_back(2 * place + 1);
    open.push_back(2 * place + 2);
  }
  return out;
}

std::optional<Ticks> TargetQueue::oldest_in_flight() const {
  std::optional<Ticks> out;
  for (auto place = waiting_; place < places_.size(); ++place)
    out = std::min(out.value_or(Ticks::max()), places_[place]->second.when);
  return out;
}

}  // namespace agent

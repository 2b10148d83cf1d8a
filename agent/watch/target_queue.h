#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "agent/alerts/round.h"
#include "agent/self/clock.h"

// PURE
namespace agent {

// When each target is to be probed, and which are being probed. Each operation costs the same among
// a million targets. Taking a target and giving it back needs no memory, so that neither can fail.
class TargetQueue {
 public:
  // One that is there stays as it is.
  void add(const Target& target, Ticks due);
  void drop(const Target& target);
  // To be probed then instead. One that is being probed is probed again as soon as it is back.
  void move(const Target& target, Ticks due);

  // To be probed by then at the latest. One that is being probed is not probed once more for it.
  void hasten(const Target& target, Ticks due);

  // The one that has waited longest of those that are due; being probed from now on.
  [[nodiscard]] std::optional<Target> take(Ticks at);
  // It is back. `failures`: how often in a row, this time included, it could not be probed.
  void give_back(const Target& target, Ticks at, Ticks due, int failures);

  // In a row; 0 of one that is not here.
  [[nodiscard]] int failures(const Target& target) const;
  [[nodiscard]] std::vector<Target> all() const;
  // Those that could not be probed the last time, in no order.
  [[nodiscard]] std::vector<Target> failing() const;

  // When the next is due, of those not being probed.
  [[nodiscard]] std::optional<Ticks> next_due() const;
  // How many are due and wait.
  [[nodiscard]] std::size_t count_due(Ticks at) const;
  [[nodiscard]] std::size_t in_flight() const { return places_.size() - waiting_; }
  // When the one was taken that has been probed for longest.
  [[nodiscard]] std::optional<Ticks> oldest_in_flight() const;

 private:
  struct Entry {
    Ticks when{};             // due; in flight: taken
    std::uint32_t place = 0;  // in places_
    std::uint16_t failures = 0;
    Target::Kind kind{};
    bool is_wanted : 1 = false;   // while in flight: again, and at once
    bool is_dropped : 1 = false;  // while in flight: gone as soon as it is back
  };
  using Entries = std::map<probes::dns::Name, Entry>;
  using Node = Entries::value_type;
  Entries& entries_of(Target::Kind kind) { return entries_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] const Node* find(const Target& target) const;
  [[nodiscard]] Node* find(const Target& target);
  [[nodiscard]] static Target target_of(const Node& node);
  static bool is_before(const Node& a, const Node& b);
  [[nodiscard]] bool is_in_flight(const Entry& entry) const { return entry.place >= waiting_; }
  void set(std::size_t place, Node* node);
  void swap(std::size_t a, std::size_t b);
  void rise(std::size_t place);
  void sink(std::size_t place);
  void settle(const Node& node);
  void put(Node& node, Ticks when);
  void enter(Node& node, Ticks when);
  void leave(Node& node);
  void erase(const Node& node);

  std::array<Entries, 3> entries_;  // by Target::Kind
  // First those that wait, as a binary heap: whoever stands at (n-1)/2 comes before whoever stands
  // at n. Behind them those in flight, in no order.
  std::vector<Node*> places_;
  std::size_t waiting_ = 0;
};

}  // namespace agent

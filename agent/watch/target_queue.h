#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>

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
  // Those that could not be probed the last time.
  [[nodiscard]] std::vector<Target> failing() const;

  // When the next is due, of those not being probed.
  [[nodiscard]] std::optional<Ticks> next_due() const;
  // How many are due and wait.
  [[nodiscard]] std::size_t count_due(Ticks at);
  [[nodiscard]] std::size_t in_flight() const { return in_flight_.size(); }
  // When the one was taken that has been probed for longest.
  [[nodiscard]] std::optional<Ticks> oldest_in_flight() const;

 private:
  struct Entry;
  struct Place {
    Ticks when;  // due; in flight: taken
    const Target* target;
    bool operator<(const Place& other) const {
      return when != other.when ? when < other.when : *target < *other.target;
    }
  };
  using Places = std::set<Place>;
  struct Entry {
    Ticks when{};
    Places* where = nullptr;  // of the three
    int failures = 0;
    bool is_wanted = false;   // while in flight: again, and at once
    bool is_dropped = false;  // while in flight: gone as soon as it is back
  };
  void put(Entry& entry, const Target& target, Places& where, Ticks when);
  void promote(Ticks at);

  std::map<Target, Entry> entries_;
  Places waiting_, due_, in_flight_;  // `due_`: as far as it was noticed
};

}  // namespace agent

#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/history/cadence.h"
#include "agent/watch/inventory.h"
#include "agent/watch/manners.h"
#include "agent/watch/snapshot_source.h"
#include "agent/watch/target_queue.h"
#include "config/config.h"

// PURE
namespace agent {

// Our own check is made so often at least.
inline constexpr config::Seconds kVantageEvery{30};

inline Target ourselves() {
  return {.kind = Target::Kind::monitor, .name = {}};
}

// What is to be probed and when: by our own workers, from the other places of a fleet, and for
// another agent that leads; and that providers are asked politely (Manners). A target that is taken
// is under way until it is given back. Every moment is handed in.
class Agenda {
 public:
  // `shown`: what is known of hosts by now; outlives it, and is under the same lock.
  Agenda(const SnapshotSource& shown, const config::Config& config);
  // The schedule and the manners from now on.
  void adopt(const config::Config& config);

  // --- who is probed

  // A domain in its time, a host now, from every place. `host`: the host; null of others.
  void add(const Target& target, const Inventory::Host* host, Ticks at);
  void drop(const Target& target);
  // The host has been seen: where it is tells whose it is.
  void take_seen(const probes::dns::Name& host) { strangers_.erase(host); }
  // Where other agents look from now: there, too, every host is probed.
  void set_places(const std::set<std::string>& others, const Inventory& inventory, Ticks at);

  // --- when: at our own place unless something else is said

  void move(const Target& target, Ticks due) { own_.move(target, due); }
  // By then at the latest, and in its turn if it is under way.
  void hasten(const Target& target, Ticks due) { own_.hasten(target, due); }
  void move_there(const std::string& vantage, const Target& target, Ticks due);
  // Now, whoever waits for a turn with its provider: a person asks.
  void ask_for(const Target& target, Ticks at);
  // The clock was set: ourselves now, and everybody from the other places. (Who is watched from
  // here is for the caller to move: people are shown when that is.)
  void take_step(Ticks at);
  [[nodiscard]] std::vector<Target> all() const { return own_.all(); }
  [[nodiscard]] std::vector<Target> failing() const { return own_.failing(); }

  // --- taking: what is due, and may be asked now; others wait their turn

  [[nodiscard]] std::optional<Target> take(Ticks at);
  // For another agent of our own place, when all of our `workers` are busy.
  [[nodiscard]] std::vector<Target> lend(std::size_t most, std::size_t workers, Ticks at);
  [[nodiscard]] std::vector<Target> take_from(const std::string& vantage, std::size_t most,
                                              Ticks at);

  // --- giving back

  // How a probe went, as far as the next one depends on it.
  struct Ending {
    ProbeOutcome pace = ProbeOutcome::impaired;
    std::optional<config::Seconds> interval;  // to the next, where that is not the schedule's
    bool was_sent_away = false;               // the server had enough of us
  };
  // When it is due next: to be shown before it is given back, which cannot fail half-way then.
  [[nodiscard]] Ticks due_after(const Target& target, const Ending& ending, Ticks at) const;
  void give_back(const Target& target, const Ending& ending, Ticks at, Ticks due);
  // It was lent, and has come: it is given back next. False: nobody had it.
  bool take_back(const Target& target) { return lent_.erase(target) > 0; }
  void give_back_there(const std::string& vantage, const Target& target, const Ending& ending,
                       Ticks at);

  // --- errands, on which another agent sent us

  bool begin_errand(const Target& target, Ticks at);  // false: it is on its way already
  [[nodiscard]] bool is_errand(const Target& target) const { return errands_.contains(target); }
  bool end_errand(const Target& target);  // whether it was one

  // --- how it goes

  [[nodiscard]] std::optional<Ticks> next_due() const { return own_.next_due(); }
  [[nodiscard]] std::size_t count_due(Ticks at) const { return own_.count_due(at); }
  // Under way with our own workers.
  [[nodiscard]] std::size_t looking() const { return own_.in_flight() - lent_.size(); }
  [[nodiscard]] std::optional<Ticks> oldest_in_flight() const { return own_.oldest_in_flight(); }
  // Providers that are spared for having sent us away (Manners).
  [[nodiscard]] std::vector<Manners::Held> spared(Ticks at) const { return manners_.held(at); }
  [[nodiscard]] std::optional<std::vector<Manners::Held>> take_news_of_spared(Ticks at) {
    return manners_.take_news(at);
  }
  void spare(const Manners::Held& one) { manners_.restore(one); }

 private:
  [[nodiscard]] int failures_after(const Target& target, const Ending& ending) const;
  [[nodiscard]] bool is_minded(bool is_ours) const;
  [[nodiscard]] std::vector<std::string> whose(const Target& target,
                                               const SnapshotSource::Known& known) const;
  std::optional<Target> take_politely(TargetQueue& from, const std::string& vantage, Ticks at);
  std::optional<Ticks> begin_politely(const Target& target, const std::string& vantage, Ticks at);
  void end_politely(const Target& target, const std::string& vantage, bool was_sent_away, Ticks at);
  void forget_place(const std::string& vantage, Ticks at);

  const SnapshotSource& shown_;
  config::Schedule schedule_;
  config::Politeness politeness_;
  config::Seconds cross_check_{};
  TargetQueue own_;
  std::map<std::string, TargetQueue> there_;  // by vantage
  Manners manners_;
  std::set<probes::dns::Name> strangers_;  // hosts not seen yet, and to be minded
  // Hosts that are probed now, by vantage, and whose they are; and those that a person asks for.
  std::map<std::pair<std::string, Target>, std::vector<std::string>> asked_;
  std::set<Target> wanted_now_;
  std::set<Target> errands_;
  std::set<Target> lent_;  // of our own place, to others there
};

}  // namespace agent

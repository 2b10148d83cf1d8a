#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/self/clock.h"
#include "config/result.h"
#include "config/time.h"
#include "storage/place.h"

namespace storage {

// One of the agents that share a database of PostgreSQL: a fleet.
struct FleetMember {
  std::string name;     // unique among them
  std::string vantage;  // where it looks from
  std::string url;      // where the others reach its API; empty: they cannot
  bool leads = false;
  config::Time seen_at{};  // by the server's clock
  std::uint64_t looks = 0;
  std::string fault;           // why it cannot look; empty: it can
  config::Seconds silence{0};  // since then; of members() only
};

// Of them one leads: it has an advisory lock, on a connection of its own, and an epoch, a number
// that rises with every one that began to lead. Whatever a leader decides is written under its
// epoch (Place::led_in), and refused once there is another: a machine that was paused, or cut off,
// for long writes nothing and finds no letters to send. The lock is taken again when the server was
// away meanwhile. Whoever finds the schema made newer by a later danelaw leaves the lead to it.
class Leadership {
 public:
  struct Calls {
    // Another agent leads; is called once, from a thread of its own.
    std::function<void(const std::string& words)> on_lost;
    // Whether this agent does its work; while not it gives no sign of life, and another may take
    // over. From that thread, too.
    std::function<bool()> is_well;
    // Goes on while the machine sleeps.
    std::function<agent::Ticks()> ticks = agent::system_clocks().ticks;
  };
  ~Leadership();
  Leadership(const Leadership&) = delete;
  Leadership& operator=(const Leadership&) = delete;

  [[nodiscard]] std::int64_t epoch() const;
  // Asks the server. What it does not answer is taken for yes. Any thread.
  [[nodiscard]] bool is_held();
  // Nobody else can have begun to lead, as far as this agent can know without the server: it gave a
  // sign of life within `takeover`, or it was alone when it last could ask. Never waits; any
  // thread.
  [[nodiscard]] bool is_sure() const;
  // All that gave a sign of life within a day, by name. Any thread.
  [[nodiscard]] config::Result<std::vector<FleetMember>, std::string> members();
  // One more target was looked at by this agent: others' looks do not count. Any thread.
  void count_look(const std::string& agent);

 private:
  friend class Candidacy;
  struct State;
  explicit Leadership(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// An agent that would lead. For one thread.
class Candidacy {
 public:
  // `takeover`: so long after its last sign of life the lock is taken from one that leads; one that
  // ends gives it back at once.
  Candidacy(Place place, FleetMember self, config::Seconds takeover);
  ~Candidacy();

  struct NotYet {
    std::string words;                  // why: for logs
    std::optional<FleetMember> leader;  // null: the database cannot say
    bool is_namesake = false;  // another agent of the fleet has our name: `leader` is that one
  };
  // Gives a sign of life, too. Makes the schema at the first try. Calls after success are of no
  // use.
  [[nodiscard]] config::Result<std::unique_ptr<Leadership>, NotYet> try_to_lead(
      Leadership::Calls calls);
  // What its signs of life tell from now on: targets looked at so far, and why it cannot look.
  void tell(std::uint64_t looks, std::string fault);

 private:
  std::optional<FleetMember> returning_leader();
  std::optional<NotYet> namesake();

  Place place_;
  FleetMember self_;
  config::Seconds takeover_;
  std::uint64_t looks_ = 0;
  bool had_name_ = false;  // a session of ours did
  // The database was away: as long as the one that leads may be back at once it has the precedence.
  bool was_cut_ = false;
  std::optional<config::Time> leader_seen_at_;  // when it was back
  std::unique_ptr<Leadership::State> state_;    // null: there is no session
};

}  // namespace storage

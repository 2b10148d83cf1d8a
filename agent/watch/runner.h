#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "agent/alerts/actions.h"
#include "agent/alerts/ports.h"
#include "agent/rollover/rollover.h"
#include "agent/self/clock.h"
#include "agent/self/progress.h"
#include "agent/self/self_check.h"
#include "agent/watch/probe_counts.h"
#include "agent/watch/scout.h"
#include "config/config.h"

namespace agent {

// Everything the agent knows at one moment, for the page and the metrics. Immutable once made.
struct Snapshot {
  config::Time now;
  config::Time started_at;
  config::Schedule schedule;
  config::Metrics metrics;
  std::vector<DomainState> domains;  // in the order of the configuration
  std::vector<std::pair<probes::dns::Name, probes::HostSeen>>
      hosts;  // the observed hosts of those domains, by name
  struct Followed {
    probes::HostSeen host;
    std::shared_ptr<const Rollovers> rollovers;
    std::optional<config::Time> rolling_since;  // a change of key is under way since then
  };
  std::vector<Followed> rollovers;  // of the hosts that have a TLSA owner to follow, by name
  std::vector<Alert> alerts;        // pending and firing, by id
  std::vector<Alert> ended;         // resolved in the last hours
  std::vector<Alert> passed;        // the same of those that never fired
  std::vector<Silence> silences;
  std::vector<Exception> exceptions;
  std::vector<VantageCheck> vantage;
  std::vector<ResolverSight> resolvers;
  std::size_t queue_length = 0;  // targets that are due and wait for a worker
  std::size_t in_flight = 0;
  config::Seconds lag{0};  // how late the most overdue target is
  std::uint64_t rounds = 0;
  std::optional<config::Time> last_round_at;
  Progress progress;
  std::uint64_t record_errors = 0;
  std::optional<std::string> storage_fault;  // why nothing is recorded; null while all is
  std::size_t unrecorded_rounds = 0;         // that wait in memory
  std::uint64_t lost_rounds = 0;             // that waited too long to be kept
  std::uint64_t clock_steps = 0;
  std::array<std::uint64_t, 6> dns_by_rcode_udp{}, dns_by_rcode_tcp{};  // of dns::QueryCounts
  std::uint64_t dns_unanswered = 0;
  ProbeCounts counts;
  Durations recordings;  // rounds written into the database
};

// What the runner calls out with; one line per event. Called from worker threads, must not block
// long.
struct Events {
  std::function<void(const Alert&, const Transition&)> on_transition = [](const Alert&,
                                                                          const Transition&) {};
  std::function<void(const Round&)> on_round = [](const Round&) {};
  std::function<void(const std::string&)> on_fault = [](const std::string&) {};
  std::function<void(const std::string&)> on_recovery = [](const std::string&) {};
  std::function<void()> on_letters = [] {};  // some were recorded, or could not be
  std::function<void(const ClockStep&)> on_clock_step = [](const ClockStep&) {};
};

// Whether we can be relied on: cheap to ask for, whatever the number of targets.
struct Health {
  std::optional<std::string> stall;       // why nobody should take us for watching
  std::optional<std::string> stuck;       // why a restart would help
  std::optional<std::string> unrecorded;  // why nothing is recorded
};

// Looks at every target when it is due, follows what it sees, and records it: due → observe → judge
// → follow → record. Owns the worker threads. All public functions may be called from any thread.
class Runner final : public Actions {
 public:
  using MakeProber = std::function<config::Result<std::unique_ptr<Prober>, std::string>(
      std::shared_ptr<Gear> gear)>;

  // `gear` and `recorder` outlive the runner. `desk` is what to go on with. `make_prober`: for each
  // worker one; by default Scouts.
  Runner(config::Config config, std::shared_ptr<Gear> gear, Recorder& recorder, Recorder::Desk desk,
         Events events, Clocks clocks, MakeProber make_prober = {});
  ~Runner() override;  // stop()

  void start();
  // Ends the threads; a look under way is cut off at its next deadline check. Idempotent.
  void stop();

  // Takes another configuration: targets come and go, what is known of the others stays.
  void reconfigure(config::Config config, std::shared_ptr<Gear> gear);
  // Has the recorder forget closed history from before that moment, soon; but not while it is
  // doubtful what time it is.
  void forget(config::Time before);
  // Looks at the domain and its hosts as soon as a worker is free; false when it is not configured.
  bool check_now(std::string_view domain);

  Done acknowledge(const std::string& alert, std::optional<Acknowledgement> how) override;
  config::Result<Silence, std::string> silence(Silence wanted) override;
  Done end_silence(const std::string& id) override;
  config::Result<Exception, std::string> make_exception(const std::string& domain) override;
  Done end_exception(const std::string& domain) override;

  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const;
  [[nodiscard]] Health health() const;
  // One domain as it is in the snapshot; nothing when it is not watched.
  [[nodiscard]] std::optional<DomainState> domain(std::string_view name) const;
  // For ResilientOutbox.
  [[nodiscard]] std::vector<Letter> unrecorded_letters() const;

 private:
  struct State;
  template <class Work>
  Done decide(Work work);
  void work(const std::stop_token& stop);

  std::unique_ptr<State> state_;
  std::vector<std::jthread> workers_;
};

}  // namespace agent

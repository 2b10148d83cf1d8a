#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agent/self/progress.h"
#include "agent/self/sight.h"
#include "agent/watch/agenda.h"
#include "agent/watch/follower.h"
#include "agent/watch/journal.h"
#include "agent/watch/runner.h"
#include "agent/watch/snapshot_source.h"
#include "config/mutex.h"

// The inside of the runner: its parts, its locks and the way of a look through them. looks.cc is
// what a look does, runner_state.cc the clock, the threads and what is watched by which means,
// runner_acts.cc what people have it do, runner.cc the rest of the outside.
namespace agent {

// A look that failed in a way that may be ours asks again how we see, but not more often than this.
inline constexpr config::Seconds kVantageAtMost{2};

// Without memory for the next step, so long is waited for others to give some back.
inline constexpr std::chrono::milliseconds kMemoryWait{200};

// A look observes without any lock, then decides under `deciding`; what was decided is shown under
// `mutex`, which is never held for long.
struct Runner::State {
  State(config::Config config, std::shared_ptr<ProbeContext> context, Recorder& recorder,
        Recorder::RestoredState restored, Events events, const Clocks& clocks,
        MakeProber make_prober);

  // --- looks (looks.cc)

  // Of what a look needs to know of its time: the moment, and whether it still holds in the end.
  struct Moment {
    config::Time at;
    std::uint64_t steps = 0;
  };
  struct Ending : Agenda::Ending {
    std::optional<probes::Recorded> errand = std::nullopt;  // of a look for another agent
  };
  Ending look(Prober& prober, const Target& target);
  Ending probe_ourselves(Prober& prober);
  Ending probe_domain(Prober& prober, const probes::dns::Name& name);
  Ending probe_host(Prober& prober, const probes::dns::Name& name);
  void confirm_next_key(Prober& prober, const probes::dns::Name& name) EXCLUDES(deciding, mutex);

  // Decides by what was seen of a domain or host, from wherever, since `began`.
  Ending follow(probes::Recorded look, const std::vector<probes::dns::ZoneSerials>& serials,
                const Moment& began);
  // Has the places look that are waited for.
  void ask_elsewhere(const Target& target, const Follower::Consequences& led_to) REQUIRES(deciding)
      EXCLUDES(mutex);
  [[nodiscard]] bool is_errand(const Target& target) const EXCLUDES(mutex);

  // What was seen, with who saw it.
  [[nodiscard]] probes::Recorded recorded(probes::Recorded seen) const EXCLUDES(mutex);

  // How we see, asked again when the last answer is older than `max_age`. Null when all is well.
  std::optional<SelfCheck> sense(Prober& prober, config::Seconds max_age);
  // Tries one after the other whom `wanted`, asked anew each time, names. One worker at a time
  // does; who waits finds its question answered.
  using Wanted = std::function<std::vector<OutboundSmtp::ControlHost>(const OutboundSmtp&)>;
  void try_controls(Prober& prober, const Wanted& wanted) EXCLUDES(trying);
  // Weighs what got stuck: true when that says something of us rather than of the host.
  bool confirm_with_controls(Prober& prober, probes::HostObservation& seen, config::Time began);
  // Whether failures that only our resolver told of are its own.
  bool is_resolvers_own(Prober& prober, const probes::dns::Name& target,
                        const std::vector<const probes::dns::Answer*>& answers);
  // Whether sessions get out of here. When that turns, all domains are judged anew, and what could
  // not be learned meanwhile is looked at again.
  void sense_way_out(Round& round) REQUIRES(deciding);
  // The target left while it was looked at, and says nothing any more; what was learned of it
  // meanwhile is let go of.
  bool has_left(const Target& target) REQUIRES(deciding);
  // What is shown is what was decided, whatever became of it on the way.
  void show_anew() REQUIRES(deciding) EXCLUDES(mutex);
  // Whether what is seen is recorded, and what was recorded is sound.
  [[nodiscard]] SelfCheck storage_check(config::Time at) const;
  [[nodiscard]] Seeing seeing() const EXCLUDES(mutex);

  // Decides what people are told, says what happened, and has the round recorded. Nobody waits for
  // that: page, metrics and people go by what the agent knows, and the disk follows.
  Journal::Ticket record(Round& round, Follower::Scope scope) REQUIRES(deciding);
  // Does what following a look led to.
  void take(const Follower::Consequences& led_to) REQUIRES(deciding);

  // --- the clock

  // Looks whether the clock was set, and if so goes on with the time that holds now: everything
  // that is remembered with its time is restated, and everybody is looked at anew. To be called
  // often, and before anything is decided.
  void notice_step() EXCLUDES(timing, deciding, mutex);
  std::optional<ClockStep> observe_clocks() REQUIRES(timing);
  Moment moment();
  // The clock was set since: what was seen has a time that does not hold any more, and it is looked
  // at anew.
  [[nodiscard]] bool is_overtaken(const Moment& began) const EXCLUDES(mutex);
  // What the clock will say then, as far as it goes right.
  [[nodiscard]] config::Time wall_of(Ticks moment) const;
  [[nodiscard]] std::vector<Spared> in_wall_time(const std::vector<Manners::Held>& held) const;

  // --- threads

  // One thread's: ends only when it is told to. Whatever a look comes to, the next target is taken.
  void work(const std::stop_token& stop);
  void renew(std::unique_ptr<Prober>& prober, std::uint64_t& made_of);
  // Sleeps until a target is due, and takes it; nothing when the thread shall end.
  std::optional<Target> next_task(const std::stop_token& stop);
  void finish_target(const Target& target, const Agenda::Ending& ending);
  // A library threw, or memory was short: that look is lost, and nothing else.
  void lose_look(const Target& target, std::string_view why);
  // Does it as soon as there is memory for it, however long that takes.
  template <class Work>
  auto insist(const std::stop_token& stop, const Work& work) {
    while (true) {
      try {
        return work();
      } catch (const std::bad_alloc&) {
        config::Lock lock(mutex);
        wake.wait_for(lock, stop, kMemoryWait, [] { return false; });
      }
    }
  }
  [[nodiscard]] Progress progress() const REQUIRES(mutex);

  void look_at_ourselves_now() EXCLUDES(mutex);
  // We see again: what was waiting for that need not wait longer.
  void resume_impaired() REQUIRES(mutex);
  // To be probed then instead, and shown so.
  void move(const Target& target, Ticks due) REQUIRES(mutex);
  // As at a start, spread a little.
  void look_at_first(const Target& target) REQUIRES(mutex);

  // --- the outside

  // Watches what is configured, and nothing else. `fresh`: null to go on with what is there.
  void adopt(config::Config wanted, std::shared_ptr<ProbeContext> fresh);
  // Looks with other means from now on.
  void take_gear(std::shared_ptr<ProbeContext> fresh) REQUIRES(deciding, mutex);
  void renew_gear();
  // Does `work` on the follower and records what it wrote into the round. `work` returns a fault in
  // words, or null.
  using Work = std::function<std::optional<std::string>(Follower& follower, Round& round)>;
  Done decide(const Work& work);
  // The same, and does what it led to.
  using FarWork = std::function<std::optional<std::string>(Follower& follower, Round& round,
                                                           Follower::Consequences& led_to)>;
  Done decide_and_do(const FarWork& work);

  Recorder& recorder;
  const Events events;
  const std::function<config::Time()> now;
  const std::function<Ticks()> ticks;
  const std::chrono::milliseconds longest_sleep;
  const MakeProber make_prober;
  const config::Time started_at;

  config::Mutex timing;
  StepDetector steps GUARDED_BY(timing);

  config::Mutex trying ACQUIRED_AFTER(timing);  // by whom controls are tried

  // Decisions are made, and handed to the journal, one at a time.
  config::Mutex deciding ACQUIRED_AFTER(trying);
  Follower follower GUARDED_BY(deciding);

  mutable config::Mutex mutex ACQUIRED_AFTER(deciding);
  std::condition_variable_any wake;
  config::Config config GUARDED_BY(mutex);  // without the domains, once taken up
  bool is_taken_up GUARDED_BY(mutex) = false;
  std::shared_ptr<ProbeContext> context GUARDED_BY(mutex);
  std::uint64_t generation GUARDED_BY(mutex) = 0;  // of context
  OwnSight sight GUARDED_BY(mutex);
  SnapshotSource published GUARDED_BY(mutex);
  Agenda agenda GUARDED_BY(mutex);
  ProbeCounts counts GUARDED_BY(mutex);
  std::shared_ptr<const ReportsBySubject> reports GUARDED_BY(mutex);  // as shown
  std::vector<ListHealth> lists GUARDED_BY(mutex);
  unsigned workers GUARDED_BY(mutex) = 0;
  unsigned living GUARDED_BY(mutex) = 0;
  std::uint64_t rounds GUARDED_BY(mutex) = 0;
  std::optional<config::Time> last_round_at GUARDED_BY(mutex);
  Ticks round_ended GUARDED_BY(mutex);  // the last, or the start

  // A look was lost half-way: what is shown may differ from what was decided.
  std::atomic<bool> is_shaken{false};

  std::unique_ptr<Journal> journal;  // last: its thread uses the others
};

}  // namespace agent

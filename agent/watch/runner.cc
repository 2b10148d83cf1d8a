#include "agent/watch/runner.h"

#include <algorithm>
#include <condition_variable>
#include <random>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "agent/history/cadence.h"
#include "agent/self/progress.h"
#include "agent/self/sight.h"
#include "agent/watch/follower.h"
#include "agent/watch/journal.h"
#include "agent/watch/snapshot_source.h"
#include "agent/watch/target_queue.h"
#include "agent/watch/threads.h"
#include "config/mutex.h"

namespace agent {
namespace {

using config::Lock;
using config::Mutex;
using config::Seconds;
using config::Time;
using probes::dns::Name;
using probes::dns::Outcome;

constexpr Seconds kVantageEvery{30};
// A look that failed in a way that may be ours asks again how we see, but not more often than this.
constexpr Seconds kVantageAtMost{2};
// For notifiers, where threads are few.
constexpr std::size_t kSpareThreads = 4;
// Without memory for the next step, so long is waited for others to give some back.
constexpr std::chrono::milliseconds kMemoryWait{200};
// Whoever asks for something waits so long for it to be recorded.
constexpr std::chrono::seconds kActPatience{2};

const Target kOurselves{.kind = Target::Kind::monitor, .name = {}};

// May the failure be the resolver's or ours rather than the zone's?
bool may_be_ours(const probes::dns::Answer& answer) {
  using probes::dns::Cause;
  if (answer.outcome != Outcome::failed) return answer.signing.needs_grace;
  switch (answer.cause) {
    case Cause::timeout:
    case Cause::network:
    case Cause::servfail:
    case Cause::refused:
    case Cause::other_rcode:
    case Cause::chain_unreachable:
    case Cause::signature_expired:
    case Cause::signature_not_yet_valid:
      return true;
    default:
      return false;
  }
}

bool may_be_ours(const probes::HostObservation& host) {
  return may_be_ours(host.a) || may_be_ours(host.aaaa) || may_be_ours(host.cname) ||
         may_be_ours(host.tlsa);
}

// Unique for ever, in practice.
std::string new_id() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

Runner::MakeProber or_scouts(Runner::MakeProber make) {
  if (make) return make;
  return [](std::shared_ptr<Gear> gear) -> config::Result<std::unique_ptr<Prober>, std::string> {
    auto made = Scout::make(std::move(gear));
    if (!made) return config::Failure<std::string>(made.error());
    return std::unique_ptr<Prober>(std::move(*made));
  };
}

}  // namespace

// The threads and the locks. A look observes without any lock, then decides under `deciding`, and
// what was decided is shown under `mutex`, which is never held for long.
struct Runner::State {
  // How a look went, as far as the next one depends on it.
  struct Ending {
    Pace pace = Pace::impaired;
    std::optional<Seconds> interval;  // to the next, where that is not the schedule's
  };

  Recorder& recorder;
  const Events events;
  const std::function<Time()> now;
  const std::function<Ticks()> ticks;
  const std::chrono::milliseconds longest_sleep;
  const MakeProber make_prober;
  const Time started_at;

  Mutex timing;
  StepDetector steps GUARDED_BY(timing);

  Mutex trying ACQUIRED_AFTER(timing);  // by whom witnesses are tried

  // Decisions are made, and handed to the journal, one at a time.
  Mutex deciding ACQUIRED_AFTER(trying);
  Follower follower GUARDED_BY(deciding);

  mutable Mutex mutex ACQUIRED_AFTER(deciding);
  std::condition_variable_any wake;
  config::Config config GUARDED_BY(mutex);  // without the domains
  std::shared_ptr<Gear> gear GUARDED_BY(mutex);
  std::uint64_t generation GUARDED_BY(mutex) = 0;  // of gear
  TargetQueue queue GUARDED_BY(mutex);
  OwnSight sight GUARDED_BY(mutex);
  SnapshotSource published GUARDED_BY(mutex);
  ProbeCounts counts GUARDED_BY(mutex);
  unsigned workers GUARDED_BY(mutex) = 0;
  unsigned living GUARDED_BY(mutex) = 0;
  std::uint64_t rounds GUARDED_BY(mutex) = 0;
  std::optional<Time> last_round_at GUARDED_BY(mutex);
  Ticks round_ended GUARDED_BY(mutex);  // the last, or the start

  std::unique_ptr<Journal> journal;  // last: its thread uses the others

  State(config::Config c, std::shared_ptr<Gear> g, Recorder& r, Recorder::Desk desk, Events e,
        const Clocks& clocks, MakeProber make)
      : recorder(r),
        events(std::move(e)),
        now(clocks.wall),
        ticks(clocks.ticks),
        longest_sleep(clocks.asked_every),
        make_prober(or_scouts(std::move(make))),
        started_at(now()),
        steps(started_at, ticks()),
        follower(r, std::move(desk)),
        config(std::move(c)),
        gear(std::move(g)),
        round_ended(ticks()) {
    journal = std::make_unique<Journal>(
        recorder, ticks,
        Journal::Events{.on_letters = [this] { events.on_letters(); },
                        .on_fault =
                            [this](const std::string& detail) {
                              events.on_fault("nothing is recorded: " + detail);
                              look_at_ourselves_now();
                            },
                        .on_recovery =
                            [this] {
                              events.on_recovery("recording works again");
                              look_at_ourselves_now();
                            }});
  }

  // --- the clock
  // --------------------------------------------------------------------------------------------------

  // Looks whether the clock was set, and if so goes on with the time that holds now: everything
  // that is remembered with its time is restated, and everybody is looked at anew. To be called
  // often, and before anything is decided.
  void notice_step() EXCLUDES(timing, deciding, mutex) {
    {
      const Lock only(timing);  // nobody else decides anything in a time that is over
      const auto found = observe_clocks();
      if (!found) return;
      const Lock one(deciding);
      Round round{.target = kOurselves, .at = now(), .clock_step = found};
      follower.restate(*found);
      follower.start_anew();
      VantageCheck clock{.check = "clock", .checked_at = round.at};
      {
        const Lock lock(mutex);
        sight.take_step(*found, ticks());
        clock = sight.stepped(std::move(clock), ticks());
        published.set_alerts(follower.book());
        for (const auto& target : queue.all()) look_at_first(target);
        queue.move(kOurselves, ticks());
      }
      follower.follow(round, {clock});
      events.on_clock_step(*found);
      record(round, Follower::Scope::changed);
    }
    renew_gear();
    wake.notify_all();
  }

  std::optional<ClockStep> observe_clocks() REQUIRES(timing) {
    while (true) {
      const auto before = ticks();
      const auto wall = now();
      const auto after = ticks();
      // Otherwise this thread slept between the two.
      if (after - before < Seconds{1}) return steps.observe(wall, after);
    }
  }

  // Its caches hold what they should not, by the time that holds now.
  void renew_gear() {
    config::Config current;
    {
      const Lock lock(mutex);
      current = config;
    }
    auto fresh = Gear::make(current);
    if (!fresh) return events.on_fault(fresh.error());
    const Lock one(deciding);
    const Lock lock(mutex);
    take_gear(std::move(*fresh));
  }

  void take_gear(std::shared_ptr<Gear> fresh) REQUIRES(deciding, mutex) {
    gear = std::move(fresh);
    ++generation;
    follower.start_anew();
    sight.start_anew();
  }

  // Of what a look needs to know of its time: the moment, and whether it still holds in the end.
  struct Moment {
    Time at;
    std::uint64_t steps = 0;
  };
  Moment moment() {
    notice_step();
    const Lock lock(mutex);
    return {now(), sight.clock_steps()};
  }
  // The clock was set since: what was seen has a time that does not hold any more, and it is looked
  // at anew.
  bool is_overtaken(const Moment& began) const {
    const Lock lock(mutex);
    return began.steps != sight.clock_steps();
  }
  // What the clock will say then, as far as it goes right.
  Time wall_of(Ticks moment) const { return now() + std::chrono::ceil<Seconds>(moment - ticks()); }

  // --- how we see
  // -------------------------------------------------------------------------------------------------

  Follower::Seeing seeing() const {
    const Lock lock(mutex);
    const auto* blocked = sight.blocked();
    return {.blocked = blocked == nullptr ? std::nullopt : std::optional{*blocked},
            .is_blind = sight.is_blind(),
            .is_time_doubtful = sight.is_time_doubtful(ticks())};
  }

  // How we see, asked again when the last answer is older than `max_age`. Null when all is well.
  std::optional<VantageCheck> sense(Prober& prober, Seconds max_age) {
    {
      const Lock lock(mutex);
      if (sight.is_fresh(ticks(), max_age)) return sight.fault();
    }
    const auto began = moment();
    const auto asked_at = ticks();
    auto checks = prober.look_at_ourselves(began.at);
    Controls known;
    {
      const Lock lock(mutex);
      known = sight.controls();
    }
    auto resolvers = prober.look_at_resolvers(known, began.at);
    notice_step();
    std::optional<VantageCheck> fault;
    if (const auto* failing = first_failing(checks)) fault = *failing;
    Round round{.target = kOurselves, .at = now()};
    const Lock one(deciding);
    if (!is_overtaken(began)) {
      std::optional<OwnSight::Checked> taken;
      {
        const Lock lock(mutex);
        taken = sight.take(std::move(checks), std::move(resolvers), asked_at, ticks(), round.at);
        if (taken && taken->sees_again) resume_impaired();
      }
      if (taken) follower.follow(round, taken->checks);
    }
    record(round, Follower::Scope::all);
    return fault;
  }

  // Tries one after the other whom `wanted`, asked anew each time, names of the SmtpReach. One
  // worker at a time does; who waits finds its question answered.
  template <class Wanted>
  void try_witnesses(Prober& prober, Wanted wanted) EXCLUDES(trying) {
    const Lock one(trying);
    std::set<std::pair<Name, std::string>> tried;
    while (true) {
      std::optional<SmtpReach::Witness> next;
      {
        const Lock lock(mutex);
        for (const auto& witness : wanted(sight.reach())) {
          if (!next && tried.emplace(witness.host, witness.address).second) next = witness;
        }
      }
      if (!next) return;
      const auto began = now();
      const auto session = prober.try_address(next->host, next->address);
      const Lock lock(mutex);
      sight.take_try(next->host, session, began);
    }
  }

  // Weighs what got stuck: true when that says something of us rather than of the host.
  bool weigh(Prober& prober, probes::HostObservation& seen, Time began) {
    {
      const Lock lock(mutex);
      sight.take(seen.host, seen.sessions, began);
    }
    try_witnesses(prober, [&](const SmtpReach& reach) { return reach.doubted_by(seen, began); });
    const Lock lock(mutex);
    return sight.reach().excuse(seen);
  }

  // Whether failures that only our resolver told of are its own.
  bool is_resolvers_own(Prober& prober, const Name& target,
                        const std::vector<const probes::dns::Answer*>& answers) {
    OwnSight::Doubt doubt;
    {
      const Lock lock(mutex);
      doubt = sight.doubt(target, answers, now());
    }
    if (doubt.is_ours || doubt.witnesses.empty()) return doubt.is_ours;
    const auto failing = prober.count_failing(doubt.witnesses, now());
    if (!is_too_many(failing, doubt.witnesses.size())) return false;
    const Lock lock(mutex);
    sight.blame_resolvers(fmt::format("fails for {} of {} names that it could tell before", failing,
                                      doubt.witnesses.size()),
                          now());
    return true;
  }

  // Whether sessions get out of here. When that turns, all domains are judged anew, and what could
  // not be learned meanwhile is looked at again.
  void sense_way_out(Round& round) REQUIRES(deciding) {
    OwnSight::WayOut out;
    std::set<std::string> untellable;
    {
      const Lock lock(mutex);
      out = sight.sense_way_out(round.at, gear->manner.helo);
      for (const auto* check : {"smtp_ipv4", "smtp_ipv6", "greeting"}) {
        if (sight.is_untellable(check)) untellable.insert(check);
      }
      if (out.is_any_up_again) resume_impaired();
    }
    follower.follow_way_out(
        round, out.checks, [&](const std::string& check) { return untellable.contains(check); },
        out.has_turned, seeing());
  }

  // Whether what is seen is recorded, and what was recorded is sound.
  VantageCheck storage_check(Time at) const {
    auto fault = journal->state().fault;
    if (!fault) fault = recorder.damage();
    return {.check = "storage", .is_up = !fault, .detail = std::move(fault), .checked_at = at};
  }

  void look_at_ourselves_now() {
    const Lock lock(mutex);
    queue.move(kOurselves, ticks());
    wake.notify_all();
  }

  // We see again: what was waiting for that need not wait longer.
  void resume_impaired() REQUIRES(mutex) {
    for (const auto& target : queue.failing()) {
      if (target.kind != Target::Kind::monitor) look_at_first(target);
    }
  }

  // As at a start, spread a little.
  void look_at_first(const Target& target) REQUIRES(mutex) {
    queue.move(target, ticks() + first_wait(config.schedule, target.name.text()));
  }

  // --- rounds
  // -----------------------------------------------------------------------------------------------------

  // Decides what people are told, says what happened, and has the round recorded. Nobody waits for
  // that: page, metrics and people go by what the agent knows, and the disk follows.
  Journal::Ticket record(Round& round, Follower::Scope scope) REQUIRES(deciding) {
    follower.tell(round, scope, seeing());
    {
      const Lock lock(mutex);
      published.take(round);
      if (scope == Follower::Scope::all) {
        published.forget_ended(round.at);
        published.set_people(follower.book().silences(), follower.exceptions());
      }
    }
    const auto ticket = journal->put(round);
    for (const auto& transition : round.transitions) {
      for (const auto& alert : round.alerts) {
        if (alert.id == transition.alert_id) events.on_transition(alert, transition);
      }
    }
    events.on_round(round);
    return ticket;
  }

  // Does what following a look led to.
  void take(const Follower::Consequences& led_to) REQUIRES(deciding) {
    for (const auto& fault : led_to.faults) events.on_fault(fault);
    const Lock lock(mutex);
    const auto at = ticks();
    for (const auto& target : led_to.change.vanished) {
      queue.drop(target);
      sight.forget_target(target.name);
      if (target.kind != Target::Kind::host) continue;
      sight.forget_host(target.name);
      published.drop_host(target.name);
    }
    for (const auto& target : led_to.change.appeared) {
      const bool is_host = target.kind == Target::Kind::host;
      queue.add(target, is_host ? at : at + first_wait(config.schedule, target.name.text()));
    }
    for (const auto& target : led_to.soon) queue.move(target, at + config.schedule.confirm_after);
    for (const auto* host : led_to.hosts) published.take(*host);
  }

  Ending look_at_ourselves(Prober& prober) {
    auto pace = sense(prober, kVantageAtMost) ? Pace::confirming : Pace::steady;
    try_witnesses(prober, [](const SmtpReach& reach) { return reach.awaited(); });
    notice_step();
    Round round{.target = kOurselves, .at = now()};
    const Lock one(deciding);
    sense_way_out(round);
    std::vector<VantageCheck> checks{storage_check(round.at)};
    bool is_impaired = seeing().blocked.has_value();
    {
      const Lock lock(mutex);
      checks.push_back(sight.looks_check(round.at, ticks()));
      is_impaired =
          is_impaired || !sight.stepped({.check = "clock", .checked_at = round.at}, ticks()).is_up;
    }
    if (follower.follow(round, checks) || is_impaired) pace = Pace::confirming;
    record(round, Follower::Scope::all);
    return {.pace = pace};
  }

  Ending look_at_domain(Prober& prober, const Name& name) {
    auto blind = sense(prober, kVantageEvery + kVantageAtMost);
    const auto began = moment();
    probes::DomainSeen seen;
    std::vector<probes::dns::ZoneSerials> serials;
    if (!blind) {
      auto look = prober.look_at_domain(name, began.at);
      if (may_be_ours(look.mx)) blind = sense(prober, kVantageAtMost);
      if (!blind && is_resolvers_own(prober, name, probes::deciding(look))) probes::excuse(look);
      seen = std::make_shared<const probes::DomainObservation>(std::move(look));
      const Lock lock(mutex);
      counts.note(*seen);
      sight.take(name, *seen, now());
    }
    if (!blind) serials = prober.ask_serials(vouching_for({&seen->mx}), now());
    notice_step();
    Round round{.target = {.kind = Target::Kind::domain, .name = name}, .at = now()};
    const Lock one(deciding);
    if (is_overtaken(began)) return {.pace = Pace::confirming};
    if (blind) {
      follower.follow_blind(round, name, *blind);
      record(round, Follower::Scope::changed);
      return {.pace = Pace::impaired};
    }
    const auto led_to = follower.follow(round, seen, serials, seeing());
    take(led_to);
    record(round, Follower::Scope::changed);
    return {.pace = led_to.again ? Pace::confirming : Pace::steady};
  }

  Ending look_at_host(Prober& prober, const Name& name) {
    if (sense(prober, kVantageEvery + kVantageAtMost)) return {.pace = Pace::impaired};
    const auto began = moment();
    auto look = prober.look_at_host(name, began.at);
    const bool is_excused = weigh(prober, look, began.at);
    if (may_be_ours(look) && sense(prober, kVantageAtMost)) {
      const Lock lock(mutex);
      counts.note(look);
      return {.pace = Pace::impaired};
    }
    const bool is_resolvers = is_resolvers_own(prober, name, probes::deciding(look));
    if (is_resolvers) probes::excuse(look);
    const auto seen = std::make_shared<const probes::HostObservation>(std::move(look));
    {
      const Lock lock(mutex);
      counts.note(*seen);
      sight.take(name, *seen, now());
    }
    const auto serials =
        prober.ask_serials(vouching_for({&seen->a, &seen->aaaa, &seen->tlsa}), now());
    notice_step();
    Round round{.target = {.kind = Target::Kind::host, .name = name}, .at = now()};
    const Lock one(deciding);
    if (is_overtaken(began)) return {.pace = Pace::confirming};
    sense_way_out(round);
    const auto led_to = follower.follow(round, seen, serials, seeing());
    take(led_to);
    record(round, Follower::Scope::changed);
    if (led_to.again) return {.pace = Pace::confirming, .interval = led_to.interval};
    return {.pace = is_excused || is_resolvers ? Pace::impaired : Pace::steady,
            .interval = led_to.interval};
  }

  Ending look(Prober& prober, const Target& target) {
    switch (target.kind) {
      case Target::Kind::domain:
        return look_at_domain(prober, target.name);
      case Target::Kind::host:
        return look_at_host(prober, target.name);
      case Target::Kind::monitor:
        return look_at_ourselves(prober);
    }
    return {.pace = Pace::steady};
  }

  // --- threads
  // ----------------------------------------------------------------------------------------------------

  // Sleeps until a target is due, and takes it; nothing when the thread shall end.
  std::optional<Target> next_task(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      notice_step();
      Lock lock(mutex);
      if (auto target = queue.take(ticks())) return target;
      auto wait = longest_sleep;
      if (const auto due = queue.next_due()) wait = std::min(wait, *due - ticks());
      wake.wait_for(lock, stop, wait, [this]() REQUIRES(mutex) {
        const auto due = queue.next_due();
        return due && *due <= ticks();
      });
    }
    return std::nullopt;
  }

  void finish_target(const Target& target, const Ending& ending) {
    const Lock lock(mutex);
    const auto at = ticks();
    const auto wall = now();
    const int failures = ending.pace == Pace::impaired ? queue.failures(target) + 1 : 0;
    auto schedule = config.schedule;
    schedule.interval = ending.interval.value_or(schedule.interval);
    const auto due =
        at + (target.kind == Target::Kind::monitor
                  ? std::min(kVantageEvery, ending.pace == Pace::steady ? schedule.interval
                                                                        : schedule.confirm_after)
                  : next_wait(schedule, ending.pace, failures, target.name.text()));
    queue.give_back(target, at, due, failures);
    ++rounds;
    last_round_at = wall;
    round_ended = at;
    if (target.kind == Target::Kind::domain)
      published.set_next_check(target.name.text(), wall_of(due));
  }

  // A library threw, or memory was short: that look is lost, and nothing else.
  void lose_look(const Target& target, std::string_view why) {
    const auto words =
        fmt::format("a look at {} failed: {}",
                    target.kind == Target::Kind::monitor ? "ourselves" : target.name.text(), why);
    {
      const Lock lock(mutex);
      sight.lose_look(words, ticks());
    }
    events.on_fault(words);
  }

  void wait_for_memory(const std::stop_token& stop) {
    Lock lock(mutex);
    wake.wait_for(lock, stop, kMemoryWait, [] { return false; });
  }

  // Does it as soon as there is memory for it, however long that takes.
  template <class Work>
  auto insist(const std::stop_token& stop, const Work& work) {
    while (true) {
      try {
        return work();
      } catch (const std::bad_alloc&) {
        wait_for_memory(stop);
      }
    }
  }

  // One thread's: ends only when it is told to. Whatever a look comes to, the next target is taken.
  void work(const std::stop_token& stop) {
    std::unique_ptr<Prober> prober;
    std::uint64_t made_of = 0;  // generation of its gear
    while (const auto target = insist(stop, [&] { return next_task(stop); })) {
      Ending ending;
      try {
        renew(prober, made_of);
        if (prober) ending = look(*prober, *target);
      } catch (const std::exception& e) {
        insist(stop, [&] { lose_look(*target, e.what()); });
      }
      insist(stop, [&] { finish_target(*target, ending); });
      // This thread goes on with what is due; one more is woken, and wakes the next.
      wake.notify_one();
    }
  }

  void renew(std::unique_ptr<Prober>& prober, std::uint64_t& made_of) {
    std::shared_ptr<Gear> fresh;
    {
      const Lock lock(mutex);
      if (prober && made_of == generation) return;
      fresh = gear;
      made_of = generation;
    }
    auto made = make_prober(std::move(fresh));
    if (!made) events.on_fault(made.error());
    prober = made ? std::move(*made) : nullptr;
  }

  Progress progress() const REQUIRES(mutex) {
    const auto at = ticks();
    const auto whole = [](auto time) { return std::chrono::floor<Seconds>(time); };
    Progress out{.since_round = whole(at - round_ended),
                 .workers = workers,
                 .living = living,
                 .looking = static_cast<unsigned>(queue.in_flight()),
                 .interval = config.schedule.interval};
    const auto due = queue.next_due();
    if (due && *due < at) out.lag = whole(at - *due);
    if (const auto began = queue.oldest_in_flight()) out.longest_look = whole(at - *began);
    return out;
  }

  // --- the outside
  // ------------------------------------------------------------------------------------------------

  // Watches what is configured, and nothing else.
  void adopt(const config::Config& wanted, std::shared_ptr<Gear> fresh) {
    Round round{.target = kOurselves, .at = now()};
    const Lock one(deciding);
    {
      const Lock lock(mutex);
      config = wanted;
      config.domains = {};
      if (fresh) take_gear(std::move(fresh));
    }
    const auto led_to = follower.adopt(round, wanted);
    take(led_to);
    {
      const Lock lock(mutex);
      published.adopt(follower.inventory(), wanted.schedule, round.at);
      published.set_alerts(follower.book());
      queue.add(kOurselves, ticks());
    }
    record(round, Follower::Scope::all);
    journal->post([domains = wanted.domains](Recorder& to) { return to.keep_only(domains); });
  }

  // Does `work` on the follower and records what it wrote into the round. `work` returns a fault in
  // words, or null.
  template <class Work>
  Done decide(Work work) {
    notice_step();
    Round round{.target = kOurselves, .at = now()};
    Journal::Ticket ticket;
    {
      const Lock one(deciding);
      if (const std::optional<std::string> fault = work(follower, round))
        return config::Failure<std::string>(*fault);
      ticket = record(round, Follower::Scope::all);
    }
    if (journal->wait(ticket, kActPatience)) return {};
    return config::Failure<std::string>(
        "it holds, but could not be recorded yet: see the log; a restart before that would undo "
        "it");
  }
};

Runner::Runner(config::Config config, std::shared_ptr<Gear> gear, Recorder& recorder,
               Recorder::Desk desk, Events events, Clocks clocks, MakeProber make_prober)
    : state_(std::make_unique<State>(std::move(config), std::move(gear), recorder, std::move(desk),
                                     std::move(events), clocks, std::move(make_prober))) {}

Runner::~Runner() {
  stop();
}

void Runner::start() {
  config::Config wanted;
  {
    const Lock lock(state_->mutex);
    wanted = std::move(state_->config);
  }
  state_->adopt(wanted, nullptr);
  const auto count = std::max(1U, wanted.schedule.workers);
  const auto count_workers = [this](unsigned more, unsigned fewer) {
    const Lock lock(state_->mutex);
    state_->workers += more - fewer;
    state_->living += more - fewer;
  };
  count_workers(count, 0);
  const auto started = start_threads(
      workers_, count,
      [this](const std::stop_token& stop) {
        state_->work(stop);
        const Lock lock(state_->mutex);
        if (stop.stop_requested()) --state_->workers;
        --state_->living;
      },
      Spare{.threads = kSpareThreads});
  count_workers(0, count - static_cast<unsigned>(started));
  if (started == 0)
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again),
                            "no worker could be started");
  if (started < count)
    state_->events.on_fault(fmt::format(
        "only {} of {} workers could be started: memory or threads are limited", started, count));
}

void Runner::stop() {
  for (auto& worker : workers_) worker.request_stop();
  workers_.clear();
  state_->journal->stop();
}

void Runner::reconfigure(config::Config config, std::shared_ptr<Gear> gear) {
  state_->adopt(config, std::move(gear));
  state_->wake.notify_all();
}

void Runner::forget(Time before) {
  {
    const Lock lock(state_->mutex);
    if (state_->sight.is_time_doubtful(state_->ticks())) return;
  }
  state_->journal->post([before](Recorder& recorder) { return recorder.forget(before); });
}

bool Runner::check_now(std::string_view domain) {
  const auto name = Name::parse(domain);
  if (!name) return false;
  const Lock lock(state_->mutex);
  const auto shown = state_->published.domain(name->text());
  if (!shown) return false;
  const auto at = state_->ticks();
  state_->queue.move({.kind = Target::Kind::domain, .name = *name}, at);
  if (shown->judged) {
    for (const auto& mx : shown->judged->seen->hosts)
      state_->queue.move({.kind = Target::Kind::host, .name = mx.name}, at);
  }
  state_->wake.notify_all();
  return true;
}

Runner::Done Runner::acknowledge(const std::string& alert, std::optional<Acknowledgement> how) {
  return state_->decide([&](Follower& follower, Round& round) -> std::optional<std::string> {
    if (follower.book().acknowledge(round, alert, std::move(how))) return std::nullopt;
    return "no alert of that id fires";
  });
}

config::Result<Silence, std::string> Runner::silence(Silence wanted) {
  wanted.id = new_id();
  const auto done =
      state_->decide([&](Follower& follower, Round& round) -> std::optional<std::string> {
        constexpr std::size_t kMostSilences = 1000;
        if (follower.book().silences().size() >= kMostSilences)
          return "there are 1000 silences already";
        follower.book().put(round, wanted);
        return std::nullopt;
      });
  return done ? config::Result<Silence, std::string>(wanted)
              : config::Failure<std::string>(done.error());
}

Runner::Done Runner::end_silence(const std::string& id) {
  return state_->decide([&](Follower& follower, Round& round) -> std::optional<std::string> {
    if (follower.book().end_silence(round, id)) return std::nullopt;
    return "no silence of that id is to come or active";
  });
}

config::Result<Exception, std::string> Runner::make_exception(const std::string& domain) {
  std::optional<Exception> made;
  const auto done =
      state_->decide([&](Follower& follower, Round& round) -> std::optional<std::string> {
        auto result = follower.make_exception(round, domain);
        if (!result) return result.error();
        made = std::move(*result);
        return std::nullopt;
      });
  return done ? config::Result<Exception, std::string>(*made)
              : config::Failure<std::string>(done.error());
}

Runner::Done Runner::end_exception(const std::string& domain) {
  return state_->decide([&](Follower& follower, Round& round) {
    return follower.end_exception(round, domain, state_->seeing());
  });
}

Health Runner::health() const {
  Health out{
      .stall = std::nullopt, .stuck = std::nullopt, .unrecorded = state_->journal->state().fault};
  const Lock lock(state_->mutex);
  const auto progress = state_->progress();
  out.stall = why_stalled(progress);
  out.stuck = why_stuck(progress);
  return out;
}

std::vector<Letter> Runner::unrecorded_letters() const {
  return state_->journal->unrecorded_letters();
}

std::optional<DomainState> Runner::domain(std::string_view name) const {
  const auto wanted = Name::parse(name);
  if (!wanted) return std::nullopt;
  const Lock lock(state_->mutex);
  const auto shown = state_->published.domain(wanted->text());
  return shown ? std::optional{*shown} : std::nullopt;
}

std::shared_ptr<const Snapshot> Runner::snapshot() const {
  auto out = std::make_shared<Snapshot>();
  auto& s = *state_;
  const auto recording = s.journal->state();
  out->record_errors = recording.errors;
  out->storage_fault = recording.fault;
  out->unrecorded_rounds = recording.waiting;
  out->lost_rounds = recording.lost;
  out->recordings = recording.recordings;
  const auto storage = s.storage_check(s.now());
  const Lock lock(s.mutex);
  out->now = s.now();
  out->started_at = s.started_at;
  out->schedule = s.config.schedule;
  out->metrics = s.config.metrics;
  s.published.fill(*out);
  const auto ticks = s.ticks();
  out->resolvers = s.sight.resolvers();
  out->vantage = s.sight.checks(ticks);
  if (s.sight.is_checked()) {
    out->vantage.push_back(storage);
    out->vantage.push_back(s.sight.looks_check(out->now, ticks));
  }
  out->queue_length = s.queue.count_due(ticks);
  out->progress = s.progress();
  out->in_flight = out->progress.looking;
  out->lag = out->progress.lag;
  out->rounds = s.rounds;
  out->last_round_at = s.last_round_at;
  out->clock_steps = s.sight.clock_steps();
  out->counts = s.counts;
  const auto& queries = s.gear->queries;
  std::ranges::copy(queries.udp, out->dns_by_rcode_udp.begin());
  std::ranges::copy(queries.tcp, out->dns_by_rcode_tcp.begin());
  out->dns_unanswered = queries.unanswered;
  return out;
}

}  // namespace agent

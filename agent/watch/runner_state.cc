#include "agent/watch/runner_state.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agent/watch/threads.h"

namespace agent {

using config::Lock;
using config::Seconds;
using config::Time;

namespace {

Runner::MakeProber or_network_probers(Runner::MakeProber make) {
  if (make) return make;
  return [](std::shared_ptr<ProbeContext> context)
             -> config::Result<std::unique_ptr<Prober>, std::string> {
    auto made = NetworkProber::make(std::move(context));
    if (!made) return config::Failure<std::string>(made.error());
    return std::unique_ptr<Prober>(std::move(*made));
  };
}

// By the CAs that senders following MTA-STS trust, as of the day when the certificate was issued.
IssuerBook::Vouch vouch_of(std::shared_ptr<const ProbeContext> context) {
  return [context = std::move(context)](const Chain& chain) {
    if (!context->pkix || chain.empty() || chain.front()->dns_names.empty()) return false;
    auto name = chain.front()->dns_names.front();
    if (name.starts_with('*')) name.front() = 'a';
    return context->pkix->verify(chain, name, chain.front()->not_before) ==
           probes::tls::PkixStop::none;
  };
}

}  // namespace

Runner::State::State(config::Config c, std::shared_ptr<ProbeContext> g, Recorder& r,
                     Recorder::RestoredState restored, Events e, const Clocks& clocks,
                     MakeProber make)
    : recorder(r),
      events(std::move(e)),
      now(clocks.wall),
      ticks(clocks.ticks),
      longest_sleep(clocks.asked_every),
      make_prober(or_network_probers(std::move(make))),
      started_at(now()),
      steps(started_at, ticks()),
      follower(r, std::move(restored), c),
      config(std::move(c)),
      context(std::move(g)),
      agenda(published, config),
      round_ended(ticks()) {
  published.set_alerts(follower.book());
  published.set_people(follower.book().silences(), {});
  published.set_announced(follower.announcements());
  published.set_renewals(follower.renewals());
  if (context) follower.set_vouch(vouch_of(context));
  journal = std::make_unique<Journal>(
      recorder, ticks,
      Journal::Events{.on_notifications = [this] { events.on_notifications(); },
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

void Runner::State::notice_step() {
  {
    const Lock only(timing);  // nobody else decides anything in a time that is over
    const auto found = observe_clocks();
    if (!found) return;
    const Lock one(deciding);
    Round round{.target = ourselves(), .at = now()};
    round.clock_step = found;
    follower.restate(*found);
    SelfCheck clock{.check = "clock", .checked_at = round.at};
    {
      const Lock lock(mutex);
      sight.take_step(*found, ticks());
      clock = sight.stepped(std::move(clock), ticks());
      for (const auto& target : agenda.all()) look_at_first(target);
      agenda.take_step(ticks());
    }
    show_anew();
    follower.follow(round, {clock});
    events.on_clock_step(*found);
    record(round, Follower::Scope::changed);
  }
  renew_gear();
  wake.notify_all();
}

std::optional<ClockStep> Runner::State::observe_clocks() {
  while (true) {
    const auto before = ticks();
    const auto wall = now();
    const auto after = ticks();
    // Otherwise this thread slept between the two.
    if (after - before < Seconds{1}) return steps.observe(wall, after);
  }
}

Runner::State::Moment Runner::State::moment() {
  notice_step();
  const Lock lock(mutex);
  return {now(), sight.clock_steps()};
}

bool Runner::State::is_overtaken(const Moment& began) const {
  const Lock lock(mutex);
  return began.steps != sight.clock_steps();
}

Time Runner::State::wall_of(Ticks moment) const {
  return now() + std::chrono::ceil<Seconds>(moment - ticks());
}

std::vector<Spared> Runner::State::in_wall_time(const std::vector<Manners::Held>& held) const {
  std::vector<Spared> out;
  for (const auto& [provider, until, times, wait] : held)
    out.push_back({provider, wall_of(until), times, wait});
  return out;
}

// --- threads

void Runner::State::work(const std::stop_token& stop) {
  name_thread("probe");
  std::unique_ptr<Prober> prober;
  std::uint64_t made_of = 0;  // generation of its context
  while (const auto target = insist(stop, [&] { return next_task(stop); })) {
    Ending ending;
    try {
      renew(prober, made_of);
      if (prober) ending = look(*prober, *target);
    } catch (const std::exception& e) {
      is_shaken = true;
      insist(stop, [&] { lose_look(*target, e.what()); });
    }
    insist(stop, [&] { finish_target(*target, ending); });
    const bool was_errand = insist(stop, [&] {
      const Lock lock(mutex);
      return agenda.end_errand(*target);
    });
    if (was_errand) insist(stop, [&] { events.on_errand(*target, std::move(ending.errand)); });
    // This thread goes on with what is due; one more is woken, and wakes the next.
    wake.notify_one();
  }
}

void Runner::State::renew(std::unique_ptr<Prober>& prober, std::uint64_t& made_of) {
  std::shared_ptr<ProbeContext> fresh;
  {
    const Lock lock(mutex);
    if (prober && made_of == generation) return;
    fresh = context;
    made_of = generation;
  }
  prober = nullptr;
  auto made = make_prober(std::move(fresh));
  if (!made) events.on_fault(made.error());
  prober = made ? std::move(*made) : nullptr;
}

std::optional<Target> Runner::State::next_task(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    notice_step();
    Lock lock(mutex);
    if (auto target = agenda.take(ticks())) return target;
    auto wait = longest_sleep;
    if (const auto due = agenda.next_due()) wait = std::min(wait, *due - ticks());
    wake.wait_for(lock, stop, wait, [this]() REQUIRES(mutex) {
      const auto due = agenda.next_due();
      return due && *due <= ticks();
    });
  }
  return std::nullopt;
}

void Runner::State::finish_target(const Target& target, const Agenda::Ending& ending) {
  const Lock lock(mutex);
  const auto at = ticks();
  const auto wall = now();
  const auto due = agenda.due_after(target, ending, at);
  if (target.kind == Target::Kind::domain)
    published.set_next_check(target.name.text(), wall_of(due));
  agenda.give_back(target, ending, at, due);
  ++rounds;
  last_round_at = wall;
  round_ended = at;
}

void Runner::State::lose_look(const Target& target, std::string_view why) {
  const auto words =
      fmt::format("a probe of {} failed: {}",
                  target.kind == Target::Kind::monitor ? "ourselves" : target.name.text(), why);
  {
    const Lock lock(mutex);
    sight.lose_look(words, ticks());
  }
  events.on_fault(words);
}

Progress Runner::State::progress() const {
  const auto at = ticks();
  const auto whole = [](auto time) { return std::chrono::floor<Seconds>(time); };
  Progress out{.since_round = whole(at - round_ended),
               .workers = workers,
               .living = living,
               .looking = static_cast<unsigned>(agenda.looking()),
               .interval = config.schedule.interval};
  const auto due = agenda.next_due();
  if (due && *due < at) out.lag = whole(at - *due);
  if (const auto began = agenda.oldest_in_flight()) out.longest_look = whole(at - *began);
  return out;
}

void Runner::State::look_at_ourselves_now() {
  const Lock lock(mutex);
  agenda.move(ourselves(), ticks());
  wake.notify_all();
}

void Runner::State::move(const Target& target, Ticks due) {
  agenda.move(target, due);
  if (target.kind == Target::Kind::domain)
    published.set_next_check(target.name.text(), wall_of(due));
}

void Runner::State::resume_impaired() {
  for (const auto& target : agenda.failing()) {
    if (target.kind != Target::Kind::monitor) look_at_first(target);
  }
}

void Runner::State::look_at_first(const Target& target) {
  move(target, ticks() + first_wait(config.schedule, target.name.text()));
}

// --- the outside

void Runner::State::adopt(config::Config wanted, std::shared_ptr<ProbeContext> fresh) {
  Round round{.target = ourselves(), .at = now()};
  const Lock one(deciding);
  {
    auto domains = std::exchange(wanted.domains, {});  // which may be very many
    const Lock lock(mutex);
    config = wanted;
    agenda.adopt(wanted);
    if (fresh) take_gear(std::move(fresh));
    wanted.domains = std::move(domains);
  }
  const auto led_to = follower.adopt(round, wanted);
  take(led_to);
  {
    const Lock lock(mutex);
    published.adopt(follower.inventory(), wanted.schedule, round.at);
    published.set_alerts(follower.book());
    agenda.add(ourselves(), nullptr, ticks());
  }
  record(round, Follower::Scope::all);
  journal->post(recorder.keep_only(std::move(wanted.domains)));
}

void Runner::State::take_gear(std::shared_ptr<ProbeContext> fresh) {
  if (context && fresh && context != fresh) fresh->anchor_keys.go_on_from(context->anchor_keys);
  context = std::move(fresh);
  ++generation;
  follower.start_anew();
  if (context) follower.set_vouch(vouch_of(context));
  sight.start_anew();
}

void Runner::State::renew_gear() {
  config::Config current;
  std::uint64_t of = 0;
  {
    const Lock lock(mutex);
    current = config;
    of = generation;
  }
  auto fresh = ProbeContext::make(current);
  if (!fresh) return events.on_fault(fresh.error());
  const Lock one(deciding);
  const Lock lock(mutex);
  if (of == generation) take_gear(std::move(*fresh));  // else a reload was quicker
}

}  // namespace agent

#include "agent/watch/runner.h"

#include <algorithm>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "agent/watch/runner_state.h"
#include "agent/watch/threads.h"

namespace agent {

using config::Lock;
using config::Seconds;
using config::Time;
using probes::dns::Name;

namespace {

// For notifiers, where threads are few.
constexpr std::size_t kSpareThreads = 4;
// Whoever asks for something waits so long for it to be recorded.
constexpr std::chrono::seconds kActPatience{2};

// Unique for ever, in practice.
std::string new_id() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

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

std::shared_ptr<ProbeContext> knowing(std::shared_ptr<ProbeContext> context,
                                      std::vector<AnchorKey> keys) {
  if (context) context->anchor_keys.restore(std::move(keys));
  return context;
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
      for (const auto& target : queue.all()) look_at_first(target);
      for (auto& [vantage, there] : elsewhere) {
        for (const auto& target : there.all()) there.move(target, ticks());
      }
      queue.move(ourselves(), ticks());
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
    if (insist(stop, [&] { return finish_errand(*target); }))
      insist(stop, [&] { events.on_errand(*target, std::move(ending.errand)); });
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
    if (auto target = take_politely(queue, {})) return target;
    auto wait = longest_sleep;
    if (const auto due = queue.next_due()) wait = std::min(wait, *due - ticks());
    wake.wait_for(lock, stop, wait, [this]() REQUIRES(mutex) {
      const auto due = queue.next_due();
      return due && *due <= ticks();
    });
  }
  return std::nullopt;
}

void Runner::State::finish_target(const Target& target, const Ending& ending) {
  const Lock lock(mutex);
  const auto at = ticks();
  const auto wall = now();
  const int failures = ending.pace == ProbeOutcome::impaired ? queue.failures(target) + 1 : 0;
  auto schedule = config.schedule;
  schedule.interval = ending.interval.value_or(schedule.interval);
  const auto due = at + (target.kind == Target::Kind::monitor
                             ? std::min(kVantageEvery, ending.pace == ProbeOutcome::steady
                                                           ? schedule.interval
                                                           : schedule.confirm_after)
                             : next_wait(schedule, ending.pace, failures, target.name.text()));
  if (target.kind == Target::Kind::domain)
    published.set_next_check(target.name.text(), wall_of(due));  // the last that may want memory
  queue.give_back(target, at, due, failures);
  leave_politely({}, target, ending.was_sent_away);
  ++rounds;
  last_round_at = wall;
  round_ended = at;
}

std::vector<std::string> Runner::State::providers_of(const Target& target,
                                                     const SnapshotSource::Known& known) const {
  if (known.seen)
    return is_minded(known) ? agent::providers_of(known.seen->addresses)
                            : std::vector<std::string>{};
  if (!strangers.contains(target.name)) return {};
  return {operator_of(target.name)};
}

std::optional<Ticks> Runner::State::begin_politely(const Target& target, const std::string& vantage,
                                                   Ticks at) {
  const auto known = published.host(target.name);
  auto providers = providers_of(target, known);
  if (providers.empty() || wanted_now.erase(target) > 0) return std::nullopt;
  const auto sessions = known.seen ? known.seen->sessions.size() : 1;
  if (const auto later = manners.hold(providers, sessions, config.politeness, at)) return later;
  const auto [place, is_new] = asked.insert_or_assign({vantage, target}, std::move(providers));
  manners.begin(place->second);
  return std::nullopt;
}

std::optional<Target> Runner::State::take_politely(TargetQueue& from, const std::string& vantage) {
  const auto at = ticks();
  while (auto target = from.take(at)) {
    if (target->kind != Target::Kind::host) return target;
    try {
      if (const auto later = begin_politely(*target, vantage, at)) {
        from.give_back(*target, at, *later, from.failures(*target));
        continue;
      }
    } catch (...) {  // memory is short: it stays due
      from.give_back(*target, at, at, from.failures(*target));
      throw;
    }
    return target;
  }
  return std::nullopt;
}

void Runner::State::leave_politely(const std::string& vantage, const Target& target,
                                   bool was_sent_away) {
  const auto one = asked.find({vantage, target});
  if (one != asked.end()) {
    manners.end(one->second, was_sent_away, config.schedule.retry_after, ticks());
    asked.erase(one);
  }
  if (!was_sent_away) return;
  // By its networks, which a first probe has learned only now; and by the operator's name, by which
  // whoever goes on after a restart knows it before it has looked.
  auto whose = providers_of(target, published.host(target.name));
  if (!whose.empty()) whose.push_back(operator_of(target.name));
  manners.take_refusal(whose, config.schedule.retry_after, ticks());
}

bool Runner::State::is_minded(const SnapshotSource::Known& host) const {
  return !host.is_ours || config.politeness.own_hosts_too;
}

std::vector<Spared> Runner::State::in_wall_time(const std::vector<Manners::Held>& held) const {
  std::vector<Spared> out;
  for (const auto& [provider, until, times, wait] : held)
    out.push_back({provider, wall_of(until), times, wait});
  return out;
}

bool Runner::State::finish_errand(const Target& target) {
  const Lock lock(mutex);
  if (errands.erase(target) == 0) return false;
  queue.drop(target);
  return true;
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
               .looking = static_cast<unsigned>(queue.in_flight() - lent.size()),
               .interval = config.schedule.interval};
  const auto due = queue.next_due();
  if (due && *due < at) out.lag = whole(at - *due);
  if (const auto began = queue.oldest_in_flight()) out.longest_look = whole(at - *began);
  return out;
}

void Runner::State::look_at_ourselves_now() {
  const Lock lock(mutex);
  queue.move(ourselves(), ticks());
  wake.notify_all();
}

void Runner::State::move(const Target& target, Ticks due) {
  queue.move(target, due);
  if (target.kind == Target::Kind::domain)
    published.set_next_check(target.name.text(), wall_of(due));
}

void Runner::State::resume_impaired() {
  for (const auto& target : queue.failing()) {
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
    if (fresh) take_gear(std::move(fresh));
    wanted.domains = std::move(domains);
  }
  const auto led_to = follower.adopt(round, wanted);
  take(led_to);
  {
    const Lock lock(mutex);
    published.adopt(follower.inventory(), wanted.schedule, round.at);
    published.set_alerts(follower.book());
    queue.add(ourselves(), ticks());
  }
  record(round, Follower::Scope::all);
  journal->post([domains = std::move(wanted.domains)](Recorder& to) mutable {
    auto done = to.keep_only(domains);
    domains = std::vector<config::Domain>{};  // with what they took: "= {}" keeps it
    give_memory_back();
    return done;
  });
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

Runner::Done Runner::State::decide(const Work& work) {
  return decide_and_do([&](Follower& its_follower, Round& round, Follower::Consequences&) {
    return work(its_follower, round);
  });
}

Runner::Done Runner::State::decide_and_do(const FarWork& work) {
  notice_step();
  Round round{.target = ourselves(), .at = now()};
  Journal::Ticket ticket;
  {
    const Lock one(deciding);
    Follower::Consequences led_to;
    if (const std::optional<std::string> fault = work(follower, round, led_to))
      return config::Failure<std::string>(*fault);
    take(led_to);
    ticket = record(round, Follower::Scope::all);
  }
  if (journal->wait(ticket, kActPatience)) return {};
  return config::Failure<std::string>(kUnrecorded);
}

Runner::Runner(config::Config config, std::shared_ptr<ProbeContext> context, Recorder& recorder,
               Recorder::RestoredState restored, Events events, Clocks clocks,
               MakeProber make_prober) {
  const auto spared = std::move(restored.spared);
  context = knowing(std::move(context), restored.anchor_keys);
  state_ =
      std::make_unique<State>(std::move(config), std::move(context), recorder, std::move(restored),
                              std::move(events), clocks, std::move(make_prober));
  const Lock lock(state_->mutex);
  for (const auto& one : spared)
    state_->manners.restore({.provider = one.provider,
                             .until = state_->ticks() + (one.until - state_->now()),
                             .times = one.times,
                             .wait = one.wait});
}

Runner::~Runner() {
  stop();
}

void Runner::take_up() {
  config::Config wanted;
  {
    const Lock lock(state_->mutex);
    if (std::exchange(state_->is_taken_up, true)) return;
    wanted = std::move(state_->config);
  }
  state_->adopt(std::move(wanted), nullptr);
}

void Runner::start() {
  take_up();
  unsigned count = 1;
  {
    const Lock lock(state_->mutex);
    count = std::max(count, state_->config.schedule.workers);
  }
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

void Runner::reconfigure(config::Config config, std::shared_ptr<ProbeContext> context) {
  state_->adopt(std::move(config), std::move(context));
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
  const Lock one(state_->deciding);
  const auto* watched = state_->follower.inventory().domain(*name);
  if (watched == nullptr) return false;
  const Lock lock(state_->mutex);
  const auto at = state_->ticks();
  state_->move({.kind = Target::Kind::domain, .name = *name}, at);
  for (const auto& [host, place] : watched->hosts) {
    const Target target{.kind = Target::Kind::host, .name = host->name};
    state_->wanted_now.insert(target);
    state_->move(target, at);
  }
  state_->wake.notify_all();
  return true;
}

void Runner::take_reports(ReportsBySubject reports) {
  auto& state = *state_;
  state.notice_step();
  Round round{.target = ourselves(), .at = state.now()};
  const Lock one(state.deciding);
  {
    const Lock lock(state.mutex);
    state.reports = std::make_shared<const ReportsBySubject>(reports);
  }
  state.take(state.follower.take_reports(round, std::move(reports), state.seeing()));
  state.record(round, Follower::Scope::changed);
}

void Runner::take_renewals(const std::vector<RenewalAdvice>& told) {
  auto& state = *state_;
  state.notice_step();
  Round round{.target = ourselves(), .at = state.now()};
  {
    const Lock one(state.deciding);
    state.take(state.follower.take_renewals(round, told, state.seeing()));
    {
      const Lock lock(state.mutex);
      state.published.set_renewals(state.follower.renewals());
    }
    state.record(round, Follower::Scope::changed);
  }
  state.wake.notify_all();
}

void Runner::set_lists(std::vector<ListHealth> lists) {
  auto& state = *state_;
  const auto at = state.now();
  bool has_turned = false;
  {
    const Lock lock(state.mutex);
    const auto is_same = [](const SelfCheck& one, const SelfCheck& other) {
      return one.check == other.check && one.is_up == other.is_up;
    };
    has_turned = !std::ranges::equal(check_lists(lists, at), check_lists(state.lists, at), is_same);
    state.lists = std::move(lists);
  }
  if (has_turned) state.look_at_ourselves_now();
}

std::vector<Chain> Runner::chains_in_use(bool partners) const {
  const Lock one(state_->deciding);
  return state_->follower.chains_in_use(partners);
}

void Runner::set_places(std::set<std::string> others) {
  auto& state = *state_;
  const Lock one(state.deciding);
  state.follower.set_places(others);
  const Lock lock(state.mutex);
  // What is out there is answered by nobody any more.
  for (auto asked = state.asked.begin(); asked != state.asked.end();) {
    const auto& [vantage, target] = asked->first;
    const bool is_gone = !vantage.empty() && !others.contains(vantage);
    if (is_gone)
      state.manners.end(asked->second, false, state.config.schedule.retry_after, state.ticks());
    asked = is_gone ? state.asked.erase(asked) : std::next(asked);
  }
  std::erase_if(state.elsewhere, [&](const auto& there) { return !others.contains(there.first); });
  const auto at = state.ticks();
  auto spread = state.config.schedule;
  spread.interval = state.config.fleet.cross_check;
  for (const auto& vantage : others) {
    auto [there, is_new] = state.elsewhere.try_emplace(vantage);
    if (!is_new) continue;
    for (const auto& [name, host] : state.follower.inventory().hosts()) {
      const bool is_troubled = !host.troubled.empty() || host.asked_since;
      there->second.add({.kind = Target::Kind::host, .name = name},
                        is_troubled ? at : at + first_wait(spread, vantage + name.text()));
    }
  }
}

std::vector<Target> Runner::take_due(const std::string& vantage, std::size_t most) {
  auto& state = *state_;
  std::vector<Target> out;
  const Lock lock(state.mutex);
  const auto at = state.ticks();
  if (!vantage.empty()) {
    const auto there = state.elsewhere.find(vantage);
    while (there != state.elsewhere.end() && out.size() < most) {
      auto target = state.take_politely(there->second, vantage);
      if (!target) break;
      out.push_back(std::move(*target));
    }
    return out;
  }
  while (out.size() < most && state.queue.in_flight() >= state.workers + state.lent.size()) {
    auto target = state.take_politely(state.queue, {});
    if (!target) break;
    if (target->kind == Target::Kind::monitor || state.errands.contains(*target)) {
      state.queue.give_back(*target, at, at, state.queue.failures(*target));
      break;  // for our own workers only, and the first in their line
    }
    state.lent.insert(*target);
    out.push_back(std::move(*target));
  }
  return out;
}

void Runner::take_look(const std::string& vantage, const Target& target,
                       std::optional<probes::Recorded> look) {
  auto& state = *state_;
  State::Ending ending;
  const auto began = state.moment();
  const bool was_sent_away = look && look->host && is_sent_away(*look->host);
  if (look) ending = state.follow(std::move(*look), {}, began);
  {
    const Lock lock(state.mutex);
    if (vantage.empty()) {
      if (state.lent.erase(target) == 0) return;
    } else {
      const auto there = state.elsewhere.find(vantage);
      if (there == state.elsewhere.end()) return;
      const auto at = state.ticks();
      const auto& schedule = state.config.schedule;
      const auto wait = ending.interval.value_or(
          ending.pace == ProbeOutcome::confirming ? schedule.confirm_after : schedule.retry_after);
      there->second.give_back(target, at, at + wait, 0);
      state.leave_politely(vantage, target, was_sent_away);
      state.wake.notify_all();
      return;
    }
  }
  ending.was_sent_away = was_sent_away;
  state.finish_target(target, ending);
  state.wake.notify_all();
}

bool Runner::run_errand(const Target& target) {
  const Lock lock(state_->mutex);
  if (!state_->errands.insert(target).second) return false;
  state_->queue.add(target, state_->ticks());
  state_->wake.notify_one();
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

config::Result<Foreseen, std::string> Runner::announce(Chain chain, std::string by) {
  Foreseen out;
  const auto done =
      state_->decide_and_do([&](Follower& follower, Round& round,
                                Follower::Consequences& led_to) -> std::optional<std::string> {
        auto announced = agent::announce(std::move(chain), std::move(by), round.at);
        if (!announced) return "that is no certificate";
        auto told = follower.announce(round, std::move(*announced), state_->seeing());
        out = std::move(told.foreseen);
        led_to = std::move(told.led_to);
        return std::nullopt;
      });
  state_->wake.notify_all();
  if (!done) return config::Failure<std::string>(done.error());
  return out;
}

Runner::Done Runner::set_not_for_mail(NotForMail said) {
  auto done =
      state_->decide_and_do([&](Follower& follower, Round& round, Follower::Consequences& led_to) {
        said.at = round.at;
        auto fault = follower.set_not_for_mail(round, said);
        led_to.now = follower.targets_of_key(said.key);
        return fault;
      });
  state_->wake.notify_all();
  return done;
}

Runner::Done Runner::set_for_mail(const std::string& key) {
  auto done =
      state_->decide_and_do([&](Follower& follower, Round& round, Follower::Consequences& led_to) {
        auto fault = follower.set_for_mail(round, key);
        led_to.now = follower.targets_of_key(key);
        return fault;
      });
  state_->wake.notify_all();
  return done;
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

std::vector<Notification> Runner::unrecorded_notifications() const {
  return state_->journal->unrecorded_notifications();
}

std::optional<DomainState> Runner::domain(std::string_view name) const {
  const auto wanted = Name::parse(name);
  if (!wanted) return std::nullopt;
  const Lock lock(state_->mutex);
  return state_->published.domain(wanted->text());
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
  out->spared = s.in_wall_time(s.manners.held(ticks));
  out->resolvers = s.sight.resolvers();
  out->vantage = s.sight.checks(ticks);
  if (s.sight.is_checked()) {
    out->vantage.push_back(storage);
    out->vantage.push_back(s.sight.looks_check(out->now, ticks));
  }
  out->lists = s.lists;
  std::ranges::move(check_lists(s.lists, out->now), std::back_inserter(out->vantage));
  out->queue_length = s.queue.count_due(ticks);
  out->progress = s.progress();
  out->in_flight = out->progress.looking;
  out->lag = out->progress.lag;
  out->rounds = s.rounds;
  out->last_round_at = s.last_round_at;
  out->clock_steps = s.sight.clock_steps();
  out->counts = s.counts;
  out->reports = s.reports;
  const auto& queries = s.context->queries;
  std::ranges::copy(queries.udp, out->dns_by_rcode_udp.begin());
  std::ranges::copy(queries.tcp, out->dns_by_rcode_tcp.begin());
  out->dns_unanswered = queries.unanswered;
  return out;
}

}  // namespace agent

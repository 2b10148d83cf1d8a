#include "agent/watch/runner.h"

#include <algorithm>
#include <iterator>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "agent/watch/runner_state.h"
#include "agent/watch/threads.h"

namespace agent {

using config::Lock;
using config::Time;
using probes::dns::Name;

namespace {

// For notifiers, where threads are few.
constexpr std::size_t kSpareThreads = 4;

std::shared_ptr<ProbeContext> knowing(std::shared_ptr<ProbeContext> context,
                                      std::vector<AnchorKey> keys) {
  if (context) context->anchor_keys.restore(std::move(keys));
  return context;
}

}  // namespace

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
    state_->agenda.spare({.provider = one.provider,
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
  state_->journal->post(state_->recorder.forget(before));
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
    state_->agenda.ask_for(target, at);
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
  state.agenda.set_places(others, state.follower.inventory(), state.ticks());
}

std::vector<Target> Runner::take_due(const std::string& vantage, std::size_t most) {
  const Lock lock(state_->mutex);
  const auto at = state_->ticks();
  return vantage.empty() ? state_->agenda.lend(most, state_->workers, at)
                         : state_->agenda.take_from(vantage, most, at);
}

void Runner::take_look(const std::string& vantage, const Target& target,
                       std::optional<probes::Recorded> look) {
  auto& state = *state_;
  State::Ending ending;
  const auto began = state.moment();
  const bool was_sent_away = look && look->host && is_sent_away(*look->host);
  if (look) ending = state.follow(std::move(*look), {}, began);
  ending.was_sent_away = was_sent_away;
  if (!vantage.empty()) {
    const Lock lock(state.mutex);
    state.agenda.give_back_there(vantage, target, ending, state.ticks());
  } else {
    {
      const Lock lock(state.mutex);
      if (!state.agenda.take_back(target)) return;
    }
    state.finish_target(target, ending);
  }
  state.wake.notify_all();
}

bool Runner::run_errand(const Target& target) {
  const Lock lock(state_->mutex);
  if (!state_->agenda.begin_errand(target, state_->ticks())) return false;
  state_->wake.notify_one();
  return true;
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
  out->spared = s.in_wall_time(s.agenda.spared(ticks));
  out->resolvers = s.sight.resolvers();
  out->vantage = s.sight.checks(ticks);
  if (s.sight.is_checked()) {
    out->vantage.push_back(storage);
    out->vantage.push_back(s.sight.looks_check(out->now, ticks));
  }
  out->lists = s.lists;
  std::ranges::move(check_lists(s.lists, out->now), std::back_inserter(out->vantage));
  out->queue_length = s.agenda.count_due(ticks);
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

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "agent/watch/runner_state.h"

// What a look does, in a straight line: observe, weigh whether it says anything of the target, then
// decide, show and record.
namespace agent {

using config::Lock;
using config::Seconds;
using config::Time;
using probes::dns::Name;

namespace {

// May the failure be the resolver's or ours rather than the zone's?
bool may_be_ours(const probes::dns::Answer& answer) {
  using probes::dns::Cause;
  if (answer.outcome != probes::dns::Outcome::failed) return answer.signing.needs_grace;
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
  return may_be_ours(host.a) || may_be_ours(host.aaaa) || may_be_ours(*host.cname) ||
         may_be_ours(host.tlsa);
}

}  // namespace

Runner::State::Ending Runner::State::look(Prober& prober, const Target& target) {
  switch (target.kind) {
    case Target::Kind::domain:
      return probe_domain(prober, target.name);
    case Target::Kind::host:
      return probe_host(prober, target.name);
    case Target::Kind::monitor:
      return probe_ourselves(prober);
  }
  return {{.pace = ProbeOutcome::steady}};
}

Runner::State::Ending Runner::State::probe_domain(Prober& prober, const Name& name) {
  auto blind = sense(prober, kVantageEvery + kVantageAtMost);
  const auto began = moment();
  probes::DomainSeen seen;
  probes::dns::Replies replies;
  if (!blind) {
    auto look = prober.probe_domain(name, began.at);
    if (may_be_ours(look.mx)) blind = sense(prober, kVantageAtMost);
    if (!blind && is_resolvers_own(prober, name, probes::deciding(look))) probes::excuse(look);
    replies = probes::take_replies(look);
    seen = std::make_shared<const probes::DomainObservation>(std::move(look));
    const Lock lock(mutex);
    counts.count(*seen);
    sight.take(name, *seen, now());
  }
  const Target target{.kind = Target::Kind::domain, .name = name};
  if (is_errand(target)) {
    if (blind) return {};
    return {{}, recorded({.domain = seen, .replies = std::move(replies)})};
  }
  if (!blind)
    return follow(recorded({.domain = seen, .replies = std::move(replies)}),
                  prober.ask_serials(vouching_for({&seen->mx}), now()), began);
  notice_step();
  Round round{.target = target, .at = now()};
  const Lock one(deciding);
  if (is_overtaken(began)) return {{.pace = ProbeOutcome::confirming}};
  if (has_left(round.target)) return {{.pace = ProbeOutcome::steady}};
  follower.follow_blind(round, name, *blind);
  record(round, Follower::Scope::changed);
  return {{.pace = ProbeOutcome::impaired}};
}

// What comes of a key that nobody presents rests on the records alone: people need not wait for
// sessions, which may take minutes.
void Runner::State::confirm_next_key(Prober& prober, const Name& name) {
  {
    const Lock one(deciding);
    if (!follower.awaits_records(name)) return;
  }
  const auto began = moment();
  auto observed = prober.probe_records(name, began.at);
  auto replies = probes::take_replies(observed);
  auto look = recorded({.host = std::make_shared<const probes::HostObservation>(observed),
                        .replies = std::move(replies)});
  notice_step();
  Round round{.target = {.kind = Target::Kind::host, .name = name}, .at = now()};
  const Lock one(deciding);
  if (is_overtaken(began)) return;
  follower.confirm_next_key(round, std::move(look), seeing());
  record(round, Follower::Scope::changed);
}

Runner::State::Ending Runner::State::probe_host(Prober& prober, const Name& name) {
  if (sense(prober, kVantageEvery + kVantageAtMost)) return {{.pace = ProbeOutcome::impaired}};
  confirm_next_key(prober, name);
  const auto began = moment();
  auto observed = prober.probe_host(name, began.at);
  const bool is_local = confirm_with_controls(prober, observed, began.at);
  if (may_be_ours(observed) && sense(prober, kVantageAtMost)) {
    const Lock lock(mutex);
    counts.count(observed);
    return {{.pace = ProbeOutcome::impaired}};
  }
  const bool is_resolvers = is_resolvers_own(prober, name, probes::deciding(observed));
  if (is_resolvers) probes::excuse(observed);
  auto replies = probes::take_replies(observed);
  const auto seen = std::make_shared<const probes::HostObservation>(std::move(observed));
  {
    const Lock lock(mutex);
    counts.count(*seen);
    sight.take(name, *seen, now());
  }
  const bool is_ours = is_local || is_resolvers;
  auto look = recorded({.host = seen, .replies = std::move(replies)});
  if (is_errand({.kind = Target::Kind::host, .name = name})) {
    if (is_ours) return {};
    return {{}, std::move(look)};
  }
  const bool was_sent_away = is_sent_away(*seen);
  auto ending =
      follow(std::move(look), prober.ask_serials(vouching_for(answers_about(*seen)), now()), began);
  if (is_ours && ending.pace == ProbeOutcome::steady) ending.pace = ProbeOutcome::impaired;
  ending.was_sent_away = was_sent_away;
  return ending;
}

Runner::State::Ending Runner::State::follow(probes::Recorded look,
                                            const std::vector<probes::dns::ZoneSerials>& serials,
                                            const Moment& began) {
  notice_step();
  const bool is_host = look.host != nullptr;
  Round round{.target = is_host ? Target{.kind = Target::Kind::host, .name = look.host->host}
                                : Target{.kind = Target::Kind::domain, .name = look.domain->domain},
              .at = now()};
  const auto vantage = look.vantage;
  const Lock one(deciding);
  if (is_overtaken(began)) return {{.pace = ProbeOutcome::confirming}};
  if (has_left(round.target)) return {{.pace = ProbeOutcome::steady}};
  if (is_host) sense_way_out(round);
  Follower::Consequences led_to;
  if (is_host) {
    led_to = follower.follow(round, std::move(look), serials, seeing());
  } else {
    round.recorded = std::move(look);
    led_to = follower.follow(round, round.recorded->domain, serials, seeing());
  }
  take(led_to);
  ask_elsewhere(round.target, led_to);
  record(round, Follower::Scope::changed);
  const auto pace = led_to.again ? ProbeOutcome::confirming : ProbeOutcome::steady;
  if (vantage != follower.places().own) return {{.pace = pace, .interval = led_to.next_from_there}};
  return {{.pace = pace, .interval = led_to.interval}};
}

bool Runner::State::is_errand(const Target& target) const {
  const Lock lock(mutex);
  return agenda.is_errand(target);
}

void Runner::State::ask_elsewhere(const Target& target, const Follower::Consequences& led_to) {
  const auto own = follower.places().own;
  const Lock lock(mutex);
  const auto at = ticks();
  for (const auto& vantage : led_to.awaited) {
    if (vantage == own)
      move(target, at);
    else
      agenda.move_there(vantage, target, at);
  }
}

Runner::State::Ending Runner::State::probe_ourselves(Prober& prober) {
  const auto means = [&] {
    const Lock lock(mutex);
    return context;
  }();
  if (means && means->has_new_anchor()) {
    renew_gear();
    return {{.pace = ProbeOutcome::confirming}};  // with that
  }
  auto pace = sense(prober, kVantageAtMost) ? ProbeOutcome::confirming : ProbeOutcome::steady;
  try_controls(prober, [](const OutboundSmtp& reach) { return reach.controls_while_down(); });
  notice_step();
  Round round{.target = ourselves(), .at = now()};
  const Lock one(deciding);
  if (is_shaken.exchange(false)) show_anew();
  sense_way_out(round);
  std::vector<SelfCheck> checks{storage_check(round.at)};
  bool is_impaired = seeing().blocked.has_value();
  {
    const Lock lock(mutex);
    checks.push_back(sight.looks_check(round.at, ticks()));
    std::ranges::move(check_lists(lists, round.at), std::back_inserter(checks));
    is_impaired =
        is_impaired || !sight.stepped({.check = "clock", .checked_at = round.at}, ticks()).is_up;
  }
  if (follower.follow(round, checks) || is_impaired) pace = ProbeOutcome::confirming;
  record(round, Follower::Scope::all);
  return {{.pace = pace}};
}

probes::Recorded Runner::State::recorded(probes::Recorded seen) const {
  const Lock lock(mutex);
  return context->signed_by_us(std::move(seen));
}

// --- how we see

Seeing Runner::State::seeing() const {
  const Lock lock(mutex);
  const auto* blocked = sight.blocked();
  return {.blocked = blocked == nullptr ? std::nullopt : std::optional{*blocked},
          .is_blind = sight.is_blind(),
          .is_time_doubtful = sight.is_time_doubtful(ticks())};
}

std::optional<SelfCheck> Runner::State::sense(Prober& prober, Seconds max_age) {
  {
    const Lock lock(mutex);
    if (sight.is_fresh(ticks(), max_age)) return sight.fault();
  }
  const auto began = moment();
  const auto asked_at = ticks();
  auto checks = prober.probe_ourselves(began.at);
  Controls known;
  {
    const Lock lock(mutex);
    known = sight.controls();
  }
  auto resolvers = prober.probe_resolvers(known, began.at);
  notice_step();
  std::optional<SelfCheck> fault;
  if (const auto failing = blinding(checks); !failing.empty()) fault = *failing.front();
  Round round{.target = ourselves(), .at = now()};
  const Lock one(deciding);
  if (!is_overtaken(began)) {
    std::optional<OwnSight::Checked> taken;
    {
      const Lock lock(mutex);
      if (context) round.anchor_keys = context->anchor_keys.take_news();
      taken = sight.take(std::move(checks), std::move(resolvers), asked_at, ticks(), round.at);
      if (taken && taken->sees_again) resume_impaired();
    }
    if (taken) follower.follow(round, taken->checks);
  }
  record(round, Follower::Scope::all);
  return fault;
}

void Runner::State::try_controls(Prober& prober, const Wanted& wanted) {
  const Lock one(trying);
  std::set<std::pair<Name, std::string>> tried;
  while (true) {
    std::optional<OutboundSmtp::ControlHost> next;
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

bool Runner::State::confirm_with_controls(Prober& prober, probes::HostObservation& seen,
                                          Time began) {
  {
    const Lock lock(mutex);
    sight.take(seen.host, seen.sessions, began);
  }
  try_controls(prober, [&](const OutboundSmtp& reach) { return reach.controls_for(seen, began); });
  const Lock lock(mutex);
  return sight.reach().mark_as_local(seen);
}

bool Runner::State::is_resolvers_own(Prober& prober, const Name& target,
                                     const std::vector<const probes::dns::Answer*>& answers) {
  OwnSight::Doubt doubt;
  {
    const Lock lock(mutex);
    doubt = sight.doubt(target, answers, now());
  }
  if (doubt.is_ours || doubt.controls.empty()) return doubt.is_ours;
  const auto failing = prober.count_failing(doubt.controls, now());
  if (!is_too_many(failing, doubt.controls.size())) return false;
  const Lock lock(mutex);
  sight.blame_resolvers(fmt::format("fails for {} of {} names that it could tell before", failing,
                                    doubt.controls.size()),
                        now());
  return true;
}

void Runner::State::sense_way_out(Round& round) {
  OwnSight::WayOut out;
  {
    const Lock lock(mutex);
    out = sight.sense_way_out(round.at, context->settings.helo);
    if (out.is_any_up_again) resume_impaired();
  }
  take(follower.follow_way_out(round, out, seeing()));
}

bool Runner::State::has_left(const Target& target) {
  if (follower.is_watched(target)) return false;
  take({.change = {.vanished = {target}}});
  return true;
}

void Runner::State::show_anew() {
  const Lock lock(mutex);
  published.set_alerts(follower.book());
  for (const auto& [name, host] : follower.inventory().hosts()) {
    if (host.seen) published.take(host);
  }
}

SelfCheck Runner::State::storage_check(Time at) const {
  auto fault = journal->state().fault;
  if (!fault) fault = recorder.damage();
  return {.check = "storage", .is_up = !fault, .detail = std::move(fault), .checked_at = at};
}

// --- rounds

Journal::Ticket Runner::State::record(Round& round, Follower::Scope scope) {
  follower.tell(round, scope, seeing());
  {
    const Lock lock(mutex);
    published.take(round);
    const bool is_all = scope == Follower::Scope::all;
    if (is_all) published.forget_ended(round.at);
    if (is_all || !round.ended_exceptions.empty())
      published.set_people(follower.book().silences(), follower.exceptions());
    if (is_all) published.set_announced(follower.announcements());
    if (const auto news = agenda.take_news_of_spared(ticks())) round.spared = in_wall_time(*news);
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

void Runner::State::take(const Follower::Consequences& led_to) {
  for (const auto& fault : led_to.faults) events.on_fault(fault);
  const Lock lock(mutex);
  const auto at = ticks();
  for (const auto& target : led_to.change.vanished) {
    agenda.drop(target);
    sight.forget_target(target.name);
    if (target.kind != Target::Kind::host) continue;
    sight.forget_host(target.name);
    published.drop_host(target.name);
  }
  for (const auto& target : led_to.change.appeared) {
    const bool is_host = target.kind == Target::Kind::host;
    agenda.add(target, is_host ? follower.inventory().host(target.name) : nullptr, at);
  }
  for (const auto& target : led_to.soon) move(target, at + config.schedule.confirm_after);
  for (const auto& host : led_to.spread) agenda.hasten(host, at + config.schedule.confirm_after);
  for (const auto& target : led_to.now) move(target, at);
  if (led_to.host == nullptr) return;
  published.take(*led_to.host);
  agenda.take_seen(led_to.host->name);
}

}  // namespace agent

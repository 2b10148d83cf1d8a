#include "agent/watch/runner.h"

#include <algorithm>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "agent/alerts/alert_book.h"
#include "agent/alerts/cause.h"
#include "agent/alerts/lifecycle.h"
#include "agent/alerts/notice.h"
#include "agent/hindsight/history_findings.h"
#include "agent/hindsight/lagging_nameservers.h"
#include "agent/hindsight/mx_change.h"
#include "agent/history/cadence.h"
#include "agent/history/chronicle.h"
#include "agent/history/recorded_past.h"
#include "agent/self/smtp_reach.h"
#include "agent/self/welcome.h"
#include "agent/watch/journal.h"
#include "agent/watch/threads.h"
#include "probes/findings.h"
#include "probes/resolver_faults.h"

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using probes::dns::Cause;
using probes::dns::Name;
using probes::dns::Outcome;

constexpr Seconds kVantageEvery{30};
// A look that failed in a way that may be ours asks again how we see, but not more often than this.
constexpr Seconds kVantageAtMost{2};

// So long is a step of the clock told as a fault, and after it nothing is forgotten for its age.
constexpr Seconds kStepTold = std::chrono::minutes{10};
constexpr Seconds kTimeDoubtful = std::chrono::hours{24};

// So long is it told that a look was lost to a fault of ours.
constexpr Seconds kLossOfLookTold = std::chrono::minutes{10};
// For notifiers, where threads are few.
constexpr std::size_t kSpareThreads = 4;

// Without memory for the next step, so long is waited for others to give some back.
constexpr std::chrono::milliseconds kMemoryWait{200};

// Whoever asks for something waits so long for it to be recorded.
constexpr std::chrono::seconds kActPatience{2};

// No cache keeps DS or DNSKEY records longer (RFC 8767 §4 has TTLs capped at a week).
constexpr Seconds kKeysLookBack = std::chrono::hours{24 * 8};
// How far back the past is read: habits show in several renewals, and some renew once a year. As
// long as history is kept by default.
constexpr Seconds kLookBack = std::chrono::hours{24 * 400};

// More than any configuration leads to; hosts of strangers may lead to ever new ones.
constexpr std::size_t kMostZones = 20'000;

// Protection that was lost is told so long (roles.h).
constexpr Seconds kLossTold = std::chrono::hours{24 * 14};

const Target kOurselves{.kind = Target::Kind::monitor, .name = {}};

// May the failure be the resolver's or ours rather than the zone's?
bool may_be_ours(const probes::dns::Answer& answer) {
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

bool is_authenticated(probes::Verdict verdict) {
  return verdict == probes::Verdict::authenticated ||
         verdict == probes::Verdict::host_authenticated;
}

// A change of key is under way, or caches have not forgotten the last one. What was so when we
// looked first is no change.
bool is_rolling(const Rollovers& rollovers, const Standing& standing) {
  const auto& history = rollovers.history();
  const bool has_changed =
      std::ranges::any_of(history.servers, [](const auto& server) { return server.size() > 1; }) ||
      std::ranges::any_of(history.endpoints,
                          [](const Endpoint& one) { return one.presented.size() > 1; });
  return has_changed && standing.state != RolloverState::no_dane &&
         standing.state != RolloverState::steady && standing.state != RolloverState::dns_fail;
}

// A blocked port is one fault, whatever families it shows in.
probes::Subject cause_of(const VantageCheck& check) {
  const bool is_smtp = check.check.starts_with("smtp_");
  return {.kind = probes::Subject::Kind::monitor, .name = is_smtp ? "smtp" : check.check};
}

std::string step_in_words(const ClockStep& step) {
  return fmt::format("the clock was set {} by {} s: it said {}, and then {}",
                     step.by.count() < 0 ? "back" : "forward", std::abs(step.by.count()),
                     config::rfc3339(step.before), config::rfc3339(step.after));
}

template <class What>
void restate(std::vector<Version<What>>& versions, const ClockStep& step) {
  for (auto& version : versions) {
    version.first_seen = restated(version.first_seen, step);
    version.last_seen = restated(version.last_seen, step);
  }
}

// Unique for ever, in practice.
std::string new_id() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

}  // namespace

struct Runner::State {
  struct TargetState {
    Ticks due;
    bool in_flight = false;
    bool is_wanted = false;  // asked for again while in flight
    int failures = 0;
  };
  struct DomainEntry {
    config::Domain configured;
    probes::DomainSeen seen;
    std::shared_ptr<const probes::DomainJudgement> judged;
    std::optional<Time> protected_until;      // last seen authenticated
    std::optional<MxChange> mx_change;        // the last one
    std::optional<Signatures> mx_signatures;  // nothing before the first look
    std::optional<Exception> exception;       // in the operator's Postfix
    bool awaits_judgement = false;            // its last look could not be followed for want of one
  };
  struct HostEntry {
    probes::HostSeen seen;
    std::set<Name> users;
    std::optional<Chronicle> chronicle;  // nothing before the first look; `deciding` guards it
    std::shared_ptr<const Rollovers> rollovers;
    std::optional<Standing> standing;       // at the last look that learned anything
    probes::Hindsight foreseen;             // what history then adds to the judgement
    std::vector<std::string> refused_keys;  // as in Hit
    std::optional<Time> rolling_since;      // null while no change of key is under way
    bool awaits_judgement = false;          // as of a domain
  };

  config::Config config;
  std::shared_ptr<Gear> gear;
  Recorder& recorder;
  Events events;
  const std::function<Time()> now;
  const std::function<Ticks()> ticks;
  const std::chrono::milliseconds longest_sleep;
  const MakeProber make_prober;
  const Time started_at;

  std::mutex timing;  // guards the next; taken before the others
  StepDetector steps;

  std::mutex trying;  // by whom witnesses are tried; taken before the others
  // Decisions are made and recorded one at a time; taken before `mutex`.
  std::mutex deciding;
  mutable std::mutex mutex;  // guards everything below, and config and gear
  std::condition_variable_any wake;
  std::uint64_t generation = 0;  // of gear
  std::map<Target, TargetState> targets;
  std::set<std::pair<Ticks, Target>> queue;  // targets not in flight
  std::map<Name, DomainEntry> domains;
  std::map<Name, HostEntry> hosts;
  std::map<Name, ZonePast> zones;  // that vouch for what was seen; `deciding` guards it
  struct Servers {
    probes::dns::ZoneSerials serials;  // as given last
    Stragglers stragglers;
  };
  std::map<Name, Servers> servers;  // of those zones; the same
  AlertBook book;
  std::vector<Exception> exceptions;            // as recorded, for domains to be adopted
  std::map<std::string, Time> protected_until;  // the same
  Domains configured;                           // config.domains by name
  std::vector<VantageCheck> vantage;
  std::optional<Ticks> vantage_at;
  std::uint64_t clock_steps = 0;
  std::optional<ClockStep> step;  // the last one
  Ticks step_at{};
  std::vector<ResolverSight> resolvers;
  Controls controls;
  ResolverWatch watch;      // of the resolvers
  Unconfirmed unconfirmed;  // what only they told of
  SmtpReach reach;
  std::vector<VantageCheck> smtp;  // reach's checks, as decided on
  struct LostLook {
    Ticks at;
    std::string why;
  };
  std::optional<LostLook> lost_look;  // the last one
  Welcome welcome;
  std::vector<VantageCheck> greeting;  // its check, the same
  std::multiset<Ticks> looks;          // under way; when they began
  unsigned workers = 0, living = 0;
  std::uint64_t rounds = 0;
  std::optional<Time> last_round_at;
  Ticks round_ended;  // the last, or the start
  ProbeCounts counts;
  std::unique_ptr<Journal> journal;  // last: its thread uses the others

  State(config::Config c, std::shared_ptr<Gear> g, Recorder& r, Recorder::Desk desk, Events e,
        const Clocks& clocks, MakeProber make)
      : config(std::move(c)),
        gear(std::move(g)),
        recorder(r),
        events(std::move(e)),
        now(clocks.wall),
        ticks(clocks.ticks),
        longest_sleep(clocks.asked_every),
        make_prober(make ? std::move(make) : [](std::shared_ptr<Gear> shared)
                        -> config::Result<std::unique_ptr<Prober>, std::string> {
          auto made = Scout::make(std::move(shared));
          if (!made) return config::Failure<std::string>(made.error());
          return std::unique_ptr<Prober>(std::move(*made));
        }),
        started_at(now()),
        steps(started_at, ticks()),
        book(std::move(desk.alerts), std::move(desk.silences)),
        exceptions(std::move(desk.exceptions)),
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

  void look_at_ourselves_now() {
    const std::scoped_lock lock(mutex);
    move_target(kOurselves, ticks());
    wake.notify_all();
  }

  // --- targets; `mutex` is held
  // -------------------------------------------------------------------------------

  void add_target(const Target& target, Ticks due) {
    const auto [entry, is_new] = targets.try_emplace(target, TargetState{.due = due});
    if (is_new) queue.insert({due, target});
  }

  void drop_target(const Target& target) {
    const auto entry = targets.find(target);
    if (entry == targets.end()) return;
    queue.erase({entry->second.due, target});
    targets.erase(entry);
    unconfirmed.forget(target.name);
  }

  void move_target(const Target& target, Ticks due) {
    const auto entry = targets.find(target);
    if (entry == targets.end()) return;
    if (entry->second.in_flight) {
      entry->second.is_wanted = true;
      return;
    }
    queue.erase({entry->second.due, target});
    entry->second.due = due;
    queue.insert({due, target});
  }

  // A host is looked at more often while caches forget quickly, most of all after a change. Of
  // partners' hosts only a change is worth the more sessions.
  config::Schedule schedule_of(const Target& target, Time at) const {
    auto out = config.schedule;
    const auto host = hosts.find(target.name);
    if (target.kind != Target::Kind::host || host == hosts.end() || !host->second.rollovers)
      return out;
    const bool is_ours = std::ranges::any_of(host->second.users, [&](const Name& user) {
      return domains.at(user).configured.role == config::Role::inbound;
    });
    const auto cadence = cadence_of(host->second.rollovers->history(), at);
    if (is_ours || cadence.is_changing)
      out.interval = interval_for(config.schedule, cadence.longest_ttl, cadence.is_changing);
    return out;
  }

  void finish_target(const Target& target, Pace pace, Ticks began) {
    const auto at = ticks();
    const auto wall = now();
    const auto entry = targets.find(target);
    if (entry != targets.end()) {  // not dropped meanwhile
      auto& state = entry->second;
      const int failures = pace == Pace::impaired ? state.failures + 1 : 0;
      auto due =
          at + (target.kind == Target::Kind::monitor
                    ? std::min(kVantageEvery, pace == Pace::steady ? config.schedule.interval
                                                                   : config.schedule.confirm_after)
                    : next_wait(schedule_of(target, wall), pace, failures, target.name.text()));
      if (state.is_wanted) due = at;
      queue.insert({due, target});  // the last that may want memory: until here nothing has changed
      state.due = due;
      state.failures = failures;
      state.is_wanted = state.in_flight = false;
    }
    looks.erase(looks.find(began));
    ++rounds;
    last_round_at = wall;
    round_ended = at;
  }

  // We see again: what was waiting for that need not wait longer.
  void resume_impaired() {
    std::vector<Target> waiting;
    for (const auto& [target, state] : targets) {
      if (state.failures > 0 && target.kind != Target::Kind::monitor) waiting.push_back(target);
    }
    for (const auto& target : waiting) look_at_first(target);
  }

  // As at a start, spread a little.
  void look_at_first(const Target& target) {
    move_target(target, ticks() + first_wait(config.schedule, target.name.text()));
  }

  // --- the clock
  // --------------------------------------------------------------------------------------------------

  // Looks whether the clock was set, and if so goes on with the time that holds now. To be called
  // often, and before anything is decided; no lock is held.
  void notice_step() {
    {
      const std::scoped_lock only(timing);  // nobody else decides anything in a time that is over
      const auto found = observe_clocks();
      if (!found) return;
      const std::scoped_lock one(deciding);
      Round round{.target = kOurselves, .at = now(), .clock_step = found};
      {
        const std::scoped_lock lock(mutex);
        take_step(*found);
        follow_checks(round, {stepped(VantageCheck{.check = "clock", .checked_at = round.at})});
      }
      events.on_clock_step(*found);
      record(round);
    }
    renew_gear();
    wake.notify_all();
  }

  // `timing` is held.
  std::optional<ClockStep> observe_clocks() {
    while (true) {
      const auto before = ticks();
      const auto wall = now();
      const auto after = ticks();
      // Else this thread slept between the two.
      if (after - before < Seconds{1}) return steps.observe(wall, after);
    }
  }

  // Its caches hold what they should not, by the time that holds now.
  void renew_gear() {
    auto fresh = Gear::make(current_config());
    if (!fresh) return events.on_fault(fresh.error());
    const std::scoped_lock one(deciding);
    const std::scoped_lock lock(mutex);
    take_gear(std::move(*fresh));
  }

  config::Config current_config() const {
    const std::scoped_lock lock(mutex);
    return config;
  }

  // `deciding` and `mutex` are held.
  void take_gear(std::shared_ptr<Gear> fresh) {
    gear = std::move(fresh);
    ++generation;
    servers.clear();  // perhaps they are not asked any more
    reach = {};       // sessions may be made otherwise
    watch = {};       // and resolvers may be others
    unconfirmed = {};
  }

  // Everything that is remembered with its time is restated, and everybody is looked at anew.
  // `deciding` and `mutex` are held.
  void take_step(const ClockStep& found) {
    ++clock_steps;
    step = found;
    step_at = ticks();
    vantage_at.reset();
    servers.clear();
    reach = {};
    watch = {};
    unconfirmed = {};
    book.restate(found);
    for (auto& [name, zone] : zones) {
      restate(zone.ds, found);
      restate(zone.dnskey, found);
    }
    for (auto& [name, entry] : domains) {
      if (entry.mx_signatures) restate(*entry.mx_signatures, found);
      if (entry.mx_change) entry.mx_change->at = restated(entry.mx_change->at, found);
      if (entry.protected_until) entry.protected_until = restated(*entry.protected_until, found);
    }
    for (auto& [name, host] : hosts) {
      if (host.rolling_since) host.rolling_since = restated(*host.rolling_since, found);
      if (!host.chronicle) continue;
      for (auto& [server, versions] : host.chronicle->servers) restate(versions, found);
      for (auto& [endpoint, versions] : host.chronicle->endpoints) restate(versions, found);
      for (auto& [server, versions] : host.chronicle->signatures) restate(versions, found);
    }
    for (const auto& [target, state] : std::map(targets)) look_at_first(target);
    move_target(kOurselves, step_at);
  }

  // The check with what is to be said of the clock. `mutex` is held.
  VantageCheck stepped(VantageCheck check) const {
    if (check.check != "clock" || !step || ticks() - step_at >= kStepTold) return check;
    const auto detail = step_in_words(*step);
    check.detail = check.is_up ? detail : fmt::format("{}; {}", check.detail.value_or(""), detail);
    check.is_up = false;
    return check;
  }

  // Nobody knows yet whether the clock that was set is right now. `mutex` is held.
  bool is_time_doubtful() const {
    const auto* failing = first_failing(vantage);
    return (failing != nullptr && failing->check == "clock") ||
           (step && ticks() - step_at < kTimeDoubtful);
  }

  // Of what a look needs to know of its time: the moment, and whether it still holds in the end.
  struct Moment {
    Time at;
    std::uint64_t steps = 0;
  };
  Moment moment() {
    notice_step();
    const std::scoped_lock lock(mutex);
    return {now(), clock_steps};
  }
  // The clock was set since: what was seen has a time that does not hold any more, and it is looked
  // at anew. `mutex` is held.
  bool is_overtaken(const Moment& began) const { return began.steps != clock_steps; }

  // --- following; `mutex` and `deciding` are held
  // ----------------------------------------------------------------

  // What the judgement found at `subject` that is a matter for alerts.
  static void gather(std::map<probes::Code, Trouble>& found, const DomainEntry& entry,
                     const probes::Subject& subject, const probes::HostObservation* host) {
    for (const auto& finding : entry.judged->findings) {
      if (finding.subject != subject || !is_alertable(finding)) continue;
      const auto cause = cause_of(finding, entry.judged->seen.get(), host);
      const auto [place, is_new] = found.try_emplace(
          finding.code,
          Trouble{.cause = cause, .finding = finding, .direction = entry.configured.role});
      auto& trouble = place->second;
      if (trouble.finding.severity < finding.severity) trouble.finding = finding;
      if (entry.configured.role == config::Role::inbound) trouble.direction = entry.configured.role;
      const auto name = entry.configured.name;
      if (std::ranges::find(trouble.domains, name) == trouble.domains.end())
        trouble.domains.push_back(name);
    }
  }

  static std::vector<Trouble> values(std::map<probes::Code, Trouble> found) {
    std::vector<Trouble> out;
    for (auto& [code, trouble] : found) out.push_back(std::move(trouble));
    return out;
  }

  bool follow_domain(Round& round, const Name& name) {
    auto& entry = domains.at(name);
    entry.awaits_judgement = !entry.judged;
    if (!entry.judged) return false;
    const probes::Subject subject{.kind = probes::Subject::Kind::domain, .name = name.text()};
    std::map<probes::Code, Trouble> found;
    gather(found, entry, subject, nullptr);
    return book.follow(round, subject, values(std::move(found)), [&](const Alert& alert) {
      return is_conclusive(alert.finding.code, *entry.judged);
    });
  }

  // A host that is reached over secure and insecure MX records alike has one mismatch, not two.
  static void merge_mismatches(std::map<probes::Code, Trouble>& found) {
    const auto secure = found.find(probes::Code::tlsa_mismatch);
    const auto insecure = found.find(probes::Code::tlsa_mismatch_insecure_mx);
    if (secure == found.end() || insecure == found.end()) return;
    auto& domains = secure->second.domains;
    domains.insert(domains.end(), insecure->second.domains.begin(), insecure->second.domains.end());
    std::ranges::sort(domains);
    found.erase(insecure);
  }

  static bool is_mismatch(probes::Code code) {
    return code == probes::Code::tlsa_mismatch || code == probes::Code::tlsa_mismatch_insecure_mx;
  }

  bool is_mismatch_open(const probes::Subject& subject) const {
    return std::ranges::any_of(book.open(), [&](const auto& entry) {
      return is_mismatch(entry.first.first) && hits(entry.second, subject);
    });
  }

  // People know that senders are refused: what caches hold of it is no trouble of its own. One that
  // is pending, which nobody knows of, hides nothing.
  bool is_refusal_told(const probes::Subject& subject) const {
    return std::ranges::any_of(book.open(), [&](const auto& entry) {
      return is_refusal(entry.first.first) && entry.second.state == AlertState::firing &&
             hits(entry.second, subject);
    });
  }

  bool follow_host(Round& round, const Name& name) {
    auto& host = hosts.at(name);
    const probes::Subject subject{.kind = probes::Subject::Kind::host, .name = name.text()};
    std::map<probes::Code, Trouble> found;
    const probes::HostJudgement* judged = nullptr;
    for (const auto& user : host.users) {
      const auto& domain = domains.at(user);
      if (!domain.judged) continue;
      gather(found, domain, subject, host.seen.get());
      for (const auto& mine : domain.judged->hosts) {
        if (mine.seen->host == name) judged = &mine;
      }
    }
    host.awaits_judgement = judged == nullptr;
    if (judged == nullptr || cut_off(smtp) != nullptr) return false;
    merge_mismatches(found);
    if (is_refusal_told(subject) || found.contains(probes::Code::tlsa_mismatch) ||
        found.contains(probes::Code::tlsa_mismatch_insecure_mx))
      found.erase(probes::Code::stale_cache_window);
    for (auto& [code, trouble] : found) trouble.refused_keys = host.refused_keys;
    return book.follow(round, subject, values(std::move(found)), [&](const Alert& alert) {
      // What caches still hold goes on refusing: the trouble is not over, and it is one trouble.
      if (is_refusal(alert.finding.code) && host.standing && host.standing->window) return false;
      // Which records are of no use is not asked while all of them are.
      if (alert.finding.code == probes::Code::tlsa_orphan && is_mismatch_open(subject))
        return false;
      return is_conclusive(alert.finding.code, alert.finding.addresses, *judged);
    });
  }

  // The last host of a domain has been seen: what was seen of it and the others before is followed
  // now, not an interval later.
  void follow_waiting(Round& round, const Name& domain) {
    const auto& entry = domains.at(domain);
    if (!entry.judged || !entry.seen) return;
    const auto soon = ticks() + config.schedule.confirm_after;
    if (entry.awaits_judgement && follow_domain(round, domain))
      move_target({.kind = Target::Kind::domain, .name = domain}, soon);
    for (const auto& mx : entry.seen->hosts) {
      const auto host = hosts.find(mx.name);
      if (host == hosts.end() || !host->second.awaits_judgement) continue;
      if (follow_host(round, mx.name))
        move_target({.kind = Target::Kind::host, .name = mx.name}, soon);
    }
  }

  // Ends what a restart or a change of configuration left without a target. Hosts are known only
  // when every domain has been seen.
  void abandon_orphans(Round& round) {
    const bool knows_hosts = std::ranges::all_of(
        domains, [](const auto& entry) { return entry.second.seen != nullptr; });
    const auto is_orphan = [&](const probes::Subject& subject) {
      const auto name = Name::parse(subject.name);
      switch (subject.kind) {
        case probes::Subject::Kind::domain:
          return !name || !domains.contains(*name);
        case probes::Subject::Kind::host:
          return knows_hosts && (!name || !hosts.contains(*name));
        case probes::Subject::Kind::owner:
        case probes::Subject::Kind::zone:
        case probes::Subject::Kind::monitor:
          return false;
      }
      return false;
    };
    book.abandon_if(round, is_orphan, "no longer watched");
  }

  // --- telling; `mutex` and `deciding` are held
  // --------------------------------------------------------------------

  // To whom alerts go by letter.
  Audience audience() const {
    const auto least = [](config::Least word) {
      switch (word) {
        case config::Least::medium:
          return probes::Severity::medium;
        case config::Least::high:
          return probes::Severity::high;
        case config::Least::critical:
          return probes::Severity::critical;
      }
      return probes::Severity::medium;
    };
    Audience out{.readers = {}, .remind_after = config.notify.remind_after};
    for (const auto& one : config.notify.webhooks)
      out.readers.push_back({one.name, least(one.least)});
    for (const auto& one : config.notify.mail) out.readers.push_back({one.name, least(one.least)});
    return out;
  }

  void tell(Round& round) {
    const bool is_blind = first_failing(vantage) != nullptr || cut_off(smtp) != nullptr;
    book.tell(round, audience(), configured, is_blind, is_time_doubtful());
  }

  // --- judging; `mutex` and `deciding` are held
  // --------------------------------------------------------------------

  // Nothing when it cannot be read now: it is not forgotten for that.
  std::optional<ZonePast> recorded_past(const Name& zone, Time at) {
    auto kept = recorder.zone_past(zone, at - kKeysLookBack);
    if (!kept) {
      events.on_fault(kept.error().detail);
      return std::nullopt;
    }
    end_by(*kept, at);
    return std::move(*kept);
  }

  // `deciding` is held.
  ZonePast past_of(const Name& zone, Time at) {
    const auto known = zones.find(zone);
    return known == zones.end() ? recorded_past(zone, at).value_or(ZonePast{}) : known->second;
  }

  // Takes up what answers tell of their zones' keys; true when there is news. `deciding` is held.
  bool follow_zones(Round& round, const std::vector<const probes::dns::Answer*>& answers) {
    if (zones.size() > kMostZones) zones.clear();  // what is recorded of them is read again
    bool has_news = false;
    for (const auto* answer : answers) {
      if (!answer->key_sets) continue;
      const auto& zone = answer->key_sets->zone;
      auto past = zones.find(zone);
      if (past == zones.end()) {
        auto kept = recorded_past(zone, round.at);
        if (!kept) continue;
        past = zones.emplace(zone, std::move(*kept)).first;
      }
      const auto news = note(past->second, answer->key_sets);
      if (!news) continue;
      round.zones.push_back(*news);
      has_news = true;
    }
    return has_news;
  }

  // Takes up how the MX RRset that was just seen is signed. `deciding` is held.
  void follow_mx_signature(Round& round, DomainEntry& entry) {
    if (!entry.mx_signatures) {
      auto kept = recorder.mx_signatures(entry.seen->domain, round.at - kLookBack);
      if (!kept) return events.on_fault(kept.error().detail);  // the next look reads it
      end_by(*kept, round.at);
      entry.mx_signatures = std::move(*kept);
    }
    const auto window = mx_window(*entry.seen);
    if (!window) return;
    auto& known = *entry.mx_signatures;
    const auto at = entry.seen->observed_at;
    const auto last = known.empty() ? std::nullopt : std::optional{known.back()};
    round.mx_signature = recognised(last, *window, at);
    note_version(known, *round.mx_signature, {at, at}, std::equal_to<>());
  }

  // The zones that vouch for these answers.
  static std::set<Name> vouching_for(const std::vector<const probes::dns::Answer*>& answers) {
    std::set<Name> out;
    for (const auto* answer : answers) {
      if (answer->key_sets) out.insert(answer->key_sets->zone);
    }
    return out;
  }

  // Takes up which serial numbers the zones' servers give. `deciding` is held.
  void follow_serials(const std::vector<probes::dns::ZoneSerials>& seen) {
    if (servers.size() > kMostZones) servers.clear();
    for (const auto& serials : seen) {
      auto& known = servers[serials.zone];
      if (serials.asked_at < known.serials.asked_at) continue;  // another worker's is newer
      known.serials = serials;
      note(known.stragglers, serials);
    }
  }

  // What caches hold of the keys of the zones that vouch for these answers about `subject`, and
  // which of their servers are late.
  void add_zone_troubles(probes::DomainJudgement& judged, const probes::Subject& subject,
                         const std::vector<const probes::dns::Answer*>& answers, Time at) const {
    for (const auto& zone : vouching_for(answers)) {
      const auto past = zones.find(zone);
      const auto stale = past == zones.end() ? std::nullopt : stale_link(past->second, at);
      if (stale) probes::add_finding(judged, finding_of(*stale, zone.text(), subject));
      const auto mine = servers.find(zone);
      if (mine == servers.end()) continue;
      const auto lagging = find_lagging(mine->second.stragglers, mine->second.serials, subject);
      if (lagging) probes::add_finding(judged, *lagging);
    }
  }

  // Judges the domain anew when all its hosts have been seen.
  void judge_domain(Round& round, const Name& name) {
    auto& entry = domains.at(name);
    if (!entry.seen) return;
    std::map<Name, probes::HostSeen> seen;
    for (const auto& mx : entry.seen->hosts) {
      const auto host = hosts.find(mx.name);
      if (host == hosts.end() || !host->second.seen) return;
      seen[mx.name] = host->second.seen;
    }
    const auto* blocked = seen.empty() ? nullptr : cut_off(smtp);
    auto judged = blocked == nullptr ? probes::judge(entry.seen, seen, round.at)
                                     : probes::judge_blind(entry.seen, blocked->check,
                                                           blocked->detail.value_or(""));
    if (blocked == nullptr) {
      for (const auto& [host, what] : seen)
        probes::add_hindsight(judged, host, hosts.at(host).foreseen);
      add_zone_troubles(judged, {.kind = probes::Subject::Kind::domain, .name = name.text()},
                        {&entry.seen->mx}, round.at);
      for (const auto& [host, what] : seen)
        add_zone_troubles(judged, {.kind = probes::Subject::Kind::host, .name = host.text()},
                          {&what->a, &what->aaaa, &what->tlsa}, round.at);
      if (const auto loss = find_loss(judged, entry.protected_until, round.at))
        probes::add_finding(judged, *loss);
      if (is_authenticated(judged.verdict)) entry.protected_until = round.at;
    }
    if (entry.mx_signatures) {
      probes::add_hindsight(
          judged,
          predict_end(*entry.mx_signatures, "MX", entry.seen->mx.ttl,
                      {.kind = probes::Subject::Kind::domain, .name = name.text()}, round.at));
    }
    if (entry.mx_change) {
      const auto told = finding_of(*entry.mx_change, *entry.seen, round.at);
      if (told) probes::add_finding(judged, *told);
    }
    judged = tempered(std::move(judged), entry.configured.role);
    if (const auto left = find_leftover(judged, entry.exception, round.at))
      probes::add_finding(judged, *left);
    entry.judged = std::make_shared<const probes::DomainJudgement>(std::move(judged));
    publish(round, entry);
  }

  void publish(Round& round, const DomainEntry& entry) {
    const auto target =
        targets.find({.kind = Target::Kind::domain, .name = *Name::parse(entry.configured.name)});
    const auto next = target == targets.end() ? round.at
                                              : round.at + next_wait(config.schedule, Pace::steady,
                                                                     0, entry.configured.name);
    round.judged.push_back(
        {.configured = entry.configured, .judged = entry.judged, .next_check_at = next});
  }

  // Makes `users` of the hosts agree with what the domain's MX RRset says now.
  void use_hosts(Round& round, const Name& domain, const std::vector<probes::MxHost>& wanted) {
    std::set<Name> names;
    for (const auto& mx : wanted) names.insert(mx.name);
    for (const auto& name : names) {
      hosts[name].users.insert(domain);
      add_target({.kind = Target::Kind::host, .name = name}, ticks());
    }
    for (auto host = hosts.begin(); host != hosts.end();) {
      if (!names.contains(host->first)) host->second.users.erase(domain);
      if (!host->second.users.empty()) {
        ++host;
        continue;
      }
      drop_target({.kind = Target::Kind::host, .name = host->first});
      reach.forget(host->first);
      welcome.forget(host->first);
      book.abandon(round, {.kind = probes::Subject::Kind::host, .name = host->first.text()},
                   "no watched domain uses the host any more");
      host = hosts.erase(host);
    }
  }

  // --- rounds
  // ------------------------------------------------------------------------------------------------------

  // Decides what people are told, says what happened, and has the round recorded. Nobody waits for
  // that: page, metrics and people go by what the agent knows, and the disk follows. `deciding` is
  // held.
  Journal::Ticket record(Round& round) {
    {
      const std::scoped_lock lock(mutex);
      tell(round);
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

  void keep_only_configured() {
    journal->post([domains = config.domains](Recorder& to) { return to.keep_only(domains); });
  }

  // `deciding` and `mutex` are held.
  // True when one of them should be looked at again soon.
  bool follow_checks(Round& round, const std::vector<VantageCheck>& checks) {
    bool again = false;
    for (const auto& check : checks) {
      const probes::Finding finding{
          .code = probes::Code::monitor_fault,
          .severity = probes::Severity::high,
          .subject = {.kind = probes::Subject::Kind::monitor, .name = check.check},
          .evidence = {{"detail", check.detail.value_or("")}}};
      std::vector<Trouble> troubles;
      if (!check.is_up && !check.is_limit)
        troubles.push_back({.cause = cause_of(check), .finding = finding});
      again =
          book.follow(round, finding.subject, troubles, [](const Alert&) { return true; }) || again;
    }
    return again;
  }

  // Whether what is seen is recorded, and what was recorded is sound.
  VantageCheck storage_check(Time at) const {
    auto fault = journal->state().fault;
    if (!fault) fault = recorder.damage();
    return {.check = "storage", .is_up = !fault, .detail = std::move(fault), .checked_at = at};
  }

  // Whether looks come to an end. One that was lost says nothing about its target.
  VantageCheck looks_check(Time at) const {
    VantageCheck check{.check = "looks", .checked_at = at};
    if (!lost_look || ticks() - lost_look->at > kLossOfLookTold) return check;
    check.is_up = false;
    check.detail = lost_look->why;
    return check;
  }

  // A library threw, or memory was short: that look is lost, and nothing else.
  void lose_look(const Target& target, std::string_view why) {
    const auto words =
        fmt::format("a look at {} failed: {}",
                    target.kind == Target::Kind::monitor ? "ourselves" : target.name.text(), why);
    {
      const std::scoped_lock lock(mutex);
      lost_look = LostLook{.at = ticks(), .why = words};
    }
    events.on_fault(words);
  }

  void wait_for_memory(const std::stop_token& stop) {
    std::unique_lock lock(mutex);
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

  // Ends a fault of a family, or of what servers think of us, of which too little is known now that
  // every host has been looked at: those that showed it are watched no more.
  void abandon_untellable(Round& round) {
    const auto is_known = [](const std::vector<VantageCheck>& checks, const std::string& name) {
      return std::ranges::find(checks, name, &VantageCheck::check) != checks.end();
    };
    for (const auto* check : {"smtp_ipv4", "smtp_ipv6", "greeting"}) {
      const probes::Subject subject{.kind = probes::Subject::Kind::monitor, .name = check};
      if (is_known(smtp, subject.name) || is_known(greeting, subject.name)) continue;
      const bool is_open = std::ranges::any_of(
          book.open(), [&](const auto& entry) { return hits(entry.second, subject); });
      if (!is_open) continue;
      const bool is_all_seen = std::ranges::all_of(
          hosts, [](const auto& entry) { return entry.second.seen != nullptr; });
      if (is_all_seen) book.abandon(round, subject, "too few hosts are watched to tell");
    }
  }

  // Whether sessions get out of here. When that turns, all domains are judged anew, and what could
  // not be learned meanwhile is looked at again. `deciding` and `mutex` are held.
  void sense_smtp(Round& round) {
    const auto before = std::exchange(smtp, reach.checks(round.at));
    greeting = welcome.checks(round.at, gear->manner.helo);
    follow_checks(round, smtp);
    follow_checks(round, greeting);
    abandon_untellable(round);
    const bool is_any_up_again = std::ranges::any_of(smtp, [&](const VantageCheck& one) {
      const auto was = std::ranges::find(before, one.check, &VantageCheck::check);
      return one.is_up && was != before.end() && !was->is_up;
    });
    if (is_any_up_again) resume_impaired();
    if ((cut_off(smtp) != nullptr) == (cut_off(before) != nullptr)) return;
    for (const auto& [name, entry] : domains) judge_domain(round, name);
  }

  // Tries one after the other whom `wanted`, asked anew each time, names of the SmtpReach. One
  // worker at a time does; who waits finds its question answered.
  template <class Wanted>
  void try_witnesses(Prober& scout, Wanted wanted) {
    const std::scoped_lock one(trying);
    std::set<std::pair<Name, std::string>> tried;
    while (true) {
      std::optional<SmtpReach::Witness> next;
      {
        const std::scoped_lock lock(mutex);
        for (const auto& witness : wanted()) {
          if (!next && tried.emplace(witness.host, witness.address).second) next = witness;
        }
      }
      if (!next) return;
      const auto began = now();
      const auto session = scout.try_address(next->host, next->address);
      const std::scoped_lock lock(mutex);
      reach.note(next->host, {session}, began);
    }
  }

  // Weighs what got stuck: true when that says something of us rather than of the host.
  bool weigh(Prober& scout, probes::HostObservation& seen, Time began) {
    {
      const std::scoped_lock lock(mutex);
      reach.note(seen.host, seen.sessions, began);
      welcome.note(seen.host, seen.sessions);
    }
    try_witnesses(scout, [&] { return reach.doubted_by(seen, began); });
    const std::scoped_lock lock(mutex);
    return reach.excuse(seen);
  }

  // Whether failures that only our resolver told of are its own: it is known to do wrong, fails for
  // others alike, or cannot tell any more what it could.
  bool is_resolvers_own(Prober& scout, const Name& target,
                        const std::vector<const probes::dns::Answer*>& answers) {
    const auto suspect = suspect_of(answers);
    std::vector<probes::dns::Question> witnesses;
    {
      const std::scoped_lock lock(mutex);
      unconfirmed.note(target, answers);
      if (!suspect) return false;
      if (!watch.check(now()).is_up) return true;
      witnesses = controls.unrelated(suspect->type, suspect->zones);
      if (unconfirmed.is_shared(target, suspect->type, !witnesses.empty())) {
        blame_resolvers("fails for names of several owners, and nobody else can be asked");
        return true;
      }
    }
    const auto failing = scout.count_failing(witnesses, now());
    if (!is_too_many(failing, witnesses.size())) return false;
    const std::scoped_lock lock(mutex);
    blame_resolvers(fmt::format("fails for {} of {} names that it could tell before", failing,
                                witnesses.size()));
    return true;
  }

  // `mutex` is held.
  void blame_resolvers(const std::string& what) {
    for (const auto& sight : resolvers) {
      const probes::dns::ResolverFault fault{.resolver = sight.resolver, .what = what};
      watch.note({fault, fault}, std::nullopt, now());
    }
  }

  // What a look says of resolvers. `mutex` is held.
  template <class Observation>
  void learn_from(const Name& target, const Observation& seen) {
    controls.note(seen);
    watch.note(probes::resolver_faults(probes::answers_of(seen)), target, now());
  }

  // How we see, asked again when the last answer is older than `max_age`. Null when all is well.
  std::optional<VantageCheck> sense(Prober& scout, Seconds max_age) {
    {
      const std::scoped_lock lock(mutex);
      if (vantage_at && ticks() - *vantage_at < max_age) {
        const auto* failing = first_failing(vantage);
        return failing == nullptr ? std::nullopt : std::optional{*failing};
      }
    }
    const auto began = moment();
    const auto asked_at = ticks();
    auto checks = scout.look_at_ourselves(began.at);
    Controls known;
    {
      const std::scoped_lock lock(mutex);
      known = controls;
    }
    auto sights = scout.look_at_resolvers(known, began.at);
    notice_step();
    Round round{.target = kOurselves, .at = now()};
    const std::scoped_lock one(deciding);
    {
      const std::scoped_lock lock(mutex);
      // Several workers may have asked at the same moment: that is one look.
      const bool is_new = (!vantage_at || asked_at > *vantage_at) && !is_overtaken(began);
      if (is_new) {
        // While nothing at all comes from the resolvers that is told, and nothing beside it; nor do
        // slips from the beginning and the end of such a time outlast it.
        const bool is_blind = first_failing(checks) != nullptr;
        if (is_blind || first_failing(vantage) != nullptr) {
          watch = {};
          unconfirmed = {};
        } else {
          for (const auto& sight : sights) {
            if (sight.fault)
              watch.note({{.resolver = sight.resolver, .what = *sight.fault}}, std::nullopt,
                         round.at);
          }
        }
        if (!is_blind) checks.push_back(watch.check(round.at));
        const auto is_up = [](const std::vector<VantageCheck>& those) {
          return std::ranges::all_of(those, &VantageCheck::is_up);
        };
        if (!is_up(vantage) && is_up(checks)) resume_impaired();
        vantage = checks;
        resolvers = std::move(sights);
        vantage_at = asked_at;
        auto told = checks;
        for (auto& check : told) check = stepped(std::move(check));
        follow_checks(round, told);
      }
    }
    record(round);
    const auto* failing = first_failing(checks);
    return failing == nullptr ? std::nullopt : std::optional{*failing};
  }

  Pace look_at_ourselves(Prober& scout) {
    auto pace = sense(scout, kVantageAtMost) ? Pace::confirming : Pace::steady;
    try_witnesses(scout, [&] { return reach.awaited(); });
    notice_step();
    Round round{.target = kOurselves, .at = now()};
    const std::scoped_lock one(deciding);
    {
      const std::scoped_lock lock(mutex);
      sense_smtp(round);
      const bool is_impaired =
          cut_off(smtp) != nullptr || !stepped({.check = "clock", .checked_at = round.at}).is_up;
      if (follow_checks(round, {storage_check(round.at), looks_check(round.at)}) || is_impaired)
        pace = Pace::confirming;
    }
    record(round);
    return pace;
  }

  Pace look_at_domain(Prober& scout, const Name& name) {
    auto blind = sense(scout, kVantageEvery + kVantageAtMost);
    const auto began = moment();
    probes::DomainSeen seen;
    std::vector<probes::dns::ZoneSerials> serials;
    if (!blind) {
      auto look = scout.look_at_domain(name, began.at);
      if (may_be_ours(look.mx)) blind = sense(scout, kVantageAtMost);
      if (!blind && is_resolvers_own(scout, name, probes::deciding(look))) probes::excuse(look);
      seen = std::make_shared<const probes::DomainObservation>(std::move(look));
    }
    if (!blind) serials = scout.ask_serials(vouching_for({&seen->mx}), now());
    bool again = false;
    notice_step();
    Round round{.target = {.kind = Target::Kind::domain, .name = name}, .at = now()};
    const std::scoped_lock one(deciding);
    {
      const std::scoped_lock lock(mutex);
      if (seen) {
        counts.note(*seen);
        learn_from(name, *seen);
      }
      if (is_overtaken(began)) return Pace::confirming;
      const auto entry = domains.find(name);
      if (entry == domains.end()) return Pace::steady;  // no longer configured
      if (blind) {
        go_blind(round, entry->second, *blind);
      } else {
        const auto before = std::exchange(entry->second.seen, seen);
        const auto change = before ? find_mx_change(*before, *seen) : std::nullopt;
        if (change) entry->second.mx_change = change;
        round.domain = seen;
        follow_mx_signature(round, entry->second);
        follow_zones(round, {&seen->mx});
        follow_serials(serials);
        if (seen->mx.outcome != Outcome::failed) use_hosts(round, name, seen->hosts);
        abandon_orphans(round);
        judge_domain(round, name);
        again = follow_domain(round, name);
        follow_waiting(round, name);
      }
    }
    record(round);
    if (blind) return Pace::impaired;
    return again ? Pace::confirming : Pace::steady;
  }

  void go_blind(Round& round, DomainEntry& entry, const VantageCheck& fault) {
    auto unseen = std::make_shared<probes::DomainObservation>();
    unseen->domain = round.target.name;
    unseen->observed_at = round.at;
    entry.judged = std::make_shared<const probes::DomainJudgement>(
        probes::judge_blind(unseen, fault.check, fault.detail.value_or("")));
    publish(round, entry);
  }

  // The other hosts whose TLSA records are the same RRset. `deciding` is held.
  std::vector<const HostEntry*> sharing_owner_with(const probes::HostObservation& seen) const {
    std::vector<const HostEntry*> out;
    if (seen.tlsa.outcome == Outcome::not_queried) return out;
    for (const auto& [name, other] : hosts) {
      if (name != seen.host && other.seen && other.chronicle &&
          other.seen->tlsa.final_name == seen.tlsa.final_name)
        out.push_back(&other);
    }
    return out;
  }

  // Takes what was seen up into the host's history; null while there is nothing to follow.
  // `deciding` is held.
  std::shared_ptr<const Rollovers> follow_history(Round& round, HostEntry& host,
                                                  const probes::HostObservation& seen) {
    if (!host.chronicle) {
      auto kept = recorder.chronicle(seen.host, round.at - kLookBack);
      if (!kept) {  // the next look reads it
        events.on_fault(kept.error().detail);
        return nullptr;
      }
      end_by(*kept, round.at);
      host.chronicle = std::move(*kept);
    }
    auto sighting = sighting_of(seen);
    if (is_loss(*host.chronicle, sighting)) {
      const auto past = [&](const Name& zone) { return past_of(zone, round.at); };
      sighting.delegation_ttl =
          std::max(delegation_ttl(seen.host, past), delegation_ttl(seen.tlsa.final_name, past));
    }
    round.sighting = completed(*host.chronicle, std::move(sighting));
    note(*host.chronicle, round.sighting, seen.observed_at, round.at);
    if (host.chronicle->servers.empty()) return nullptr;
    std::vector<std::string> names{seen.base_domain.text(), seen.host.text()};
    for (const auto& user : host.users) names.push_back(user.text());
    const auto sharers = sharing_owner_with(seen);
    if (sharers.empty())
      return std::make_shared<const Rollovers>(history_of(*host.chronicle, names));
    auto shared = *host.chronicle;
    for (const auto* other : sharers) {
      const auto name = other->seen->host.text();
      add_endpoints(shared, name, *other->chronicle);
      names.push_back(other->seen->base_domain.text());
      names.push_back(name);
    }
    return std::make_shared<const Rollovers>(history_of(shared, names));
  }

  // True when what history adds to the look has changed. `mutex` is held.
  static bool stand(HostEntry& host, const std::shared_ptr<const Rollovers>& rollovers,
                    const Round& round) {
    host.rollovers = rollovers;
    host.standing = rollovers ? std::optional{rollovers->at(round.at)} : std::nullopt;
    if (!host.standing || !is_rolling(*rollovers, *host.standing))
      host.rolling_since.reset();
    else if (!host.rolling_since)
      host.rolling_since = round.at;
    host.refused_keys = rollovers ? rollovers->refused_keys(round.at) : std::vector<std::string>{};
    auto foreseen = rollovers ? foresee(*host.chronicle, rollovers->history(), *host.standing,
                                        round.target.name.text())
                              : probes::Hindsight{};
    return std::exchange(host.foreseen, foreseen) != foreseen;
  }

  Pace look_at_host(Prober& scout, const Name& name) {
    if (sense(scout, kVantageEvery + kVantageAtMost)) return Pace::impaired;
    const auto began = moment();
    auto look = scout.look_at_host(name, began.at);
    const bool is_excused = weigh(scout, look, began.at);
    if (may_be_ours(look) && sense(scout, kVantageAtMost)) {
      const std::scoped_lock lock(mutex);
      counts.note(look);
      return Pace::impaired;
    }
    const bool is_resolvers = is_resolvers_own(scout, name, probes::deciding(look));
    if (is_resolvers) probes::excuse(look);
    const auto seen = std::make_shared<const probes::HostObservation>(std::move(look));
    {
      const std::scoped_lock lock(mutex);
      counts.note(*seen);
      learn_from(name, *seen);
    }
    const auto serials =
        scout.ask_serials(vouching_for({&seen->a, &seen->aaaa, &seen->tlsa}), now());
    bool again = false;
    notice_step();
    Round round{.target = {.kind = Target::Kind::host, .name = name}, .at = now()};
    const std::scoped_lock one(deciding);
    {
      const std::scoped_lock lock(mutex);
      if (is_overtaken(began)) return Pace::confirming;
    }
    const auto entry = hosts.find(name);            // nobody adds or drops hosts while we decide
    if (entry == hosts.end()) return Pace::steady;  // no domain uses it any more
    const auto rollovers = follow_history(round, entry->second, *seen);
    const bool has_keys = follow_zones(round, {&seen->a, &seen->aaaa, &seen->tlsa});
    follow_serials(serials);
    {
      const std::scoped_lock lock(mutex);
      const bool has_news = stand(entry->second, rollovers, round) || has_keys;
      const auto before = std::exchange(entry->second.seen, seen);
      round.host = seen;
      sense_smtp(round);
      // What was judged stays judged while the facts stay; time alone is taken into account at the
      // domains' own looks.
      if (has_news || !before || !probes::same_facts(*before, *seen)) {
        for (const auto& user : entry->second.users) judge_domain(round, user);
      }
      again = follow_host(round, name);
      for (const auto& user : entry->second.users) follow_waiting(round, user);
    }
    record(round);
    if (again) return Pace::confirming;
    return is_excused || is_resolvers ? Pace::impaired : Pace::steady;
  }

  Pace look(Prober& scout, const Target& target) {
    switch (target.kind) {
      case Target::Kind::domain:
        return look_at_domain(scout, target.name);
      case Target::Kind::host:
        return look_at_host(scout, target.name);
      case Target::Kind::monitor:
        return look_at_ourselves(scout);
    }
    return Pace::steady;
  }

  // A target that is due, and when its look began.
  struct Task {
    Target target;
    Ticks began;
  };

  // Sleeps until a target is due, and takes it; nothing when the thread shall end.
  std::optional<Task> next_task(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      notice_step();
      std::unique_lock lock(mutex);
      const auto at = ticks();
      if (!queue.empty() && queue.begin()->first <= at) {
        std::optional<Task> task{Task{queue.begin()->second, at}};
        looks.insert(at);  // the last that wants memory
        queue.erase(queue.begin());
        targets.at(task->target).in_flight = true;
        return task;
      }
      auto wait = longest_sleep;
      if (!queue.empty()) wait = std::min(wait, queue.begin()->first - at);
      wake.wait_for(lock, stop, wait,
                    [&] { return !queue.empty() && queue.begin()->first <= ticks(); });
    }
    return std::nullopt;
  }

  // `mutex` is held.
  Progress progress() const {
    const auto at = ticks();
    const auto whole = [](auto time) { return std::chrono::floor<Seconds>(time); };
    Progress out{.since_round = whole(at - round_ended),
                 .workers = workers,
                 .living = living,
                 .looking = static_cast<unsigned>(looks.size()),
                 .interval = config.schedule.interval};
    if (!queue.empty() && queue.begin()->first < at) out.lag = whole(at - queue.begin()->first);
    if (!looks.empty()) out.longest_look = whole(at - *looks.begin());
    return out;
  }

  // What the clock will say then, as far as it goes right. `mutex` is held.
  Time wall_of(Ticks moment) const { return now() + std::chrono::ceil<Seconds>(moment - ticks()); }

  // What was recorded of a domain that is watched from now on.
  void recall(DomainEntry& entry) const {
    const auto& name = entry.configured.name;
    if (const auto until = protected_until.find(name); until != protected_until.end())
      entry.protected_until = until->second;
    const auto made = std::ranges::find(exceptions, name, &Exception::domain);
    if (made != exceptions.end()) entry.exception = *made;
  }

  void recall_protected() {
    auto known = recorder.protected_domains(now() - kLossTold);
    if (known) protected_until = std::move(*known);
    for (auto& [domain, until] : protected_until) until = std::min(until, now());
    if (!known) events.on_fault(known.error().detail);
  }

  // Takes the configured domains as targets and lets go of the others; `deciding` and `mutex` are
  // held.
  void adopt(Round& round) {
    std::map<Name, config::Domain> wanted;
    for (const auto& domain : config.domains) {
      if (const auto name = Name::parse(domain.name)) wanted.emplace(*name, domain);
    }
    for (auto entry = domains.begin(); entry != domains.end();) {
      if (wanted.contains(entry->first)) {
        ++entry;
        continue;
      }
      const auto name = entry->first;
      use_hosts(round, name, {});
      book.abandon(round, {.kind = probes::Subject::Kind::domain, .name = name.text()},
                   "the domain is no longer watched");
      drop_target({.kind = Target::Kind::domain, .name = name});
      entry = domains.erase(entry);
    }
    configured.clear();
    for (const auto& domain : config.domains) configured.emplace(domain.name, domain);
    for (const auto& [name, domain] : wanted) {
      const auto [entry, is_new] = domains.try_emplace(name);
      entry->second.configured = domain;
      if (is_new) recall(entry->second);
      add_target({.kind = Target::Kind::domain, .name = name},
                 ticks() + first_wait(config.schedule, name.text()));
    }
    add_target(kOurselves, ticks());
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
  Round round{.target = kOurselves, .at = state_->now()};
  {
    const std::scoped_lock one(state_->deciding);
    state_->recall_protected();
    {
      const std::scoped_lock lock(state_->mutex);
      state_->adopt(round);
      state_->abandon_orphans(round);
    }
    state_->record(round);
    state_->keep_only_configured();
  }
  const auto wanted = std::max(1U, state_->config.schedule.workers);
  const auto count_workers = [this](unsigned more, unsigned fewer) {
    const std::scoped_lock lock(state_->mutex);
    state_->workers += more - fewer;
    state_->living += more - fewer;
  };
  count_workers(wanted, 0);
  const auto started = start_threads(
      workers_, wanted,
      [this](const std::stop_token& stop) {
        work(stop);
        const std::scoped_lock lock(state_->mutex);
        if (stop.stop_requested()) --state_->workers;
        --state_->living;
      },
      Spare{.threads = kSpareThreads});
  count_workers(0, wanted - static_cast<unsigned>(started));
  if (started == 0)
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again),
                            "no worker could be started");
  if (started < wanted)
    state_->events.on_fault(fmt::format(
        "only {} of {} workers could be started: memory or threads are limited", started, wanted));
}

void Runner::stop() {
  for (auto& worker : workers_) worker.request_stop();
  workers_.clear();
  state_->journal->stop();
}

// Ends only when it is told to: whatever a look comes to, the next target is taken.
void Runner::work(const std::stop_token& stop) {
  std::unique_ptr<Prober> prober;
  std::uint64_t generation = 0;
  while (const auto task = state_->insist(stop, [&] { return state_->next_task(stop); })) {
    auto pace = Pace::impaired;
    try {
      std::shared_ptr<Gear> gear;
      {
        const std::scoped_lock lock(state_->mutex);
        if (!prober || generation != state_->generation) {
          gear = state_->gear;
          generation = state_->generation;
        }
      }
      if (gear) {
        auto made = state_->make_prober(std::move(gear));
        if (!made) state_->events.on_fault(made.error());
        prober = made ? std::move(*made) : nullptr;
      }
      if (prober) pace = state_->look(*prober, task->target);
    } catch (const std::exception& e) {
      state_->insist(stop, [&] { state_->lose_look(task->target, e.what()); });
    }
    state_->insist(stop, [&] {
      const std::scoped_lock lock(state_->mutex);
      state_->finish_target(task->target, pace, task->began);
    });
    const std::scoped_lock lock(state_->mutex);
    // This thread goes on with what is due; one more is woken, and wakes the next.
    state_->wake.notify_one();
  }
}

void Runner::reconfigure(config::Config config, std::shared_ptr<Gear> gear) {
  Round round{.target = kOurselves, .at = state_->now()};
  const std::scoped_lock one(state_->deciding);
  {
    const std::scoped_lock lock(state_->mutex);
    state_->config = std::move(config);
    state_->take_gear(std::move(gear));
    state_->adopt(round);
  }
  state_->record(round);
  state_->keep_only_configured();
  state_->wake.notify_all();
}

void Runner::forget(Time before) {
  {
    const std::scoped_lock lock(state_->mutex);
    if (state_->is_time_doubtful()) return;
  }
  state_->journal->post([before](Recorder& recorder) { return recorder.forget(before); });
}

bool Runner::check_now(std::string_view domain) {
  const auto name = Name::parse(domain);
  const std::scoped_lock lock(state_->mutex);
  const auto entry = name ? state_->domains.find(*name) : state_->domains.end();
  if (entry == state_->domains.end()) return false;
  const auto at = state_->ticks();
  state_->move_target({.kind = Target::Kind::domain, .name = *name}, at);
  if (entry->second.seen) {
    for (const auto& mx : entry->second.seen->hosts)
      state_->move_target({.kind = Target::Kind::host, .name = mx.name}, at);
  }
  state_->wake.notify_all();
  return true;
}

// Does `work` on the state and records what it wrote into the round. `work` returns a fault in
// words, or null.
template <class Work>
Runner::Done Runner::decide(Work work) {
  state_->notice_step();
  Round round{.target = kOurselves, .at = state_->now()};
  Journal::Ticket ticket;
  {
    const std::scoped_lock one(state_->deciding);
    {
      const std::scoped_lock lock(state_->mutex);
      if (const std::optional<std::string> fault = work(round))
        return config::Failure<std::string>(*fault);
    }
    ticket = state_->record(round);
  }
  if (state_->journal->wait(ticket, kActPatience)) return {};
  return config::Failure<std::string>(
      "it holds, but could not be recorded yet: see the log; a restart before that would undo it");
}

Runner::Done Runner::acknowledge(const std::string& alert, std::optional<Acknowledgement> how) {
  return decide([&](Round& round) -> std::optional<std::string> {
    if (state_->book.acknowledge(round, alert, std::move(how))) return std::nullopt;
    return "no alert of that id fires";
  });
}

config::Result<Silence, std::string> Runner::silence(Silence wanted) {
  wanted.id = new_id();
  const auto done = decide([&](Round& round) -> std::optional<std::string> {
    constexpr std::size_t kMostSilences = 1000;
    if (state_->book.silences().size() >= kMostSilences) return "there are 1000 silences already";
    state_->book.put(round, wanted);
    return std::nullopt;
  });
  return done ? config::Result<Silence, std::string>(wanted)
              : config::Failure<std::string>(done.error());
}

Runner::Done Runner::end_silence(const std::string& id) {
  return decide([&](Round& round) -> std::optional<std::string> {
    if (state_->book.end_silence(round, id)) return std::nullopt;
    return "no silence of that id is to come or active";
  });
}

config::Result<Exception, std::string> Runner::make_exception(const std::string& domain) {
  std::optional<Exception> made;
  const auto done = decide([&](Round& round) -> std::optional<std::string> {
    const auto name = Name::parse(domain);
    const auto entry = name ? state_->domains.find(*name) : state_->domains.end();
    if (entry == state_->domains.end() || !entry->second.judged)
      return "no domain of that name is watched";
    made = exception_for(*entry->second.judged, round.at);
    if (!made) return "DANE is not what keeps mail from this domain: no exception would help";
    entry->second.exception = made;
    round.exceptions.push_back(*made);
    return std::nullopt;
  });
  return done ? config::Result<Exception, std::string>(*made)
              : config::Failure<std::string>(done.error());
}

Runner::Done Runner::end_exception(const std::string& domain) {
  return decide([&](Round& round) -> std::optional<std::string> {
    const auto name = Name::parse(domain);
    const auto entry = name ? state_->domains.find(*name) : state_->domains.end();
    if (entry == state_->domains.end() || !entry->second.exception)
      return "there is no exception for that domain";
    entry->second.exception.reset();
    round.ended_exceptions.push_back(entry->second.configured.name);
    state_->judge_domain(round, *name);
    state_->follow_domain(round, *name);
    return std::nullopt;
  });
}

Health Runner::health() const {
  Health out{
      .stall = std::nullopt, .stuck = std::nullopt, .unrecorded = state_->journal->state().fault};
  const std::scoped_lock lock(state_->mutex);
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
  const std::scoped_lock lock(state_->mutex);
  const auto entry = wanted ? state_->domains.find(*wanted) : state_->domains.end();
  if (entry == state_->domains.end()) return std::nullopt;
  const auto target = state_->targets.find({.kind = Target::Kind::domain, .name = *wanted});
  return DomainState{.configured = entry->second.configured,
                     .judged = entry->second.judged,
                     .next_check_at = target == state_->targets.end()
                                          ? state_->now()
                                          : state_->wall_of(target->second.due)};
}

std::shared_ptr<const Snapshot> Runner::snapshot() const {
  auto out = std::make_shared<Snapshot>();
  const std::scoped_lock lock(state_->mutex);
  const auto& s = *state_;
  out->now = s.now();
  out->started_at = s.started_at;
  out->schedule = s.config.schedule;
  out->metrics = s.config.metrics;
  for (const auto& domain : s.config.domains) {
    const auto name = Name::parse(domain.name);
    const auto entry = name ? s.domains.find(*name) : s.domains.end();
    if (entry == s.domains.end()) continue;
    const auto target = s.targets.find({.kind = Target::Kind::domain, .name = *name});
    out->domains.push_back(
        {.configured = entry->second.configured,
         .judged = entry->second.judged,
         .next_check_at = target == s.targets.end() ? out->now : s.wall_of(target->second.due)});
  }
  for (const auto& [name, host] : s.hosts) {
    if (host.seen) out->hosts.emplace_back(name, host.seen);
  }
  for (const auto& [name, host] : s.hosts) {
    if (host.seen && host.rollovers)
      out->rollovers.push_back({host.seen, host.rollovers, host.rolling_since});
  }
  for (const auto& [key, alert] : s.book.open()) out->alerts.push_back(alert);
  std::ranges::sort(out->alerts, {}, &Alert::id);
  for (const auto& [key, alert] : s.book.ended())
    (alert.state == AlertState::resolved ? out->ended : out->passed).push_back(alert);
  out->silences = s.book.silences();
  for (const auto& [name, entry] : s.domains) {
    if (entry.exception) out->exceptions.push_back(*entry.exception);
  }
  out->resolvers = s.resolvers;
  out->vantage = s.vantage;
  for (auto& check : out->vantage) check = s.stepped(std::move(check));
  out->vantage.insert(out->vantage.end(), s.smtp.begin(), s.smtp.end());
  out->vantage.insert(out->vantage.end(), s.greeting.begin(), s.greeting.end());
  if (s.vantage_at) {
    out->vantage.push_back(s.storage_check(out->now));
    out->vantage.push_back(s.looks_check(out->now));
  }
  out->in_flight = s.looks.size();
  const auto ticks = s.ticks();
  for (const auto& [due, target] : s.queue) {
    if (due > ticks) break;
    ++out->queue_length;
  }
  out->progress = s.progress();
  out->lag = out->progress.lag;
  out->rounds = s.rounds;
  out->last_round_at = s.last_round_at;
  const auto recording = s.journal->state();
  out->record_errors = recording.errors;
  out->storage_fault = recording.fault;
  out->unrecorded_rounds = recording.waiting;
  out->lost_rounds = recording.lost;
  out->recordings = recording.recordings;
  out->clock_steps = s.clock_steps;
  out->counts = s.counts;
  const auto& queries = s.gear->queries;
  std::ranges::copy(queries.udp, out->dns_by_rcode_udp.begin());
  std::ranges::copy(queries.tcp, out->dns_by_rcode_tcp.begin());
  out->dns_unanswered = queries.unanswered;
  return out;
}

}  // namespace agent

#include "agent/watch/follower.h"

#include <algorithm>
#include <utility>

#include "agent/alerts/partners.h"
#include "agent/alerts/troubles.h"
#include "agent/hindsight/history_findings.h"
#include "agent/hindsight/judge_with_history.h"
#include "agent/history/cadence.h"
#include "probes/findings.h"

namespace agent {
namespace {

using config::Time;
using probes::Code;
using probes::Subject;
using probes::dns::Name;
using probes::dns::Outcome;

Subject subject_of_domain(const Name& name) {
  return {.kind = Subject::Kind::domain, .name = name.text()};
}

Subject subject_of_host(const Name& name) {
  return {.kind = Subject::Kind::host, .name = name.text()};
}

bool is_authenticated(probes::Verdict verdict) {
  return verdict == probes::Verdict::authenticated ||
         verdict == probes::Verdict::host_authenticated;
}

// A change of key is under way, or caches have not forgotten the last one. What was so when we
// looked first is no change.
bool is_rolling(const Rollovers& rollovers, const RolloverStanding& standing) {
  const auto& history = rollovers.history();
  const bool has_changed =
      std::ranges::any_of(history.servers, [](const auto& server) { return server.size() > 1; }) ||
      std::ranges::any_of(history.endpoints,
                          [](const Endpoint& one) { return one.presented.size() > 1; });
  return has_changed && standing.state != RolloverState::no_dane &&
         standing.state != RolloverState::steady && standing.state != RolloverState::dns_fail;
}

// A blocked port is one fault, whatever families it shows in.
Subject cause_of(const SelfCheck& check) {
  const bool is_smtp = check.check.starts_with("smtp_");
  return {.kind = Subject::Kind::monitor, .name = is_smtp ? "smtp" : check.check};
}

Judged judged(const Inventory::Domain& domain) {
  return {.configured = domain.configured.get(), .judgement = domain.judged.get()};
}

// To whom alerts go by letter.
Audience audience_of(const config::Notify& notify) {
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
  Audience out{.readers = {}, .remind_after = notify.remind_after};
  for (const auto& one : notify.webhooks) out.readers.push_back({one.name, least(one.least)});
  for (const auto& one : notify.mail) out.readers.push_back({one.name, least(one.least)});
  return out;
}

}  // namespace

Follower::Follower(Recorder& recorder, Recorder::RestoredState desk, const config::Config& config)
    : past_(recorder),
      book_(std::move(desk.alerts), std::move(desk.silences)),
      schedule_(config.schedule),
      audience_(audience_of(config.notify)) {
  for (auto& made : desk.exceptions) exceptions_.emplace(made.domain, made);
}

// --- who is watched
// ------------------------------------------------------------------------------------------------

Follower::Consequences Follower::adopt(Round& round, const config::Config& config) {
  schedule_ = config.schedule;
  audience_ = audience_of(config.notify);
  const auto protected_until = past_.protected_domains(round.at);
  Consequences out;
  auto change = inventory_.adopt(config.domains);
  for (const auto& target : change.appeared) {
    auto* domain = inventory_.domain(target.name);
    const auto until = protected_until.find(domain->configured->name);
    if (until != protected_until.end()) domain->protected_until = until->second;
  }
  let_go(round, out, std::move(change));
  // All of them: a reload that was lost half-way must not leave one that nobody probes.
  out.change.appeared.clear();
  for (const auto& [name, domain] : inventory_.domains())
    out.change.appeared.push_back({.kind = Target::Kind::domain, .name = name});
  has_orphans_ = true;
  abandon_orphans(round);
  out.faults = past_.take_faults();
  return out;
}

void Follower::let_go(Round& round, Consequences& out, Inventory::Change change) {
  for (const auto& target : change.vanished) {
    const bool is_host = target.kind == Target::Kind::host;
    book_.abandon(
        round, is_host ? subject_of_host(target.name) : subject_of_domain(target.name),
        is_host ? "no watched domain uses the host any more" : "the domain is no longer watched");
    if (!is_host) mx_changes_.erase(target.name);
  }
  std::ranges::move(change.appeared, std::back_inserter(out.change.appeared));
  std::ranges::move(change.vanished, std::back_inserter(out.change.vanished));
}

// Ends what a restart or a change of configuration left without a target. Hosts are known only when
// every domain has been seen.
void Follower::abandon_orphans(Round& round) {
  if (!has_orphans_) return;
  const bool knows_hosts = inventory_.knows_all_hosts();
  const auto is_orphan = [&](const Subject& subject) {
    const auto name = Name::parse(subject.name);
    switch (subject.kind) {
      case Subject::Kind::domain:
        return !name || inventory_.domain(*name) == nullptr;
      case Subject::Kind::host:
        return knows_hosts && (!name || inventory_.host(*name) == nullptr);
      case Subject::Kind::owner:
      case Subject::Kind::zone:
      case Subject::Kind::monitor:
        return false;
    }
    return false;
  };
  book_.abandon_if(round, is_orphan, "no longer watched");
  has_orphans_ = !knows_hosts;
}

bool Follower::is_watched(const Target& target) const {
  switch (target.kind) {
    case Target::Kind::domain:
      return inventory_.domain(target.name) != nullptr;
    case Target::Kind::host:
      return inventory_.host(target.name) != nullptr;
    case Target::Kind::monitor:
      return true;
  }
  return true;
}

// --- judging
// -------------------------------------------------------------------------------------------------------

// Judges the domain anew when all its hosts have been seen; false when they have not.
bool Follower::judge(Round& round, Domain& domain, const Seeing& seeing) {
  if (!domain.seen) return false;
  const auto& name = *domain.name;
  std::map<Name, probes::HostSeen> seen;
  KnownBefore known;
  for (const auto& mx : domain.seen->hosts) {
    const auto* host = inventory_.host(mx.name);
    if (host == nullptr || !host->seen) return false;
    seen[mx.name] = host->seen;
    known.of_hosts[mx.name] = &host->foreseen;
  }
  const auto* blocked = seen.empty() || !seeing.blocked ? nullptr : &*seeing.blocked;
  known.of_zones = past_.zone_findings(subject_of_domain(name), {&domain.seen->mx}, round.at);
  for (const auto& [host, what] : seen)
    std::ranges::move(past_.zone_findings(subject_of_host(host), answers_about(*what), round.at),
                      std::back_inserter(known.of_zones));
  known.mx_signatures = past_.mx_signatures(name, round.at);
  const auto change = mx_changes_.find(name);
  if (change != mx_changes_.end()) known.mx_change = change->second;
  auto judgement = judge_with_history(domain.seen, seen, known, blocked, round.at);
  if (blocked == nullptr) {
    if (const auto loss = find_loss(judgement, domain.protected_until, round.at))
      probes::add_finding(judgement, *loss);
    if (is_authenticated(judgement.verdict)) domain.protected_until = round.at;
  }
  judgement = with_partner_severity(std::move(judgement), domain.configured->role);
  const auto made = exceptions_.find(domain.configured->name);
  const auto left = leftover_exception(
      judgement, made == exceptions_.end() ? std::nullopt : std::optional{made->second}, round.at);
  if (left) probes::add_finding(judgement, *left);
  domain.judged = std::make_shared<const probes::DomainJudgement>(std::move(judgement));
  for (auto* host : domain.hosts) {
    if (has_trouble_at(*domain.judged, subject_of_host(host->name)))
      host->troubled.insert(&domain);
    else
      host->troubled.erase(&domain);
  }
  publish(round, domain);
  return true;
}

void Follower::publish(Round& round, const Domain& domain) const {
  round.judged.push_back({.configured = *domain.configured,
                          .judged = domain.judged,
                          .next_check_at = round.at + next_wait(schedule_, ProbeOutcome::steady, 0,
                                                                domain.configured->name)});
}

// --- alerts
// --------------------------------------------------------------------------------------------------------

bool Follower::follow_domain(Round& round, Domain& domain) {
  domain.awaits_judgement = !domain.judged;
  // What a fault of ours hid ends nothing.
  if (!domain.judged || probes::is_blind(*domain.judged)) return false;
  return book_.follow(
      round, subject_of_domain(*domain.name), troubles_of_domain(judged(domain)),
      [&](const Alert& alert) { return is_conclusive(alert.finding.code, *domain.judged); });
}

bool Follower::follow_host(Round& round, Host& host, const Seeing& seeing) {
  // Of all users that were judged with the host any tells as much of it.
  const probes::HostJudgement* judgement = nullptr;
  for (auto user = host.users.rbegin(); user != host.users.rend() && judgement == nullptr; ++user) {
    if (!(*user)->judged) continue;
    for (const auto& mine : (*user)->judged->hosts) {
      if (mine.seen->host == host.name) judgement = &mine;
    }
  }
  host.awaits_judgement = judgement == nullptr;
  if (judgement == nullptr || seeing.blocked) return false;
  const auto subject = subject_of_host(host.name);
  const bool is_refusal_told = book_.any_open_at(subject, [](const Alert& alert) {
    return is_refusal(alert.finding.code) && alert.state == AlertState::firing;
  });
  std::vector<Judged> users;
  for (const auto* user : host.troubled) users.push_back(judged(*user));
  return book_.follow(
      round, subject, troubles_of_host(*host.seen, users, host.refused_keys, is_refusal_told),
      [&](const Alert& alert) {
        // What caches still hold goes on refusing: the trouble is not over, and it is one trouble.
        // So may what they hold and nobody remembers.
        if (is_refusal(alert.finding.code) && host.standing &&
            (host.standing->window || host.standing->state == RolloverState::unknown))
          return false;
        // Which records are of no use is not asked while all of them are.
        if (alert.finding.code == Code::tlsa_orphan &&
            book_.any_open_at(subject,
                              [](const Alert& one) { return is_mismatch(one.finding.code); }))
          return false;
        return is_conclusive(alert.finding.code, alert.finding.addresses, *judgement);
      });
}

// The domain has been judged with the last of its hosts: what was seen of it and the others before
// is followed now, not an interval later.
void Follower::follow_waiting(Round& round, Consequences& out, Domain& domain,
                              const Seeing& seeing) {
  if (domain.awaits_judgement && follow_domain(round, domain))
    out.soon.push_back({.kind = Target::Kind::domain, .name = *domain.name});
  for (auto* host : domain.hosts) {
    if (host->awaits_judgement && host->seen && follow_host(round, *host, seeing))
      out.soon.push_back({.kind = Target::Kind::host, .name = host->name});
  }
}

bool Follower::follow(Round& round, const std::vector<SelfCheck>& checks) {
  bool again = false;
  for (const auto& check : checks) {
    const probes::Finding finding{.code = Code::monitor_fault,
                                  .severity = probes::Severity::high,
                                  .subject = {.kind = Subject::Kind::monitor, .name = check.check},
                                  .evidence = {{"detail", check.detail.value_or("")}}};
    std::vector<Trouble> troubles;
    if (!check.is_up && !check.is_limit)
      troubles.push_back({.cause = cause_of(check), .finding = finding});
    again =
        book_.follow(round, finding.subject, troubles, [](const Alert&) { return true; }) || again;
  }
  return again;
}

Follower::Consequences Follower::follow_way_out(Round& round, const OwnSight::WayOut& way_out,
                                                const Seeing& seeing) {
  follow(round, way_out.checks);
  // Ends a fault of which too little is known now that every host has been looked at: those that
  // showed it are watched no more.
  for (const auto& check : way_out.untellable) {
    const Subject subject{.kind = Subject::Kind::monitor, .name = check};
    if (inventory_.has_seen_all_hosts() &&
        book_.any_open_at(subject, [](const Alert&) { return true; }))
      book_.abandon(round, subject, "too few hosts are watched to tell");
  }
  Consequences out;
  if (!way_out.has_turned) return out;
  for (auto& [name, domain] : inventory_.domains()) {
    if (judge(round, domain, seeing)) follow_waiting(round, out, domain, seeing);
  }
  out.faults = past_.take_faults();
  return out;
}

void Follower::tell(Round& round, Scope scope, const Seeing& seeing) {
  const Domains configured = [&](const std::string& name) -> const config::Domain* {
    const auto parsed = Name::parse(name);
    const auto* domain = parsed ? inventory_.domain(*parsed) : nullptr;
    return domain == nullptr ? nullptr : domain->configured.get();
  };
  if (scope == Scope::all)
    book_.tell(round, audience_, configured, seeing.is_blind, seeing.is_time_doubtful);
  else
    book_.tell_changed(round, audience_, configured, seeing.is_blind);
}

// --- domains
// -------------------------------------------------------------------------------------------------------

Follower::Consequences Follower::follow(Round& round, const probes::DomainSeen& seen,
                                        const std::vector<probes::dns::ZoneSerials>& serials,
                                        const Seeing& seeing) {
  Consequences out;
  auto* domain = inventory_.domain(seen->domain);
  if (domain == nullptr) return out;
  const auto before = inventory_.take(*domain, seen);
  if (const auto change = before ? find_mx_change(*before, *seen) : std::nullopt)
    mx_changes_.insert_or_assign(seen->domain, *change);
  round.domain = seen;
  round.mx_signature = past_.take_mx_signature(*seen, round.at);
  round.zones = past_.take_zones({&seen->mx}, round.at);
  past_.take_serials(serials);
  if (seen->mx.outcome != Outcome::failed) let_go(round, out, inventory_.use(*domain, seen->hosts));
  abandon_orphans(round);
  const bool is_judged = judge(round, *domain, seeing);
  out.again = follow_domain(round, *domain);
  if (is_judged) follow_waiting(round, out, *domain, seeing);
  out.faults = past_.take_faults();
  return out;
}

void Follower::follow_blind(Round& round, const Name& name, const SelfCheck& fault) {
  auto* domain = inventory_.domain(name);
  if (domain == nullptr) return;
  auto unseen = std::make_shared<probes::DomainObservation>();
  unseen->domain = name;
  unseen->observed_at = round.at;
  domain->judged = std::make_shared<const probes::DomainJudgement>(
      probes::judge_blind(unseen, fault.check, fault.detail.value_or("")));
  for (auto* host : domain->hosts) host->troubled.erase(domain);
  publish(round, *domain);
}

// --- hosts
// ---------------------------------------------------------------------------------------------------------

// Takes what was seen up into the host's history; null while there is nothing to follow.
std::shared_ptr<const Rollovers> Follower::follow_history(Round& round, Host& host,
                                                          const probes::HostObservation& seen) {
  if (!host.history) host.history = past_.history_of(seen.host, round.at);
  if (!host.history) return nullptr;  // the next look reads it
  auto sighting = sample_of(seen);
  if (is_loss(*host.history, sighting))
    sighting.delegation_ttl = past_.delegation_ttl({seen.host, seen.tlsa.final_name}, round.at);
  round.sighting = completed(*host.history, std::move(sighting));
  note(*host.history, round.sighting, seen.observed_at, round.at);
  if (host.history->servers.empty()) return nullptr;
  std::vector<std::string> names{seen.base_domain.text(), seen.host.text()};
  for (const auto* user : host.users) names.push_back(user->name->text());
  const auto sharers = inventory_.sharing_owner_with(seen);
  if (sharers.empty()) return std::make_shared<const Rollovers>(history_of(*host.history, names));
  auto shared = *host.history;
  for (const auto* other : sharers) {
    const auto name = other->name.text();
    add_endpoints(shared, name, *other->history);
    names.push_back(other->seen->base_domain.text());
    names.push_back(name);
  }
  return std::make_shared<const Rollovers>(history_of(shared, names));
}

// True when what history adds to the look has changed.
bool Follower::take_standing(Round& round, Host& host, std::shared_ptr<const Rollovers> rollovers) {
  host.standing = rollovers ? std::optional{rollovers->at(round.at)} : std::nullopt;
  if (!host.standing || !is_rolling(*rollovers, *host.standing))
    host.rolling_since.reset();
  else if (!host.rolling_since)
    host.rolling_since = round.at;
  host.refused_keys = rollovers ? rollovers->refused_keys(round.at) : std::vector<std::string>{};
  auto foreseen =
      rollovers ? foresee(*host.history, rollovers->history(), *host.standing, host.name.text())
                : probes::HistoryFindings{};
  host.rollovers = std::move(rollovers);
  return std::exchange(host.foreseen, foreseen) != foreseen;
}

// A host is probed more often while caches forget quickly, most of all after a change. Of partners'
// hosts only a change is worth the more sessions.
std::optional<config::Seconds> Follower::interval_of(const Host& host, Time at) const {
  if (!host.rollovers) return std::nullopt;
  const auto cadence = cadence_of(host.rollovers->history(), at);
  const bool is_ours =
      cadence.is_changing || std::ranges::any_of(host.users, [](const Domain* user) {
        return user->configured->role == config::Role::inbound;
      });
  if (!is_ours) return std::nullopt;
  return interval_for(schedule_, cadence.longest_ttl, cadence.is_changing);
}

Follower::Consequences Follower::follow(Round& round, const probes::HostSeen& seen,
                                        const std::vector<probes::dns::ZoneSerials>& serials,
                                        const Seeing& seeing) {
  Consequences out;
  auto* host = inventory_.host(seen->host);
  if (host == nullptr) return out;
  auto rollovers = follow_history(round, *host, *seen);
  round.zones = past_.take_zones(answers_about(*seen), round.at);
  past_.take_serials(serials);
  const bool has_news = take_standing(round, *host, std::move(rollovers)) || !round.zones.empty();
  const auto before = inventory_.take(*host, seen);
  round.host = seen;
  // What was judged stays judged while the facts stay; time alone is taken into account at the
  // domains' own looks.
  std::vector<Domain*> judged_now;
  if (has_news || !before || !probes::same_facts(*before, *seen)) {
    for (auto* user : host->users) {
      if (judge(round, *user, seeing)) judged_now.push_back(user);
    }
  }
  out.again = follow_host(round, *host, seeing);
  for (auto* domain : judged_now) follow_waiting(round, out, *domain, seeing);
  out.host = host;
  out.interval = interval_of(*host, round.at);
  out.faults = past_.take_faults();
  return out;
}

// --- people
// --------------------------------------------------------------------------------------------------------

config::Result<Exception, std::string> Follower::make_exception(Round& round,
                                                                const std::string& name) {
  const auto parsed = Name::parse(name);
  const auto* domain = parsed ? inventory_.domain(*parsed) : nullptr;
  if (domain == nullptr || !domain->judged)
    return config::Failure<std::string>("no domain of that name is watched");
  const auto made = exception_for(*domain->judged, round.at);
  if (!made)
    return config::Failure<std::string>(
        "DANE is not what keeps mail from this domain: no exception would help");
  exceptions_.insert_or_assign(domain->configured->name, *made);
  round.exceptions.push_back(*made);
  return *made;
}

std::optional<std::string> Follower::end_exception(Round& round, const std::string& name,
                                                   const Seeing& seeing) {
  const auto parsed = Name::parse(name);
  auto* domain = parsed ? inventory_.domain(*parsed) : nullptr;
  if (domain == nullptr || exceptions_.erase(domain->configured->name) == 0)
    return "there is no exception for that domain";
  round.ended_exceptions.push_back(domain->configured->name);
  judge(round, *domain, seeing);
  follow_domain(round, *domain);
  return std::nullopt;
}

std::vector<Exception> Follower::exceptions() const {
  std::vector<Exception> out;
  for (const auto& [domain, made] : exceptions_) {
    const auto name = Name::parse(domain);
    if (name && inventory_.domain(*name) != nullptr) out.push_back(made);
  }
  return out;
}

void Follower::restate(const ClockStep& step) {
  book_.restate(step);
  past_.restate(step);
  for (auto& [name, change] : mx_changes_) change.at = restated(change.at, step);
  for (auto& [name, domain] : inventory_.domains()) {
    if (domain.protected_until) domain.protected_until = restated(*domain.protected_until, step);
  }
  for (auto& [name, host] : inventory_.hosts()) {
    if (host.rolling_since) host.rolling_since = restated(*host.rolling_since, step);
    if (host.history) agent::restate(*host.history, step);
  }
}

}  // namespace agent

#include "agent/watch/follower.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "agent/hindsight/history_findings.h"
#include "agent/history/cadence.h"
#include "config/system.h"
#include "probes/findings.h"
#include "probes/service.h"

namespace agent {
namespace {

using config::Time;
using probes::Code;
using probes::dns::Name;
using probes::dns::Outcome;

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

std::vector<Target> hosts_of(const Foresight::Hosts& names) {
  std::vector<Target> out;
  for (const auto& name : names) out.push_back({.kind = Target::Kind::host, .name = name});
  return out;
}

}  // namespace

Follower::Follower(Recorder& recorder, Recorder::RestoredState restored,
                   const config::Config& config)
    : past_(recorder),
      exceptions_(restored.exceptions),
      foresight_(inventory_,
                 Announcements(std::move(restored.announced), std::move(restored.not_for_mail)),
                 std::move(restored.renewals)),
      judge_(inventory_, past_, exceptions_),
      alarm_(inventory_, foresight_, std::move(restored.alerts), std::move(restored.silences)) {
  take_config(config);
}

void Follower::take_config(const config::Config& config) {
  schedule_ = config.schedule;
  places_.own = config::named(config.agent).vantage;
  places_.quorum = config.fleet.quorum;
  places_.kept_for = 2 * std::max(config.fleet.cross_check, config.schedule.interval);
  cross_check_ = config.fleet.cross_check;
  judge_.set_sender_classes(config.sender_classes);
  exceptions_.set_serving(!config.postfix.policy_socket.empty());
  foresight_.set_announced_issuers(config.issuers);
  alarm_.adopt(config);
}

// --- who is watched

Follower::Consequences Follower::adopt(Round& round, const config::Config& config) {
  take_config(config);
  const auto protected_until = past_.protected_domains(round.at);
  Consequences out;
  past_.expect(config.domains.size());
  auto change = inventory_.adopt(config.domains);
  exceptions_.end_unless(round, [&](const std::string& domain) {
    const auto name = Name::parse(domain);
    return name && inventory_.domain(*name) != nullptr;
  });
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
  alarm_.abandon_orphans(round);
  out.faults = past_.take_faults();
  return out;
}

void Follower::let_go(Round& round, Consequences& out, Inventory::Change change) {
  for (const auto& target : change.vanished) {
    alarm_.drop(round, target);
    if (target.kind == Target::Kind::domain) judge_.forget(target.name);
  }
  std::ranges::move(change.appeared, std::back_inserter(out.change.appeared));
  std::ranges::move(change.vanished, std::back_inserter(out.change.vanished));
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

// Judges the domain anew when all its hosts have been seen; false when they have not.
bool Follower::judge(Round& round, Domain& domain, const Seeing& seeing) {
  if (!judge_.judge(round, domain, seeing)) return false;
  publish(round, domain);
  return true;
}

void Follower::publish(Round& round, const Domain& domain) const {
  round.judged.push_back({.configured = domain.configured,
                          .judged = domain.judged,
                          .next_check_at = round.at + next_wait(schedule_, ProbeOutcome::steady, 0,
                                                                domain.configured->name)});
}

// What was seen of the domain and its hosts before is followed with the last of them.
void Follower::follow_waiting(Round& round, Consequences& out, Domain& domain,
                              const Seeing& seeing) {
  std::ranges::move(alarm_.follow_waiting(round, domain, seeing), std::back_inserter(out.soon));
}

// --- ourselves

bool Follower::follow(Round& round, const std::vector<SelfCheck>& checks) {
  return alarm_.follow_checks(round, checks);
}

Follower::Consequences Follower::follow_way_out(Round& round, const OwnSight::WayOut& way_out,
                                                const Seeing& seeing) {
  alarm_.follow_way_out(round, way_out);
  Consequences out;
  if (!way_out.has_turned) return out;
  for (auto& [name, domain] : inventory_.domains()) {
    if (judge(round, domain, seeing)) follow_waiting(round, out, domain, seeing);
  }
  out.faults = past_.take_faults();
  return out;
}

// --- senders

Follower::Consequences Follower::take_reports(Round& round, ReportsBySubject reports,
                                              const Seeing& seeing) {
  std::map<Name, Domain*> concerned;
  Consequences out;
  for (const auto& subject : judge_.set_reports(std::move(reports))) {
    const auto name = Name::parse(subject.name);
    if (!name) continue;
    if (auto* domain = inventory_.domain(*name); domain != nullptr) {
      concerned.emplace(*name, domain);
      out.soon.push_back({.kind = Target::Kind::domain, .name = *name});
    }
    // Whatever kind: some senders name an MX host as the policy's domain.
    auto* host = inventory_.host(*name);
    if (host == nullptr) continue;
    for (auto* user : host->users) concerned.emplace(*user->name, user);
    out.soon.push_back({.kind = Target::Kind::host, .name = *name});
  }
  for (auto& [name, domain] : concerned) {
    if (judge(round, *domain, seeing)) follow_waiting(round, out, *domain, seeing);
  }
  out.faults = past_.take_faults();
  return out;
}

// --- domains

Follower::Consequences Follower::follow(Round& round, const probes::DomainSeen& seen,
                                        const std::vector<probes::dns::ZoneSerials>& serials,
                                        const Seeing& seeing) {
  Consequences out;
  auto* domain = inventory_.domain(seen->domain);
  if (domain == nullptr) return out;
  const auto before = inventory_.take(*domain, seen).open();
  if (const auto change = before ? find_mx_change(*before, *seen) : std::nullopt)
    judge_.take_mx_change(seen->domain, *change);
  round.domain = seen;
  round.mx_signature = past_.take_mx_signature(*seen, round.at);
  round.zones = past_.take_zones({&seen->mx}, round.at);
  past_.take_serials(serials);
  if (seen->mx.outcome != Outcome::failed) {
    const bool is_first = !domain->knows_hosts;
    let_go(round, out, inventory_.use(*domain, seen->hosts));
    if (is_first) alarm_.abandon_orphans_of(round, *domain->name);
  }
  const auto troubling = [&] {
    std::set<Name> hosts;
    for (const auto& [host, place] : domain->hosts)
      if (host->seen && host->troubled.contains(domain)) hosts.insert(host->name);
    return hosts;
  };
  const auto troubled_before = troubling();
  const bool is_judged = judge(round, *domain, seeing);
  domain->seen.pack();  // also where it could not be judged
  out.again = alarm_.follow_domain(round, *domain);
  if (is_judged) follow_waiting(round, out, *domain, seeing);
  std::set<Name> spread;
  std::ranges::set_symmetric_difference(troubled_before, troubling(),
                                        std::inserter(spread, spread.end()));
  for (const auto& host : spread) out.spread.push_back({.kind = Target::Kind::host, .name = host});
  out.faults = past_.take_faults();
  return out;
}

void Follower::follow_blind(Round& round, const Name& name, const SelfCheck& fault) {
  auto* domain = inventory_.domain(name);
  if (domain == nullptr) return;
  DomainJudge::judge_blind(round, *domain, fault);
  publish(round, *domain);
}

// --- hosts

// Takes what was seen up into the host's history; null while there is nothing to follow.
std::shared_ptr<const Rollovers> Follower::follow_history(Round& round, Host& host,
                                                          const probes::HostObservation& seen) {
  const bool is_first = !host.history;
  if (is_first) host.history = past_.history_of(seen.host, round.at);
  if (!host.history) return nullptr;  // the next look reads it
  auto sample = sample_of(seen);
  if (is_loss(*host.history, sample))
    sample.delegation_ttl = past_.delegation_ttl({seen.host, seen.tlsa.final_name}, round.at);
  round.sample = completed(*host.history, std::move(sample));
  record_sample(*host.history, round.sample, seen.observed_at, round.at);
  foresight_.learn(host, is_first ? Foresight::Of::ever : Foresight::Of::now);
  if (host.history->servers.empty()) return nullptr;
  std::vector<std::string> names{seen.base_domain.text(), probes::dns_name_of(seen.host).text()};
  const NamesOfUsers users = [&host] { return names_of_users(host); };
  const auto sharers = inventory_.sharing_owner_with(seen);
  if (sharers.empty())
    return std::make_shared<const Rollovers>(history_of(*host.history, names, users));
  auto shared = *host.history;
  for (const auto* other : sharers) {
    const auto name = other->name.text();
    add_endpoints(shared, name, *other->history);
    names.push_back(other->seen->base_domain.text());
    names.push_back(probes::dns_name_of(other->name).text());
  }
  return std::make_shared<const Rollovers>(history_of(shared, names, users));
}

// True when what history adds to the look has changed.
bool Follower::take_standing(Round& round, Host& host, std::shared_ptr<const Rollovers> rollovers) {
  host.standing = rollovers ? std::optional{rollovers->at(round.at)} : std::nullopt;
  if (!host.standing || !is_rolling(*rollovers, *host.standing))
    host.rolling_since.reset();
  else if (!host.rolling_since)
    host.rolling_since = round.at;
  host.refused_keys = rollovers ? rollovers->refused_keys(round.at) : std::vector<std::string>{};
  auto foreseen = rollovers ? foresee(*host.history, rollovers->history(), *host.standing,
                                      foresight_.renewals(), host.name.text())
                            : probes::HistoryFindings{};
  host.rollovers = std::move(rollovers);
  if (host.rollovers) foresight_.add_findings(round, host, foreseen);
  if (host.split) foreseen.findings.push_back(host.split->finding);
  return std::exchange(host.foreseen, foreseen) != foreseen;
}

// A host is probed more often while caches forget quickly, most of all after a change. Of partners'
// hosts only a change is worth the more sessions.
std::optional<config::Seconds> Follower::interval_of(const Host& host, Time at) const {
  if (!host.rollovers) return std::nullopt;
  const auto cadence = cadence_of(host.rollovers->history(), at);
  if (!cadence.is_changing && host.own_users == 0) return std::nullopt;
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
    for (auto* user : Inventory::users_by_name(*host)) {
      if (judge(round, *user, seeing)) judged_now.push_back(user);
    }
  }
  if (!host->judged) host->judged = worst_judgement_of(*host);
  round.host_judged = host->judged;
  out.again = alarm_.follow_host(round, *host, seeing);
  for (auto* domain : judged_now) follow_waiting(round, out, *domain, seeing);
  out.host = host;
  out.interval = interval_of(*host, round.at);
  out.faults = past_.take_faults();
  return out;
}

// --- places

Follower::Consequences Follower::follow(Round& round, probes::Recorded look,
                                        const std::vector<probes::dns::ZoneSerials>& serials,
                                        const Seeing& seeing) {
  const auto vantage = look.vantage;
  auto* host = inventory_.host(look.host->host);
  if (host == nullptr) return {};
  forget_gone(host->views, places_, round.at);
  if (!is_fleet(places_) && host->views.empty() && vantage == places_.own) {
    host->asked_since.reset();
    host->split.reset();
    round.recorded = std::move(look);
    return follow(round, round.recorded->host, serials, seeing);
  }
  auto& view = host->views[vantage];
  view = view_of(std::move(look), &view, round.at);
  const auto choice =
      choose(host->views, vantage, places_, alarm_.is_troubled(*host), host->asked_since, round.at);
  if (!choice.is_in_question)
    host->asked_since.reset();
  else if (!host->asked_since)
    host->asked_since = round.at;
  const auto before = host->split.copy();
  host->split = find_split(host->views, places_, before, host->name.text(), round.at);
  Consequences out;
  if (choice.followed) {
    auto& chosen = host->views.at(*choice.followed);
    round.recorded = chosen.look;
    chosen.is_followed = true;
    out =
        follow(round, chosen.seen,
               *choice.followed == places_.own ? serials : std::vector<probes::dns::ZoneSerials>{},
               seeing);
  } else if (host->split != before && host->seen) {
    notice(round, *host, (host->split ? *host->split : *before).finding.code, seeing);
    out.faults = past_.take_faults();
  }
  if (host->seen) out.host = host;
  if (!choice.is_in_question && !host->split) {
    for (auto& [place, one] : host->views) one.look.reset();
  }
  constexpr int kFewLooks = 3;
  const bool is_own = vantage == places_.own;
  if (is_own && choice.is_in_question && !choice.followed) out.again = view.in_a_row < kFewLooks;
  // Own looks confirm what own looks saw.
  if (!is_own && out.again && choice.followed == places_.own)
    out.soon.push_back({.kind = Target::Kind::host, .name = host->name});
  const bool has_changed = view.follows_a_steady && view.in_a_row < kFewLooks;
  if (!choice.is_in_question && !host->split && !has_changed)
    out.next_from_there = cross_check_;
  else
    out.next_from_there = view.in_a_row < kFewLooks ? schedule_.confirm_after : schedule_.interval;
  out.awaited = choice.awaited;
  return out;
}

// --- people

config::Result<Exception, std::string> Follower::make_exception(Round& round,
                                                                const std::string& name) {
  const auto parsed = Name::parse(name);
  const auto* domain = parsed ? inventory_.domain(*parsed) : nullptr;
  if (domain == nullptr || !domain->judged)
    return config::Failure<std::string>("no domain of that name is watched");
  auto made = exceptions_.make(round, domain->configured->name, *domain->judged);
  if (!made)
    return config::Failure<std::string>(
        "DANE is not what keeps mail from this domain: no exception would help");
  return std::move(*made);
}

std::optional<std::string> Follower::end_exception(Round& round, const std::string& name,
                                                   const Seeing& seeing) {
  const auto parsed = Name::parse(name);
  auto* domain = parsed ? inventory_.domain(*parsed) : nullptr;
  if (domain == nullptr || !exceptions_.end(round, domain->configured->name))
    return "there is no exception for that domain";
  judge(round, *domain, seeing);
  alarm_.follow_domain(round, *domain);
  return std::nullopt;
}

// --- certificates to come

// Of nothing else: no look was made.
void Follower::notice(Round& round, Host& host, Code code, const Seeing& seeing) {
  if (!take_standing(round, host, host.rollovers)) return;
  for (auto* user : Inventory::users_by_name(host)) judge(round, *user, seeing);
  alarm_.follow_only(round, host, code, seeing);
}

bool Follower::awaits_records(const Name& host) const {
  return alarm_.is_waiting(host, Code::next_key_unpublished);
}

void Follower::confirm_next_key(Round& round, probes::Recorded look, const Seeing& seeing) {
  const auto* host = inventory_.host(look.host->host);
  if (host == nullptr || !host->history || !host->seen ||
      look.host->tlsa.outcome != Outcome::answer)
    return;
  auto past = *host->history;
  auto sample = sample_of(*look.host);
  sample.knows_endpoints = false;  // nobody connected to them
  record_sample(past, completed(past, std::move(sample)), look.host->observed_at, round.at);
  if (!foresight_.is_unpublished(*host, past, round.at)) return;
  round.recorded = std::move(look);
  alarm_.follow_only(round, *host, Code::next_key_unpublished, seeing);
}

Follower::Announced Follower::announce(Round& round, AnnouncedCertificate announced,
                                       const Seeing& seeing) {
  auto shown = foresight_.take_shown(round, std::move(announced));
  Announced out{.foreseen = std::move(shown.foreseen), .led_to = {}};
  if (shown.news == Announcements::News::none) return out;
  out.led_to.now = hosts_of(shown.hosts);
  // What the last look saw is the first sign, the look at the records that is made now the second.
  // More of the same certificate is no look.
  if (shown.news == Announcements::News::fresh) {
    for (const auto& name : shown.hosts) {
      auto* host = inventory_.host(name);
      if (host->seen) notice(round, *host, Code::next_key_unpublished, seeing);
    }
  }
  out.led_to.faults = past_.take_faults();
  return out;
}

std::optional<std::string> Follower::set_not_for_mail(Round& round, const NotForMail& said) {
  return foresight_.set_not_for_mail(round, said);
}

std::optional<std::string> Follower::set_for_mail(Round& round, const std::string& key) {
  return foresight_.set_for_mail(round, key);
}

std::vector<Target> Follower::targets_of_key(const std::string& key) const {
  return hosts_of(foresight_.hosts_of_key(key));
}

Follower::Consequences Follower::take_renewals(Round& round, const std::vector<RenewalAdvice>& told,
                                               const Seeing& seeing) {
  const auto renewing = foresight_.take_renewals(round, told);
  for (const auto& name : renewing.concerned)
    notice(round, *inventory_.host(name), Code::renewal_urgent, seeing);
  Consequences out;
  out.now = hosts_of(renewing.pressed);
  out.faults = past_.take_faults();
  return out;
}

// --- the clock

void Follower::restate(const ClockStep& step) {
  foresight_.restate(step);
  alarm_.restate(step);
  past_.restate(step);
  judge_.restate(step);
  for (auto& [name, host] : inventory_.hosts()) {
    if (host.rolling_since) host.rolling_since = restated(*host.rolling_since, step);
    // All places look anew.
    host.views.clear();
    host.asked_since.reset();
    if (host.history) agent::restate(*host.history, step);
  }
}

}  // namespace agent

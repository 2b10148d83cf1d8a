#include "agent/watch/follower.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agent/alerts/partners.h"
#include "agent/alerts/troubles.h"
#include "agent/hindsight/history_findings.h"
#include "agent/hindsight/issuer_forecast.h"
#include "agent/hindsight/judge_with_history.h"
#include "agent/history/cadence.h"
#include "agent/lists/list_health.h"
#include "config/system.h"
#include "probes/findings.h"
#include "probes/service.h"
#include "probes/status.h"

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

// It is not over, and nobody is to be told that it were.
constexpr std::string_view kGoesOnBelow =
    "no certificate can be seen now: it goes on below the alert that says why";

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

std::shared_ptr<const probes::HostJudgement> find(const probes::DomainJudgement* judged,
                                                  const Name& host) {
  if (judged == nullptr) return nullptr;
  const auto found = std::ranges::find_if(
      judged->hosts, [&](const probes::HostJudgement& one) { return one.seen->host == host; });
  if (found == judged->hosts.end()) return nullptr;
  return judged->hosts.shared(static_cast<std::size_t>(found - judged->hosts.begin()));
}

// What is found at a host is mostly what its domains suffer, or several of them suffer alike.
void keep_once(probes::Findings& findings, const probes::HostJudgement& judged,
               Alike<probes::Finding>& others) {
  const auto subject = subject_of_host(judged.seen->host);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (findings[i].subject != subject) continue;
    const auto& own = judged.findings;
    const auto same = std::ranges::find(own, findings[i]);
    findings.keep(i, same != own.end() ? own.shared(static_cast<std::size_t>(same - own.begin()))
                                       : others.one(findings.shared(i)));
  }
}

// Domains mostly see a host alike: what is equal is kept once.
void keep_once(probes::DomainJudgement& judged, Inventory& inventory) {
  auto& hosts = judged.hosts;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    auto* host = inventory.host(hosts[i].seen->host);
    if (host == nullptr || host->users.size() < 2) continue;
    hosts.keep(i, host->judgements.one(hosts.shared(i)));
    keep_once(judged.findings, hosts[i], host->findings);
  }
  auto* first = hosts.empty() ? nullptr : inventory.host(hosts[0].seen->host);
  if (first != nullptr && first->users.size() > 1) hosts.keep(first->lists.one(hosts.list()));
}

// What is recorded of it would be the same.
bool fares_alike(const probes::HostJudgement* one, const probes::HostJudgement* other) {
  return one != nullptr && other != nullptr && one->verdict == other->verdict &&
         probes::worst_severity(one->findings) == probes::worst_severity(other->findings) &&
         probes::delivery_of(*one) == probes::delivery_of(*other);
}

// What is blocked is the port of mail servers: services have their own.
bool hides(const Follower::Seeing& seeing, const Name& target) {
  return seeing.blocked && !probes::is_service(target);
}

// A blocked port is one fault, whatever families it shows in.
Subject cause_of(const SelfCheck& check) {
  auto name = check.check;
  for (const std::string_view door : {"smtp", "service"}) {
    if (name.starts_with(fmt::format("{}_", door))) name = door;
  }
  return {.kind = Subject::Kind::monitor, .name = std::move(name)};
}

Judged judged(const Inventory::Domain& domain) {
  return {.configured = &*domain.configured, .judgement = domain.judged.get()};
}

std::vector<std::string> names_of_users(const Inventory::Host& host) {
  std::vector<std::string> out;
  for (const auto* user : host.users) out.push_back(user->name->text());
  std::ranges::sort(out);
  return out;
}

// Some record does: DANE-EE(3) asks for none (RFC 7671 §5.1), and a large provider has very many
// users.
bool asks_for_names(const HostHistory& history) {
  const auto is_anchor = [](const probes::dane::TlsaRecord& record) {
    return record.usage == probes::dane::kDaneTa;
  };
  return std::ranges::any_of(history.servers, [&](const auto& server) {
    return std::ranges::any_of(server.second, [&](const Version<Published>& version) {
      return std::ranges::any_of(version.what.records, is_anchor);
    });
  });
}

// To whom alerts go by notification.
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
  for (const auto& one : notify.webhooks)
    out.readers.push_back({one.name, least(one.least), matchers_of(one.matchers)});
  for (const auto& one : notify.mail) {
    if (one.tells_alerts)
      out.readers.push_back({one.name, least(one.least), matchers_of(one.matchers)});
  }
  return out;
}

}  // namespace

Follower::Follower(Recorder& recorder, Recorder::RestoredState restored,
                   const config::Config& config)
    : past_(recorder),
      book_(std::move(restored.alerts), std::move(restored.silences)),
      schedule_(config.schedule),
      sender_classes_(config.sender_classes),
      audience_(audience_of(config.notify)),
      serves_exceptions_(!config.postfix.policy_socket.empty()),
      announcements_(std::move(restored.announced), std::move(restored.not_for_mail)),
      renewals_(std::move(restored.renewals)) {
  for (auto& made : restored.exceptions) exceptions_.emplace(made.domain, made);
  take_fleet(config);
}

void Follower::take_fleet(const config::Config& config) {
  places_.own = config::named(config.agent).vantage;
  places_.quorum = config.fleet.quorum;
  places_.kept_for = 2 * std::max(config.fleet.cross_check, config.schedule.interval);
  cross_check_ = config.fleet.cross_check;
}

// --- who is watched
// ------------------------------------------------------------------------------------------------

Follower::Consequences Follower::adopt(Round& round, const config::Config& config) {
  schedule_ = config.schedule;
  take_fleet(config);
  sender_classes_ = config.sender_classes;
  audience_ = audience_of(config.notify);
  serves_exceptions_ = !config.postfix.policy_socket.empty();
  issuers_.set_announced(config.issuers);
  lists_.clear();
  for (const auto& list : config.domain_lists) {
    if (list.is_elsewhere()) lists_.insert(list.name);
  }
  const auto protected_until = past_.protected_domains(round.at);
  Consequences out;
  past_.keep_many();
  auto change = inventory_.adopt(config.domains);
  for (const auto& target : change.appeared) {
    auto* domain = inventory_.domain(target.name);
    const auto until = protected_until.find(domain->configured->name);
    if (until != protected_until.end()) domain->protected_until = until->second;
  }
  let_go(round, out, std::move(change));
  end_exceptions_of_strangers(round);
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
    unconfirmed_.erase(target);
    if (!is_host) mx_changes_.erase(target.name);
  }
  std::ranges::move(change.appeared, std::back_inserter(out.change.appeared));
  std::ranges::move(change.vanished, std::back_inserter(out.change.vanished));
}

// What a person approved for a partner whom we watched is over when we do so no more, whoever puts
// the partner back later.
void Follower::end_exceptions_of_strangers(Round& round) {
  std::erase_if(exceptions_, [&](const auto& entry) {
    const auto name = Name::parse(entry.first);
    if (name && inventory_.domain(*name) != nullptr) return false;
    well_looks_.erase(entry.first);
    round.ended_exceptions.push_back(entry.first);
    return true;
  });
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
        return false;
      case Subject::Kind::monitor: {
        const auto list = list_of_check(subject.name);
        return !list.empty() && !lists_.contains(std::string(list));
      }
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
  const auto looked = domain.seen.open();
  std::map<Name, probes::HostSeen> seen;
  KnownBefore known;
  for (const auto& mx : looked->hosts) {
    const auto* host = inventory_.host(mx.name);
    if (host == nullptr || !host->seen) return false;
    seen[mx.name] = host->seen;
    known.of_hosts[mx.name] = &host->foreseen;
  }
  const auto* blocked = seen.empty() || !hides(seeing, name) ? nullptr : &*seeing.blocked;
  known.of_zones = past_.zone_findings(subject_of_domain(name), {&looked->mx}, round.at);
  for (const auto& [host, what] : seen)
    std::ranges::move(past_.zone_findings(subject_of_host(host), answers_about(*what), round.at),
                      std::back_inserter(known.of_zones));
  known.mx_signatures = past_.mx_signatures(name, round.at);
  known.asked_senders = sender_classes_;
  const auto change = mx_changes_.find(name);
  if (change != mx_changes_.end()) known.mx_change = change->second;
  auto judgement = judge_with_history(looked, seen, known, blocked, round.at);
  if (blocked == nullptr) {
    const auto until = domain.protected_until;
    if (const auto loss = find_loss(
            judgement, until == Inventory::kNever ? std::nullopt : std::optional{until}, round.at))
      probes::add_finding(judgement, *loss);
    if (is_authenticated(judgement.verdict)) domain.protected_until = round.at;
    add_sender_findings(judgement, reports_);
  }
  judgement = with_partner_severity(std::move(judgement), domain.configured->role);
  withdraw_exception(round, domain, judgement);
  const auto made = exceptions_.find(domain.configured->name);
  const bool is_by_hand = made != exceptions_.end() && !is_served(made->second);
  const auto left = leftover_exception(
      judgement, is_by_hand ? std::optional{made->second} : std::nullopt, round.at);
  if (left) probes::add_finding(judgement, *left);
  domain.seen.pack();
  judgement.seen = domain.seen;
  keep_once(judgement, inventory_);
  const auto before = std::exchange(
      domain.judged, std::make_shared<const probes::DomainJudgement>(std::move(judgement)));
  for (const auto& [host, place] : domain.hosts) {
    const auto was = find(before.get(), host->name);
    const auto is = find(domain.judged.get(), host->name);
    if (!fares_alike(was.get(), is.get()))
      host->judged.reset();
    else if (host->judged == was)
      host->judged = is;  // or it would keep the judgement before
    if (has_trouble_at(*domain.judged, subject_of_host(host->name)))
      host->troubled.insert(&domain);
    else
      host->troubled.erase(&domain);
  }
  publish(round, domain);
  return true;
}

bool Follower::is_served(const Exception& made) const {
  return serves_exceptions_ && made.level == "encrypt";
}

// What danelaw itself tells Postfix it takes back itself: when its time is over, or when two looks,
// one after the other, saw that mail is authenticated again. A look that could not tell says
// neither.
void Follower::withdraw_exception(Round& round, const Domain& domain,
                                  const probes::DomainJudgement& judgement) {
  constexpr int kLooks = 2;
  const auto& name = domain.configured->name;
  const auto made = exceptions_.find(name);
  if (made == exceptions_.end() || !is_served(made->second)) return;
  auto& looks = well_looks_[name];
  // Also where DANE has been given up: mail goes without the exception, and would go in the clear
  // only where the partner takes it no other way.
  const bool is_well =
      is_deliverable(judgement.verdict) && judgement.verdict != probes::Verdict::cleartext;
  if (is_well) {
    // Every host since all that the look before saw: what was judged anew was not looked at anew.
    auto oldest = config::Time::max(), newest = config::Time::min();
    for (const auto& host : judgement.hosts) {
      oldest = std::min(oldest, host.seen->observed_at);
      newest = std::max(newest, host.seen->observed_at);
    }
    if (!judgement.hosts.empty() && oldest > std::max(looks.last, made->second.made_at))
      looks = {looks.count + 1, newest};
  } else if (judgement.verdict != probes::Verdict::unknown) {
    looks = {};
  }
  if (looks.count < kLooks && round.at < made->second.until) return;
  exceptions_.erase(made);
  well_looks_.erase(name);
  round.ended_exceptions.push_back(name);
}

void Follower::publish(Round& round, const Domain& domain) const {
  round.judged.push_back({.configured = domain.configured,
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
      round, subject_of_domain(*domain.name),
      troubles_of_domain(judged(domain), book_.firing_at(subject_of_domain(*domain.name))),
      [&](const Alert& alert) { return is_conclusive(alert.finding.code, *domain.judged); });
}

bool Follower::follow_host(Round& round, Host& host, const Seeing& seeing) {
  // Of all users that were judged with the host any tells as much of it.
  std::shared_ptr<const probes::HostJudgement> judgement;
  for (auto user = host.users.rbegin(); user != host.users.rend() && judgement == nullptr; ++user)
    judgement = find((*user)->judged.get(), host.name);
  host.awaits_judgement = judgement == nullptr;
  if (judgement == nullptr || hides(seeing, host.name)) return false;
  const auto subject = subject_of_host(host.name);
  const auto firing = book_.firing_at(subject);
  const auto troubles = troubles_at(host);
  book_.abandon(round, subject, kGoesOnBelow, [&](const Alert& alert) {
    return is_hidden(alert.finding.code, *host.seen, troubles, firing);
  });
  const auto led = book_.led_by(subject);
  const bool again = book_.follow(round, subject, troubles, [&](const Alert& alert) {
    // What caches still hold goes on refusing: the trouble is not over, and it is one trouble.
    // So may what they hold and nobody remembers.
    if (is_refusal(alert.finding.code) && host.standing &&
        (host.standing->window || host.standing->state == RolloverState::unknown))
      return false;
    // Whom a CA issues from others teach, and after a start they have not yet.
    if (alert.finding.code == Code::issuer_uncovered && !is_taught()) return false;
    // Which records are of no use is not asked while all of them are.
    if (alert.finding.code == Code::tlsa_orphan &&
        book_.any_open_at(subject, [](const Alert& one) { return is_mismatch(one.finding.code); }))
      return false;
    return is_conclusive(alert.finding.code, alert.finding.addresses, *judgement);
  });
  follow_heirs(round, led, subject, seeing);
  return again;
}

// A domain that has not been judged since the start goes on being hit by what hit it before.
void Follower::keep_unjudged(Trouble& trouble) const {
  if (inventory_.knows_all_hosts() && inventory_.has_seen_all_hosts()) return;
  const auto alert = book_.open().find({trouble.finding.code, trouble.cause});
  if (alert == book_.open().end()) return;
  const auto hit = std::ranges::find(alert->second.hits, trouble.finding.subject, &Hit::subject);
  if (hit == alert->second.hits.end()) return;
  for (const auto& domain : hit->domains) {
    const auto name = Name::parse(domain);
    const auto* watched = name ? inventory_.domain(*name) : nullptr;
    if (watched != nullptr && !watched->judged) trouble.domains.push_back(domain);
  }
  std::ranges::sort(trouble.domains);
  const auto rest = std::ranges::unique(trouble.domains);
  trouble.domains.erase(rest.begin(), rest.end());
}

// The troubles of a host as it was seen last.
std::vector<Trouble> Follower::troubles_at(const Host& host) const {
  std::vector<Judged> users;
  for (const auto* user : host.troubled) users.push_back(judged(*user));
  auto out = troubles_of_host(*host.seen, users, host.refused_keys,
                              book_.firing_at(subject_of_host(host.name)));
  for (auto& trouble : out) keep_unjudged(trouble);
  return out;
}

// Where the host that an alert spoke of has left it, or only caches refuse it by now, the alert
// speaks of the next that it hits, by what was seen there. That confirms nothing: it is no new
// look.
void Follower::follow_heirs(Round& round, const std::vector<AlertBook::Key>& led,
                            const Subject& before, const Seeing& seeing) {
  for (const auto& key : led) {
    const auto alert = book_.open().find(key);
    if (alert == book_.open().end() || alert->second.state != AlertState::firing) continue;
    const auto& hits = alert->second.hits;
    const auto hit = std::ranges::find_if(hits, [&](const Hit& one) {
      const auto* host = host_of(one.subject);
      return host != nullptr && host->seen && is_in_trouble(*host, key);
    });
    if (hit == hits.end() || hit->subject == before) continue;
    auto& heir = *host_of(hit->subject);
    book_.lead(round, key, subject_of_host(heir.name));
    follow_host(round, heir, seeing);
  }
}

Inventory::Host* Follower::host_of(const Subject& subject) {
  const auto name = subject.kind == Subject::Kind::host ? Name::parse(subject.name) : std::nullopt;
  return name ? inventory_.host(*name) : nullptr;
}

// Of that alert, and not only by what caches still hold.
bool Follower::is_in_trouble(const Host& host, const AlertBook::Key& key) const {
  return std::ranges::any_of(troubles_at(host), [&](const Trouble& one) {
    return AlertBook::Key{one.finding.code, one.cause} == key && !one.finding.is_in_caches_only;
  });
}

// Every host has been looked at since the start.
bool Follower::is_taught() {
  is_taught_ = is_taught_ || (inventory_.knows_all_hosts() && inventory_.has_seen_all_hosts());
  return is_taught_;
}

// The domain has been judged with the last of its hosts: what was seen of it and the others before
// is followed now, not an interval later.
void Follower::follow_waiting(Round& round, Consequences& out, Domain& domain,
                              const Seeing& seeing) {
  if (domain.awaits_judgement && follow_domain(round, domain))
    out.soon.push_back({.kind = Target::Kind::domain, .name = *domain.name});
  for (const auto& [host, place] : domain.hosts) {
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

Follower::Consequences Follower::take_reports(Round& round, ReportsBySubject reports,
                                              const Seeing& seeing) {
  const auto before = std::exchange(reports_, std::move(reports));
  std::set<Subject> changed;
  const auto note_changed = [&](const ReportsBySubject& some, const ReportsBySubject& others) {
    for (const auto& [subject, what] : some) {
      const auto other = others.find(subject);
      if (other == others.end() || other->second != what) changed.insert(subject);
    }
  };
  note_changed(before, reports_);
  note_changed(reports_, before);
  std::map<Name, Domain*> concerned;
  Consequences out;
  for (const auto& subject : changed) {
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

void Follower::tell(Round& round, Scope scope, const Seeing& seeing) {
  const auto domain_of = [&](const std::string& name) -> const Domain* {
    const auto parsed = Name::parse(name);
    return parsed ? std::as_const(inventory_).domain(*parsed) : nullptr;
  };
  const Watched watched{
      .domains = [&](const std::string& name) -> const config::Domain* {
        const auto* domain = domain_of(name);
        return domain == nullptr ? nullptr : &*domain->configured;
      },
      .judged = [&](const std::string& name) -> const probes::DomainJudgement* {
        const auto* domain = domain_of(name);
        return domain == nullptr ? nullptr : domain->judged.get();
      },
      .users =
          [&](const std::string& name) {
            const auto parsed = Name::parse(name);
            const auto* host = parsed ? std::as_const(inventory_).host(*parsed) : nullptr;
            return host == nullptr ? std::vector<std::string>{} : names_of_users(*host);
          }};
  if (scope == Scope::all)
    book_.tell(round, audience_, watched, seeing.is_blind, seeing.is_time_doubtful);
  else
    book_.tell_changed(round, audience_, watched, seeing.is_blind);
  keep_evidence(round);
}

// Keeps what was seen for the alerts that it opened or made worse: the look, the looks before that
// are confirmed by it, and what other places saw.
void Follower::keep_evidence(Round& round) {
  static const Views kNone;
  const auto* host =
      round.target.kind == Target::Kind::host ? inventory_.host(round.target.name) : nullptr;
  const auto& views = host == nullptr ? kNone : host->views;
  if (!round.recorded && views.empty()) return;
  auto& looks = unconfirmed_[round.target];
  if (round.recorded) looks.push_back(*round.recorded);
  const auto keep = [&](const Alert& alert, const probes::Recorded& look) {
    round.evidence.push_back(
        {.alert_id = alert.id, .at = look.observed_at(), .body = probes::encode(look)});
  };
  for (const auto& alert : round.alerts) {
    const bool is_opened = std::ranges::any_of(round.transitions, [&](const Transition& one) {
      return one.what == Transition::What::opened && one.alert_id == alert.id;
    });
    if (!is_opened && alert.raised_at != round.at) continue;
    for (const auto& look : looks) keep(alert, look);
    for (const auto& [vantage, view] : views) {
      const bool is_among_them = std::ranges::any_of(
          looks, [&](const probes::Recorded& look) { return look.host == view.seen; });
      if (view.look && !is_among_them) keep(alert, *view.look);
    }
  }
  const auto subject = round.target.kind == Target::Kind::host
                           ? subject_of_host(round.target.name)
                           : subject_of_domain(round.target.name);
  const bool is_waiting = book_.any_open_at(
      subject, [](const Alert& alert) { return alert.state == AlertState::pending; });
  if (!is_waiting || looks.empty())
    unconfirmed_.erase(round.target);
  else if (looks.size() >= kLooksKept)
    looks.erase(looks.begin());
}

// --- domains
// -------------------------------------------------------------------------------------------------------

Follower::Consequences Follower::follow(Round& round, const probes::DomainSeen& seen,
                                        const std::vector<probes::dns::ZoneSerials>& serials,
                                        const Seeing& seeing) {
  Consequences out;
  auto* domain = inventory_.domain(seen->domain);
  if (domain == nullptr) return out;
  const auto before = inventory_.take(*domain, seen).open();
  if (const auto change = before ? find_mx_change(*before, *seen) : std::nullopt)
    mx_changes_.insert_or_assign(seen->domain, *change);
  round.domain = seen;
  round.mx_signature = past_.take_mx_signature(*seen, round.at);
  round.zones = past_.take_zones({&seen->mx}, round.at);
  past_.take_serials(serials);
  if (seen->mx.outcome != Outcome::failed) let_go(round, out, inventory_.use(*domain, seen->hosts));
  abandon_orphans(round);
  const auto troubling = [&] {
    std::set<Name> hosts;
    for (const auto& [host, place] : domain->hosts)
      if (host->seen && host->troubled.contains(domain)) hosts.insert(host->name);
    return hosts;
  };
  const auto troubled_before = troubling();
  const bool is_judged = judge(round, *domain, seeing);
  domain->seen.pack();  // also where it could not be judged
  out.again = follow_domain(round, *domain);
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
  auto seen = domain->seen;  // the last look stays what was seen last
  if (!seen) {
    auto unseen = std::make_shared<probes::DomainObservation>();
    unseen->domain = name;
    unseen->observed_at = round.at;
    seen = probes::KeptDomain{std::move(unseen)};
    seen.pack();
  }
  auto judged = probes::judge_blind(seen.open(), fault.check, fault.detail.value_or(""));
  judged.seen = seen;
  domain->judged = std::make_shared<const probes::DomainJudgement>(std::move(judged));
  for (const auto& use : domain->hosts) use.host->troubled.erase(domain);
  publish(round, *domain);
}

// --- hosts
// ---------------------------------------------------------------------------------------------------------

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
  note(*host.history, round.sample, seen.observed_at, round.at);
  // All that it ever presented teaches who issues; later what is new.
  for (const auto& [endpoint, versions] : host.history->endpoints) {
    const auto begin = is_first || versions.empty() ? versions.begin() : versions.end() - 1;
    for (auto version = begin; version != versions.end(); ++version)
      issuers_.learn(version->what, host.name.text());
  }
  if (host.history->servers.empty()) return nullptr;
  std::vector<std::string> names{seen.base_domain.text(), probes::dns_name_of(seen.host).text()};
  if (asks_for_names(*host.history))
    std::ranges::move(names_of_users(host), std::back_inserter(names));
  const auto sharers = inventory_.sharing_owner_with(seen);
  if (sharers.empty()) return std::make_shared<const Rollovers>(history_of(*host.history, names));
  auto shared = *host.history;
  for (const auto* other : sharers) {
    const auto name = other->name.text();
    add_endpoints(shared, name, *other->history);
    names.push_back(other->seen->base_domain.text());
    names.push_back(probes::dns_name_of(other->name).text());
  }
  return std::make_shared<const Rollovers>(history_of(shared, names));
}

// What is known of certificates that no host presents yet.
void Follower::add_foresight(Round& round, const Host& host, probes::HistoryFindings& foreseen) {
  const auto known = foreseen_host(host);
  for (auto& one : strangers_.take_of_host(known)) {
    round.announced.push_back(one);
    announcements_.take(std::move(one));
  }
  if (auto next = find_unpublished(announcements_.of_host(known), known, round.at))
    foreseen.findings.push_back(std::move(*next));
  if (auto uncovered = find_uncovered_issuer(*host.history, host.rollovers->history(), issuers_,
                                             renewals_, host.name.text(), round.at))
    foreseen.findings.push_back(std::move(*uncovered));
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
                                      renewals_, host.name.text())
                            : probes::HistoryFindings{};
  host.rollovers = std::move(rollovers);
  if (host.rollovers) add_foresight(round, host, foreseen);
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

// Null: no user is judged yet.
std::shared_ptr<const probes::HostJudgement> Follower::worst_of(const Host& host) {
  std::shared_ptr<const probes::HostJudgement> out;
  const Domain* whose = nullptr;
  for (const auto* user : host.users) {
    auto one = find(user->judged.get(), host.name);
    if (one == nullptr) continue;
    if (out && !probes::is_worse(*one, *out)) {
      // Of those for which it is as bad the one with the gravest finding, then the first by name.
      if (probes::is_worse(*out, *one)) continue;
      const auto mine = probes::worst_severity(one->findings);
      const auto other = probes::worst_severity(out->findings);
      if (mine < other || (mine == other && *whose->name < *user->name)) continue;
    }
    out = std::move(one);
    whose = user;
  }
  return out;
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
  if (!host->judged) host->judged = worst_of(*host);
  round.host_judged = host->judged;
  out.again = follow_host(round, *host, seeing);
  for (auto* domain : judged_now) follow_waiting(round, out, *domain, seeing);
  out.host = host;
  out.interval = interval_of(*host, round.at);
  out.faults = past_.take_faults();
  return out;
}

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
  // What is still to come, or is about places only, is no matter of who sees it.
  const bool was_troubled = book_.any_open_at(subject_of_host(host->name), [](const Alert& one) {
    return one.finding.severity >= probes::Severity::high &&
           one.finding.code != Code::vantage_split && one.finding.code != Code::selective_starttls;
  });
  const auto choice =
      choose(host->views, vantage, places_, was_troubled, host->asked_since, round.at);
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
  well_looks_.erase(domain->configured->name);
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

// --- certificates to come
// --------------------------------------------------------------------------------------------------------

ForeseenHost Follower::foreseen_host(const Host& host) const {
  ForeseenHost out{.host = host.name.text(), .base_domain = probes::dns_name_of(host.name).text()};
  if (host.seen) {
    out.base_domain = host.seen->base_domain.text();
    const auto is_known = [](const probes::dns::Answer& answer) {
      return answer.outcome != Outcome::failed;
    };
    const bool is_learned = is_known(host.seen->a) && is_known(host.seen->aaaa) &&
                            is_known(*host.seen->cname) && is_known(host.seen->tlsa);
    out.is_asked = !is_learned || (host.history && !host.history->servers.empty());
  }
  out.users = [&host] { return names_of_users(host); };
  if (host.history) out.past = &*host.history;
  return out;
}

// All that any host has sent beside its own certificate.
std::vector<probes::tls::CertificatePtr> Follower::known_issuers() const {
  std::map<probes::tls::Bytes, probes::tls::CertificatePtr> out;
  for (const auto& [name, host] : inventory_.hosts()) {
    if (!host.history) continue;
    for (const auto& [endpoint, versions] : host.history->endpoints) {
      for (const auto& version : versions) {
        for (std::size_t i = 1; i < version.what.size(); ++i)
          out.emplace(version.what[i]->sha256, version.what[i]);
      }
    }
  }
  std::vector<probes::tls::CertificatePtr> all;
  for (auto& [digest, one] : out) all.push_back(std::move(one));
  return all;
}

// Of nothing else: no look was made.
void Follower::notice(Round& round, Host& host, Code code, const Seeing& seeing) {
  if (!take_standing(round, host, host.rollovers)) return;
  for (auto* user : Inventory::users_by_name(host)) judge(round, *user, seeing);
  follow_only(round, host, code, seeing);
}

void Follower::follow_only(Round& round, const Host& host, Code code, const Seeing& seeing) {
  if (hides(seeing, host.name)) return;
  const auto subject = subject_of_host(host.name);
  std::vector<Judged> users;
  for (const auto* user : host.troubled) users.push_back(judged(*user));
  auto troubles = troubles_of_host(*host.seen, users, host.refused_keys, book_.firing_at(subject));
  std::erase_if(troubles, [&](const Trouble& trouble) { return trouble.finding.code != code; });
  book_.follow(round, subject, troubles, [](const Alert&) { return false; });
}

bool Follower::awaits_records(const Name& host) const {
  return book_.any_open_at(subject_of_host(host), [](const Alert& alert) {
    return alert.state == AlertState::pending && alert.finding.code == Code::next_key_unpublished;
  });
}

void Follower::confirm_next_key(Round& round, probes::Recorded look, const Seeing& seeing) {
  auto* host = inventory_.host(look.host->host);
  if (host == nullptr || !host->history || !host->seen ||
      look.host->tlsa.outcome != Outcome::answer)
    return;
  auto past = *host->history;
  auto sample = sample_of(*look.host);
  sample.knows_endpoints = false;  // nobody connected to them
  agent::note(past, completed(past, std::move(sample)), look.host->observed_at, round.at);
  auto known = foreseen_host(*host);
  known.past = &past;
  if (!find_unpublished(announcements_.of_host(known), known, round.at)) return;
  round.recorded = std::move(look);
  follow_only(round, *host, Code::next_key_unpublished, seeing);
}

Follower::Announced Follower::announce(Round& round, AnnouncedCertificate announced,
                                       const Seeing& seeing) {
  Announced out;
  announced = announcements_.with_known(std::move(announced));
  announced.chain = with_issuers(std::move(announced.chain), known_issuers());
  std::vector<Host*> hosts;
  for (auto& [name, host] : inventory_.hosts()) {
    const auto known = foreseen_host(host);
    if (!is_for(*announced.chain.front(), known)) continue;
    out.foreseen.hosts.push_back(forecast(announced, known, round.at));
    hosts.push_back(&host);
  }
  out.foreseen.has_more_names = announced.chain.front()->cut;
  if (!inventory_.knows_all_hosts()) {
    out.foreseen.domains_unseen = static_cast<std::size_t>(std::ranges::count_if(
        inventory_.domains(), [](const auto& entry) { return !entry.second.seen; }));
  }
  announcements_.forget_expired(round.at);
  if (hosts.empty() && inventory_.knows_all_hosts()) {
    strangers_.forget_expired(round.at);
    strangers_.take(std::move(announced));
    return out;
  }
  const auto id = announced.id;
  const auto news = announcements_.take(std::move(announced));
  if (news == Announcements::News::none) return out;
  if (const auto* one = announcements_.find(id)) round.announced.push_back(*one);
  for (auto* host : hosts) {
    out.led_to.now.push_back({.kind = Target::Kind::host, .name = host->name});
    // What the last look saw is the first sign, the look at the records that is made now the
    // second. More of the same certificate is no look.
    if (news == Announcements::News::fresh && host->seen)
      notice(round, *host, Code::next_key_unpublished, seeing);
  }
  out.led_to.faults = past_.take_faults();
  return out;
}

std::optional<std::string> Follower::set_not_for_mail(Round& round, const NotForMail& said) {
  if (!announcements_.set_not_for_mail(said)) return "that was said of too many keys already";
  round.not_for_mail.push_back(said);
  return std::nullopt;
}

std::optional<std::string> Follower::set_for_mail(Round& round, const std::string& key) {
  if (!announcements_.set_for_mail(key)) return "nobody said that of this key";
  round.for_mail.push_back(key);
  return std::nullopt;
}

Follower::Consequences Follower::take_renewals(Round& round, const std::vector<RenewalAdvice>& told,
                                               const Seeing& seeing) {
  Consequences out;
  forget_expired(renewals_, round.at);
  std::set<std::string> news;
  for (const auto& advice : told) {
    if (take(renewals_, advice)) news.insert(advice.certificate);
  }
  round.renewals = told;
  if (news.empty()) return out;
  for (auto& [name, host] : inventory_.hosts()) {
    if (!host.history || !host.seen) continue;
    bool is_concerned = false, is_pressed = false;
    for (const auto& leaf : presented_by(*host.history)) {
      const auto* advice = advice_on(renewals_, *leaf);
      if (advice == nullptr || !news.contains(advice->certificate)) continue;
      is_concerned = true;
      is_pressed = is_pressed || is_urgent(*advice, *leaf, round.at);
    }
    if (is_concerned) notice(round, host, Code::renewal_urgent, seeing);
    if (is_pressed) out.now.push_back({.kind = Target::Kind::host, .name = name});
  }
  out.faults = past_.take_faults();
  return out;
}

std::vector<Chain> Follower::chains_in_use(bool partners) const {
  std::map<probes::tls::Bytes, Chain> out;
  for (const auto& [name, host] : inventory_.hosts()) {
    if (!host.history || (host.own_users == 0 && !partners)) continue;
    for (auto& chain : chains_of(*host.history)) {
      const auto digest = chain.front()->sha256;
      out.emplace(digest, std::move(chain));
    }
    if (out.size() >= kMostRenewals) break;
  }
  std::vector<Chain> all;
  for (auto& [digest, chain] : out) all.push_back(std::move(chain));
  return all;
}

std::vector<Target> Follower::targets_of_key(const std::string& key) const {
  std::vector<Target> out;
  const auto all = announcements_.all();
  for (const auto& [name, host] : inventory_.hosts()) {
    const auto known = foreseen_host(host);
    if (std::ranges::any_of(all, [&](const AnnouncedCertificate& one) {
          return key_of(one) == key && is_for(*one.chain.front(), known);
        }))
      out.push_back({.kind = Target::Kind::host, .name = name});
  }
  return out;
}

void Follower::restate(const ClockStep& step) {
  for (auto* shown : {&announcements_, &strangers_})
    shown->restate([&](Time moment) { return restated(moment, step); });
  book_.restate(step);
  past_.restate(step);
  for (auto& [name, change] : mx_changes_) change.at = restated(change.at, step);
  for (auto& [name, domain] : inventory_.domains()) {
    if (domain.protected_until != Inventory::kNever)
      domain.protected_until = restated(domain.protected_until, step);
  }
  for (auto& [name, host] : inventory_.hosts()) {
    if (host.rolling_since) host.rolling_since = restated(*host.rolling_since, step);
    // All places look anew.
    host.views.clear();
    host.asked_since.reset();
    if (host.history) agent::restate(*host.history, step);
  }
}

}  // namespace agent

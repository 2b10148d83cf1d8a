#include "agent/watch/alarm.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "agent/alerts/troubles.h"
#include "agent/lists/list_health.h"
#include "probes/findings.h"

namespace agent {
namespace {

using probes::Code;
using probes::Subject;
using probes::dns::Name;

constexpr std::string_view kWatchedNoMore = "no longer watched";
// It is not over, and nobody is to be told that it were.
constexpr std::string_view kGoesOnBelow =
    "no certificate can be seen now: it goes on below the alert that says why";

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
  Audience out{.recipients = {}, .remind_after = notify.remind_after};
  for (const auto& one : notify.webhooks)
    out.recipients.push_back({one.name, least(one.least), matchers_of(one.matchers)});
  for (const auto& one : notify.mail) {
    if (one.tells_alerts)
      out.recipients.push_back({one.name, least(one.least), matchers_of(one.matchers)});
  }
  return out;
}

Watched watched_in(const Inventory& inventory) {
  const auto domain_of = [&inventory](const std::string& name) -> const Inventory::Domain* {
    const auto parsed = Name::parse(name);
    return parsed ? inventory.domain(*parsed) : nullptr;
  };
  return {.domains = [domain_of](const std::string& name) -> const config::Domain* {
            const auto* domain = domain_of(name);
            return domain == nullptr ? nullptr : &*domain->configured;
          },
          .judged = [domain_of](const std::string& name) -> const probes::DomainJudgement* {
            const auto* domain = domain_of(name);
            return domain == nullptr ? nullptr : domain->judged.get();
          },
          .users =
              [&inventory](const std::string& name) {
                const auto parsed = Name::parse(name);
                const auto* host = parsed ? inventory.host(*parsed) : nullptr;
                return host == nullptr ? std::vector<std::string>{} : names_of_users(*host);
              }};
}

}  // namespace

Alarm::Alarm(Inventory& inventory, Foresight& foresight, std::vector<Alert> alerts,
             std::vector<Silence> silences)
    : inventory_(inventory), foresight_(foresight), book_(std::move(alerts), std::move(silences)) {}

void Alarm::adopt(const config::Config& config) {
  audience_ = audience_of(config.notify);
  lists_.clear();
  for (const auto& list : config.domain_lists) {
    if (list.is_elsewhere()) lists_.insert(list.name);
  }
}

// --- domains and hosts

bool Alarm::follow_domain(Round& round, Domain& domain) {
  domain.awaits_judgement = !domain.judged;
  // What a fault of ours hid ends nothing.
  if (!domain.judged || probes::is_blind(*domain.judged)) return false;
  const auto subject = subject_of_domain(*domain.name);
  return book_.follow(
      round, subject, troubles_of_domain(judged(domain), book_.firing_at(subject)),
      [&](const Alert& alert) { return is_conclusive(alert.finding.code, *domain.judged); });
}

bool Alarm::follow_host(Round& round, Host& host, const Seeing& seeing) {
  const auto judgement = some_judgement_of(host);
  host.awaits_judgement = judgement == nullptr;
  if (judgement == nullptr || seeing.hides(host.name)) return false;
  const auto subject = subject_of_host(host.name);
  const auto firing = book_.firing_at(subject);
  const auto troubles = troubles_at(host);
  book_.abandon(round, subject, kGoesOnBelow, [&](const Alert& alert) {
    return is_hidden(alert.finding.code, *host.seen, troubles, firing);
  });
  const auto led = book_.led_by(subject);
  const bool again = book_.follow(round, subject, troubles, [&](const Alert& alert) {
    return is_seen_over(alert, host, *judgement);
  });
  follow_heirs(round, led, subject, seeing);
  return again;
}

// Not found any more: has the look learned enough to say so?
bool Alarm::is_seen_over(const Alert& alert, const Host& host,
                         const probes::HostJudgement& judged) {
  const auto code = alert.finding.code;
  // What caches still hold goes on refusing: the trouble is not over, and it is one trouble. So may
  // what they hold and nobody remembers.
  if (is_refusal(code) && host.standing &&
      (host.standing->window || host.standing->state == RolloverState::unknown))
    return false;
  // Whom a CA issues from others teach, and after a start they have not yet.
  if (code == Code::issuer_uncovered && !foresight_.is_taught()) return false;
  // Which records are of no use is not asked while all of them are.
  if (code == Code::tlsa_orphan &&
      book_.any_open_at(subject_of_host(host.name),
                        [](const Alert& one) { return is_mismatch(one.finding.code); }))
    return false;
  return is_conclusive(code, alert.finding.addresses, judged);
}

// A domain that has not been judged since the start goes on being hit by what hit it before.
void Alarm::keep_unjudged(Trouble& trouble) const {
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

// At a host as it was seen last, for the users that were judged.
std::vector<Trouble> Alarm::found_at(const Host& host) const {
  std::vector<Judged> users;
  for (const auto* user : host.troubled) users.push_back(judged(*user));
  return troubles_of_host(*host.seen, users, host.refused_keys,
                          book_.firing_at(subject_of_host(host.name)));
}

std::vector<Trouble> Alarm::troubles_at(const Host& host) const {
  auto out = found_at(host);
  for (auto& trouble : out) keep_unjudged(trouble);
  return out;
}

// Where the host that an alert spoke of has left it, or only caches refuse it by now, the alert
// speaks of the next that it hits, by what was seen there. That confirms nothing: it is no new
// look.
void Alarm::follow_heirs(Round& round, const std::vector<AlertBook::Key>& led,
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

Inventory::Host* Alarm::host_of(const Subject& subject) {
  const auto name = subject.kind == Subject::Kind::host ? Name::parse(subject.name) : std::nullopt;
  return name ? inventory_.host(*name) : nullptr;
}

// Of that alert, and not only by what caches still hold.
bool Alarm::is_in_trouble(const Host& host, const AlertBook::Key& key) const {
  return std::ranges::any_of(troubles_at(host), [&](const Trouble& one) {
    return AlertBook::Key{one.finding.code, one.cause} == key && !one.finding.is_in_caches_only;
  });
}

std::vector<Target> Alarm::follow_waiting(Round& round, Domain& domain, const Seeing& seeing) {
  std::vector<Target> soon;
  if (domain.awaits_judgement && follow_domain(round, domain))
    soon.push_back({.kind = Target::Kind::domain, .name = *domain.name});
  for (const auto& [host, place] : domain.hosts) {
    if (host->awaits_judgement && host->seen && follow_host(round, *host, seeing))
      soon.push_back({.kind = Target::Kind::host, .name = host->name});
  }
  return soon;
}

void Alarm::follow_only(Round& round, const Host& host, Code code, const Seeing& seeing) {
  if (seeing.hides(host.name)) return;
  auto troubles = found_at(host);
  std::erase_if(troubles, [&](const Trouble& trouble) { return trouble.finding.code != code; });
  book_.follow(round, subject_of_host(host.name), troubles, [](const Alert&) { return false; });
}

bool Alarm::is_troubled(const Host& host) const {
  return book_.any_open_at(subject_of_host(host.name), [](const Alert& one) {
    return one.finding.severity >= probes::Severity::high &&
           one.finding.code != Code::vantage_split && one.finding.code != Code::selective_starttls;
  });
}

bool Alarm::is_waiting(const Name& host, Code code) const {
  return book_.any_open_at(subject_of_host(host), [&](const Alert& alert) {
    return alert.state == AlertState::pending && alert.finding.code == code;
  });
}

// --- ourselves

bool Alarm::follow_checks(Round& round, const std::vector<SelfCheck>& checks) {
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

void Alarm::follow_way_out(Round& round, const OwnSight::WayOut& way_out) {
  follow_checks(round, way_out.checks);
  // Ends a fault of which too little is known now that every host has been looked at: those that
  // showed it are watched no more.
  for (const auto& check : way_out.untellable) {
    const Subject subject{.kind = Subject::Kind::monitor, .name = check};
    if (inventory_.has_seen_all_hosts() &&
        book_.any_open_at(subject, [](const Alert&) { return true; }))
      book_.abandon(round, subject, "too few hosts are watched to tell");
  }
}

// --- who is watched no more

void Alarm::drop(Round& round, const Target& target) {
  if (target.kind == Target::Kind::host)
    book_.abandon(round, subject_of_host(target.name), "no watched domain uses the host any more");
  else
    book_.abandon(round, subject_of_domain(target.name), "the domain is no longer watched");
  evidence_.drop(target);
}

void Alarm::abandon_orphans(Round& round) {
  unplaced_.clear();
  waits_for_.clear();
  const auto wait_for_users = [&](const Hit& hit) {
    for (const auto& user : hit.domains) {
      const auto name = Name::parse(user);
      const auto* domain = name ? inventory_.domain(*name) : nullptr;
      if (domain != nullptr && !domain->knows_hosts && unplaced_[*name].insert(hit.subject).second)
        ++waits_for_[hit.subject];
    }
  };
  for (const auto& [key, alert] : book_.open()) {
    for (const auto& hit : alert.hits) {
      if (hit.subject.kind == Subject::Kind::host && host_of(hit.subject) == nullptr)
        wait_for_users(hit);
    }
  }
  const auto is_orphan = [&](const Subject& subject) {
    switch (subject.kind) {
      case Subject::Kind::domain: {
        const auto name = Name::parse(subject.name);
        return !name || inventory_.domain(*name) == nullptr;
      }
      case Subject::Kind::host:
        return host_of(subject) == nullptr && !waits_for_.contains(subject);
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
  book_.abandon_if(round, is_orphan, kWatchedNoMore);
}

void Alarm::abandon_orphans_of(Round& round, const Name& domain) {
  const auto known = unplaced_.extract(domain);
  if (!known) return;
  for (const auto& subject : known.mapped()) {
    const auto others = waits_for_.find(subject);
    if (--others->second > 0) continue;
    waits_for_.erase(others);
    if (host_of(subject) == nullptr) book_.abandon(round, subject, kWatchedNoMore);
  }
}

// --- people

void Alarm::tell(Round& round, Scope scope, const Seeing& seeing) {
  const auto watched = watched_in(inventory_);
  if (scope == Scope::all)
    book_.tell(round, audience_, watched, seeing.is_blind, seeing.is_time_doubtful);
  else
    book_.tell_changed(round, audience_, watched, seeing.is_blind);
  static const Views kNone;
  const auto* host =
      round.target.kind == Target::Kind::host ? inventory_.host(round.target.name) : nullptr;
  evidence_.keep(round, book_, host == nullptr ? kNone : host->views);
}

}  // namespace agent

#include "agent/watch/domain_judge.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "agent/alerts/partners.h"
#include "agent/alerts/troubles.h"
#include "agent/hindsight/judge_with_history.h"
#include "probes/findings.h"
#include "probes/status.h"

namespace agent {
namespace {

using config::Time;
using probes::Subject;
using probes::dns::Name;

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

bool is_authenticated(probes::Verdict verdict) {
  return verdict == probes::Verdict::authenticated ||
         verdict == probes::Verdict::host_authenticated;
}

std::optional<Time> when_protected(const Inventory::Domain& domain) {
  if (domain.protected_until == Inventory::kNever) return std::nullopt;
  return domain.protected_until;
}

}  // namespace

std::set<Subject> DomainJudge::set_reports(ReportsBySubject reports) {
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
  return changed;
}

bool DomainJudge::judge(Round& round, Inventory::Domain& domain, const Seeing& seeing) {
  if (!domain.seen) return false;
  const auto looked = domain.seen.open();
  Hosts hosts;
  for (const auto& mx : looked->hosts) {
    const auto* host = inventory_.host(mx.name);
    if (host == nullptr || !host->seen) return false;
    hosts[mx.name] = host->seen;
  }
  const bool is_hidden = !hosts.empty() && seeing.hides(*domain.name);
  auto judged = judge_with_history(looked, hosts, known_of(domain, looked, hosts, round.at),
                                   is_hidden ? &*seeing.blocked : nullptr, round.at);
  add_findings(round, domain, is_hidden, judged);
  keep(domain, std::move(judged));
  return true;
}

KnownBefore DomainJudge::known_of(const Inventory::Domain& domain, const probes::DomainSeen& looked,
                                  const Hosts& hosts, Time at) {
  KnownBefore out;
  out.of_zones = past_.zone_findings(subject_of_domain(*domain.name), {&looked->mx}, at);
  for (const auto& [name, seen] : hosts) {
    out.of_hosts[name] = &inventory_.host(name)->foreseen;
    std::ranges::move(past_.zone_findings(subject_of_host(name), answers_about(*seen), at),
                      std::back_inserter(out.of_zones));
  }
  out.mx_signatures = past_.mx_signatures(*domain.name, at);
  out.asked_senders = sender_classes_;
  const auto change = mx_changes_.find(*domain.name);
  if (change != mx_changes_.end()) out.mx_change = change->second;
  return out;
}

// What is not of its looks alone.
void DomainJudge::add_findings(Round& round, Inventory::Domain& domain, bool is_hidden,
                               probes::DomainJudgement& judged) {
  if (!is_hidden) {
    if (const auto loss = find_loss(judged, when_protected(domain), round.at))
      probes::add_finding(judged, *loss);
    if (is_authenticated(judged.verdict)) domain.protected_until = round.at;
    add_sender_findings(judged, reports_);
  }
  judged = with_partner_severity(std::move(judged), domain.configured->role);
  if (const auto left = exceptions_.follow(round, domain.configured->name, judged))
    probes::add_finding(judged, *left);
}

void DomainJudge::keep(Inventory::Domain& domain, probes::DomainJudgement judged) {
  domain.seen.pack();
  judged.seen = domain.seen;
  keep_once(judged, inventory_);
  const auto before = std::exchange(
      domain.judged, std::make_shared<const probes::DomainJudgement>(std::move(judged)));
  for (const auto& [host, place] : domain.hosts) {
    const auto was = judgement_of(host->name, before.get());
    const auto is = judgement_of(host->name, domain.judged.get());
    if (!fares_alike(was.get(), is.get()))
      host->judged.reset();
    else if (host->judged == was)
      host->judged = is;  // or it would keep the judgement before
    if (has_trouble_at(*domain.judged, subject_of_host(host->name)))
      host->troubled.insert(&domain);
    else
      host->troubled.erase(&domain);
  }
}

void DomainJudge::judge_blind(Round& round, Inventory::Domain& domain, const SelfCheck& fault) {
  auto seen = domain.seen;  // the last look stays what was seen last
  if (!seen) {
    auto unseen = std::make_shared<probes::DomainObservation>();
    unseen->domain = *domain.name;
    unseen->observed_at = round.at;
    seen = probes::KeptDomain{std::move(unseen)};
    seen.pack();
  }
  auto judged = probes::judge_blind(seen.open(), fault.check, fault.detail.value_or(""));
  judged.seen = seen;
  domain.judged = std::make_shared<const probes::DomainJudgement>(std::move(judged));
  for (const auto& use : domain.hosts) use.host->troubled.erase(&domain);
}

void DomainJudge::restate(const ClockStep& step) {
  for (auto& [name, change] : mx_changes_) change.at = restated(change.at, step);
  for (auto& [name, domain] : inventory_.domains()) {
    if (domain.protected_until != Inventory::kNever)
      domain.protected_until = restated(domain.protected_until, step);
  }
}

}  // namespace agent

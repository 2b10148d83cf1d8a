#include "agent/watch/snapshot_source.h"

#include <algorithm>

#include "agent/alerts/lifecycle.h"
#include "agent/history/cadence.h"

namespace agent {

using config::Time;

void SnapshotSource::adopt(const Inventory& inventory, const config::Schedule& schedule, Time at) {
  std::vector<const Inventory::Domain*> ordered;
  for (const auto& [name, domain] : inventory.domains()) ordered.push_back(&domain);
  std::ranges::sort(ordered, {}, &Inventory::Domain::place);
  DomainList now;
  for (const auto* domain : ordered) {
    const auto before = domains_.place_of(domain->configured->name);
    DomainState state{.configured = domain->configured,
                      .judged = domain->judged,
                      .next_check_at = before
                                           ? domains_[*before].next_check_at
                                           : at + first_wait(schedule, domain->configured->name)};
    if (before && domains_[*before].judged == domain->judged)
      now.push_back(std::move(state), domains_.brief(*before));
    else
      now.push_back(std::move(state));
  }
  now.keep_order();
  domains_ = std::move(now);
}

std::optional<DomainState> SnapshotSource::domain(std::string_view name) const {
  const auto place = domains_.place_of(name);
  return place ? std::optional{domains_[*place]} : std::nullopt;
}

void SnapshotSource::take(const Round& round) {
  for (const auto& state : round.judged) {
    const auto place = domains_.place_of(state.configured->name);
    if (!place) continue;
    auto now = state;
    now.next_check_at = domains_[*place].next_check_at;  // set_next_check knows better
    domains_.set(*place, std::move(now));
  }
  for (const auto& id : round.forgotten) open_.erase(id);
  for (const auto& alert : round.alerts) put(alert);
}

void SnapshotSource::put(const Alert& alert) {
  auto shared = std::make_shared<const Alert>(alert);
  if (alert.state == AlertState::pending || alert.state == AlertState::firing) {
    open_.insert_or_assign(alert.id, std::move(shared));
  } else {
    open_.erase(alert.id);
    ended_.insert_or_assign({alert.finding.code, alert.cause}, std::move(shared));
  }
}

void SnapshotSource::take(const Inventory::Host& host) {
  auto& shown = hosts_[host.name];
  shown.seen = std::make_shared<const Snapshot::Host>(host.name, host.seen);
  shown.followed = host.rollovers ? std::make_shared<const Snapshot::Followed>(Snapshot::Followed{
                                        host.seen, host.rollovers, host.rolling_since})
                                  : nullptr;
  shown.is_ours = host.own_users > 0;
  std::vector<Snapshot::SeenFrom> places;
  for (const auto& [vantage, view] : host.views)
    places.push_back({vantage, view.agent, view.seen, view.verdict});
  shown.places = places.size() < 2
                     ? nullptr
                     : std::make_shared<const std::vector<Snapshot::SeenFrom>>(std::move(places));
}

SnapshotSource::Known SnapshotSource::host(const probes::dns::Name& name) const {
  const auto found = hosts_.find(name);
  if (found == hosts_.end() || !found->second.seen) return {};
  return {.seen = found->second.seen->second, .is_ours = found->second.is_ours};
}

void SnapshotSource::drop_host(const probes::dns::Name& host) {
  hosts_.erase(host);
}

void SnapshotSource::set_next_check(std::string_view domain, Time at) {
  const auto place = domains_.place_of(domain);
  if (place && domains_[*place].next_check_at != at) domains_.set_next_check(*place, at);
}

void SnapshotSource::set_alerts(const AlertBook& book) {
  open_.clear();
  ended_.clear();
  for (const auto& [key, alert] : book.open()) put(alert);
  for (const auto& [key, alert] : book.ended()) put(alert);
}

void SnapshotSource::set_people(std::vector<Silence> silences, std::vector<Exception> exceptions) {
  silences_ = std::move(silences);
  exceptions_ = std::move(exceptions);
}

void SnapshotSource::set_announced(const Announcements& known) {
  announced_ = std::make_shared<const Snapshot::Shown>(
      Snapshot::Shown{.certificates = known.all(), .not_for_mail = known.all_not_for_mail()});
}

void SnapshotSource::set_renewals(const RenewalBook& known) {
  renewals_ = std::make_shared<const RenewalBook>(known);
}

void SnapshotSource::forget_ended(Time at) {
  std::erase_if(ended_,
                [&](const auto& entry) { return at - *entry.second->resolved_at >= kRelapse; });
}

void SnapshotSource::fill(Snapshot& out) const {
  out.domains = domains_;
  for (const auto& [name, host] : hosts_) {
    out.hosts.push_back(host.seen);
    if (host.followed) out.rollovers.push_back(host.followed);
    if (host.places) out.places.push_back(host.places);
  }
  for (const auto& [id, alert] : open_) out.alerts.push_back(alert);
  for (const auto& [key, alert] : ended_)
    (alert->state == AlertState::resolved ? out.ended : out.passed).push_back(alert);
  out.silences = silences_;
  out.exceptions = exceptions_;
  out.announced = announced_;
  out.renewals = renewals_;
}

}  // namespace agent

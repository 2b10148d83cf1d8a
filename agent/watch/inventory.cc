#include "agent/watch/inventory.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "probes/findings.h"
#include "probes/status.h"

namespace agent {

using probes::dns::Name;

namespace {

Target target_of(Target::Kind kind, const Name& name) {
  return {.kind = kind, .name = name};
}

std::size_t count_own(const config::Domain& domain) {
  return domain.role == config::Role::inbound ? 1 : 0;
}

}  // namespace

Inventory::Change Inventory::adopt(const std::vector<config::Domain>& configured) {
  Change out;
  std::set<Name> wanted;
  const auto all = std::make_shared<std::vector<config::Domain>>(configured);
  for (std::size_t i = 0; i < configured.size(); ++i) {
    const auto name = Name::parse(configured[i].name);
    if (!name || !wanted.insert(*name).second) continue;
    const auto [entry, is_new] = domains_.try_emplace(*name);
    auto& domain = entry->second;
    domain.name = &entry->first;
    for (const auto& [host, place] : domain.hosts)
      host->own_users = host->own_users + count_own(configured[i]) - count_own(*domain.configured);
    domain.configured = config::Shared(std::shared_ptr<config::Domain>(all, &(*all)[i]));
    domain.place = static_cast<std::uint32_t>(i);
    if (!is_new) continue;
    ++unknown_domains_;
    ++unseen_domains_;
    out.appeared.push_back(target_of(Target::Kind::domain, *name));
  }
  for (auto entry = domains_.begin(); entry != domains_.end();) {
    auto& [name, domain] = *entry;
    if (wanted.contains(name)) {
      ++entry;
      continue;
    }
    for (const auto& use : std::exchange(domain.hosts, {})) leave(out, domain, use);
    if (!domain.knows_hosts) --unknown_domains_;
    if (!domain.seen) --unseen_domains_;
    out.vanished.push_back(target_of(Target::Kind::domain, name));
    entry = domains_.erase(entry);
  }
  return out;
}

Inventory::Change Inventory::use(Domain& domain, const std::vector<probes::MxHost>& hosts) {
  Change out;
  // Whatever needs memory comes first: a look that is lost half-way must leave who uses whom as it
  // was.
  constexpr auto kNew = std::numeric_limits<std::size_t>::max();
  std::vector<Use> now;
  now.reserve(hosts.size());
  out.vanished.reserve(domain.hosts.size());
  for (const auto& mx : hosts) {
    const auto [entry, is_new] = hosts_.try_emplace(mx.name, Host{.name = mx.name});
    auto& host = entry->second;
    if (is_new) ++unseen_hosts_;
    // Told each time, so that no host is left that nobody probes.
    out.appeared.push_back(target_of(Target::Kind::host, mx.name));
    if (std::ranges::find(now, &host, &Use::host) != now.end()) continue;
    const auto known = std::ranges::find(domain.hosts, &host, &Use::host);
    now.push_back(known != domain.hosts.end() ? *known : Use{.host = &host, .place = kNew});
    auto& users = host.users;
    if (users.size() == users.capacity()) users.reserve(users.size() + users.size() / 2 + 1);
  }
  Uses uses(now);
  for (auto& use : uses) {
    if (use.place != kNew) continue;
    use.place = use.host->users.size();
    use.host->users.push_back(&domain);
    use.host->own_users += count_own(*domain.configured);
  }
  const auto before = std::exchange(domain.hosts, std::move(uses));
  for (const auto& use : before) {
    if (std::ranges::find(domain.hosts, use.host, &Use::host) == domain.hosts.end())
      leave(out, domain, use);
  }
  if (!std::exchange(domain.knows_hosts, true)) --unknown_domains_;
  return out;
}

// The domain does not use the host any more; who has no user left goes.
void Inventory::leave(Change& change, Domain& domain, const Use& use) {
  auto& host = *use.host;
  auto* last = host.users.back();
  host.users.pop_back();
  if (last != &domain) {
    host.users[use.place] = last;
    std::ranges::find(last->hosts, &host, &Use::host)->place = use.place;
  }
  host.own_users -= count_own(*domain.configured);
  host.troubled.erase(&domain);
  host.judged.reset();
  if (!host.users.empty()) return;
  const auto name = host.name;
  change.vanished.push_back(target_of(Target::Kind::host, name));
  if (host.seen) {
    index_owner(host, host.seen, false);
  } else {
    --unseen_hosts_;
  }
  hosts_.erase(name);
}

probes::KeptDomain Inventory::take(Domain& domain, probes::KeptDomain seen) {
  if (!domain.seen) --unseen_domains_;
  return std::exchange(domain.seen, std::move(seen));
}

probes::HostSeen Inventory::take(Host& host, probes::HostSeen seen) {
  if (host.seen) index_owner(host, host.seen, false);
  index_owner(host, seen, true);
  if (!host.seen) --unseen_hosts_;
  return std::exchange(host.seen, std::move(seen));
}

void Inventory::index_owner(const Host& host, const probes::HostSeen& seen, bool is_there) {
  if (seen->tlsa.outcome == probes::dns::Outcome::not_queried) return;
  const auto& owner = seen->tlsa.final_name;
  if (is_there) {
    by_owner_[owner].insert(host.name);
    return;
  }
  const auto entry = by_owner_.find(owner);
  if (entry == by_owner_.end()) return;
  entry->second.erase(host.name);
  if (entry->second.empty()) by_owner_.erase(entry);
}

Inventory::Domain* Inventory::domain(const Name& name) {
  const auto entry = domains_.find(name);
  return entry == domains_.end() ? nullptr : &entry->second;
}

const Inventory::Domain* Inventory::domain(const Name& name) const {
  const auto entry = domains_.find(name);
  return entry == domains_.end() ? nullptr : &entry->second;
}

Inventory::Host* Inventory::host(const Name& name) {
  const auto entry = hosts_.find(name);
  return entry == hosts_.end() ? nullptr : &entry->second;
}

const Inventory::Host* Inventory::host(const Name& name) const {
  const auto entry = hosts_.find(name);
  return entry == hosts_.end() ? nullptr : &entry->second;
}

std::vector<Inventory::Domain*> Inventory::users_by_name(const Host& host) {
  auto out = host.users;
  std::ranges::sort(out, ByName{});
  return out;
}

std::vector<const Inventory::Host*> Inventory::sharing_owner_with(
    const probes::HostObservation& seen) const {
  std::vector<const Host*> out;
  if (seen.tlsa.outcome == probes::dns::Outcome::not_queried) return out;
  const auto entry = by_owner_.find(seen.tlsa.final_name);
  if (entry == by_owner_.end()) return out;
  for (const auto& name : entry->second) {
    const auto* other = host(name);
    if (name != seen.host && other != nullptr && other->history) out.push_back(other);
  }
  return out;
}

probes::Subject subject_of_domain(const Name& name) {
  return {.kind = probes::Subject::Kind::domain, .name = name.text()};
}

probes::Subject subject_of_host(const Name& name) {
  return {.kind = probes::Subject::Kind::host, .name = name.text()};
}

std::vector<std::string> names_of_users(const Inventory::Host& host) {
  std::vector<std::string> out;
  for (const auto* user : host.users) out.push_back(user->name->text());
  std::ranges::sort(out);
  return out;
}

std::shared_ptr<const probes::HostJudgement> judgement_of(const Name& host,
                                                          const probes::DomainJudgement* judged) {
  if (judged == nullptr) return nullptr;
  const auto found = std::ranges::find_if(
      judged->hosts, [&](const probes::HostJudgement& one) { return one.seen->host == host; });
  if (found == judged->hosts.end()) return nullptr;
  return judged->hosts.shared(static_cast<std::size_t>(found - judged->hosts.begin()));
}

std::shared_ptr<const probes::HostJudgement> some_judgement_of(const Inventory::Host& host) {
  for (auto user = host.users.rbegin(); user != host.users.rend(); ++user) {
    if (auto found = judgement_of(host.name, (*user)->judged.get())) return found;
  }
  return nullptr;
}

std::shared_ptr<const probes::HostJudgement> worst_judgement_of(const Inventory::Host& host) {
  std::shared_ptr<const probes::HostJudgement> out;
  const Inventory::Domain* whose = nullptr;
  for (const auto* user : host.users) {
    auto one = judgement_of(host.name, user->judged.get());
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

}  // namespace agent

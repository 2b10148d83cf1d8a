#include "agent/watch/agenda.h"

#include <algorithm>

namespace agent {

using config::Seconds;
using probes::dns::Name;

Agenda::Agenda(const SnapshotSource& shown, const config::Config& config) : shown_(shown) {
  adopt(config);
}

void Agenda::adopt(const config::Config& config) {
  schedule_ = config.schedule;
  politeness_ = config.politeness;
  cross_check_ = config.fleet.cross_check;
}

// --- who is probed

void Agenda::add(const Target& target, const Inventory::Host* host, Ticks at) {
  if (target.kind != Target::Kind::host) {
    const bool is_domain = target.kind == Target::Kind::domain;
    own_.add(target, is_domain ? at + first_wait(schedule_, target.name.text()) : at);
    return;
  }
  own_.add(target, at);
  if (host != nullptr && !host->seen && is_minded(host->own_users > 0))
    strangers_.insert(target.name);
  else
    strangers_.erase(target.name);
  for (auto& [vantage, queue] : there_) queue.add(target, at);
}

void Agenda::drop(const Target& target) {
  own_.drop(target);
  wanted_now_.erase(target);
  for (auto& [vantage, queue] : there_) queue.drop(target);
  if (target.kind == Target::Kind::host) strangers_.erase(target.name);
}

// What is out there is answered by nobody any more.
void Agenda::forget_place(const std::string& vantage, Ticks at) {
  for (auto asked = asked_.begin(); asked != asked_.end();) {
    if (asked->first.first != vantage) {
      ++asked;
      continue;
    }
    manners_.end(asked->second, false, schedule_.retry_after, at);
    asked = asked_.erase(asked);
  }
}

void Agenda::set_places(const std::set<std::string>& others, const Inventory& inventory, Ticks at) {
  std::erase_if(there_, [&](const auto& place) {
    if (others.contains(place.first)) return false;
    forget_place(place.first, at);
    return true;
  });
  auto spread = schedule_;
  spread.interval = cross_check_;
  for (const auto& vantage : others) {
    auto [place, is_new] = there_.try_emplace(vantage);
    if (!is_new) continue;
    for (const auto& [name, host] : inventory.hosts()) {
      const bool is_troubled = !host.troubled.empty() || host.asked_since;
      place->second.add({.kind = Target::Kind::host, .name = name},
                        is_troubled ? at : at + first_wait(spread, vantage + name.text()));
    }
  }
}

// --- when

void Agenda::move_there(const std::string& vantage, const Target& target, Ticks due) {
  const auto place = there_.find(vantage);
  if (place != there_.end()) place->second.move(target, due);
}

void Agenda::ask_for(const Target& target, Ticks at) {
  if (target.kind == Target::Kind::host) wanted_now_.insert(target);
  move(target, at);
}

void Agenda::take_step(Ticks at) {
  for (auto& [vantage, queue] : there_) {
    for (const auto& target : queue.all()) queue.move(target, at);
  }
  own_.move(ourselves(), at);
}

// --- manners

// Own hosts may be asked as often as it takes.
bool Agenda::is_minded(bool is_ours) const {
  return !is_ours || politeness_.own_hosts_too;
}

// Nobody's where it may be asked as often as it takes.
std::vector<std::string> Agenda::whose(const Target& target,
                                       const SnapshotSource::Known& known) const {
  if (known.seen)
    return is_minded(known.is_ours) ? providers_of(known.seen->addresses)
                                    : std::vector<std::string>{};
  if (!strangers_.contains(target.name)) return {};
  return {operator_of(target.name)};
}

// Null: now.
std::optional<Ticks> Agenda::begin_politely(const Target& target, const std::string& vantage,
                                            Ticks at) {
  const auto known = shown_.host(target.name);
  auto providers = whose(target, known);
  if (providers.empty() || wanted_now_.erase(target) > 0) return std::nullopt;
  const auto sessions = known.seen ? known.seen->sessions.size() : 1;
  if (const auto later = manners_.hold(providers, sessions, politeness_, at)) return later;
  const auto [place, is_new] = asked_.insert_or_assign({vantage, target}, std::move(providers));
  manners_.begin(place->second);
  return std::nullopt;
}

std::optional<Target> Agenda::take_politely(TargetQueue& from, const std::string& vantage,
                                            Ticks at) {
  while (auto target = from.take(at)) {
    if (target->kind != Target::Kind::host) return target;
    try {
      if (const auto later = begin_politely(*target, vantage, at)) {
        from.give_back(*target, at, *later, from.failures(*target));
        continue;
      }
    } catch (...) {  // memory is short: it stays due
      from.give_back(*target, at, at, from.failures(*target));
      throw;
    }
    return target;
  }
  return std::nullopt;
}

void Agenda::end_politely(const Target& target, const std::string& vantage, bool was_sent_away,
                          Ticks at) {
  const auto one = asked_.find({vantage, target});
  if (one != asked_.end()) {
    manners_.end(one->second, was_sent_away, schedule_.retry_after, at);
    asked_.erase(one);
  }
  if (!was_sent_away) return;
  // By its networks, which a first probe has learned only now; and by the operator's name, by which
  // whoever goes on after a restart knows it before it has looked.
  auto providers = whose(target, shown_.host(target.name));
  if (!providers.empty()) providers.push_back(operator_of(target.name));
  manners_.take_refusal(providers, schedule_.retry_after, at);
}

// --- taking

std::optional<Target> Agenda::take(Ticks at) {
  return take_politely(own_, {}, at);
}

std::vector<Target> Agenda::lend(std::size_t most, std::size_t workers, Ticks at) {
  std::vector<Target> out;
  while (out.size() < most && own_.in_flight() >= workers + lent_.size()) {
    auto target = take(at);
    if (!target) break;
    if (target->kind == Target::Kind::monitor || is_errand(*target)) {
      own_.give_back(*target, at, at, own_.failures(*target));
      break;  // for our own workers only, and the first in their line
    }
    lent_.insert(*target);
    out.push_back(std::move(*target));
  }
  return out;
}

std::vector<Target> Agenda::take_from(const std::string& vantage, std::size_t most, Ticks at) {
  std::vector<Target> out;
  const auto place = there_.find(vantage);
  while (place != there_.end() && out.size() < most) {
    auto target = take_politely(place->second, vantage, at);
    if (!target) break;
    out.push_back(std::move(*target));
  }
  return out;
}

// --- giving back

// In a row, this one included.
int Agenda::failures_after(const Target& target, const Ending& ending) const {
  return ending.pace == ProbeOutcome::impaired ? own_.failures(target) + 1 : 0;
}

Ticks Agenda::due_after(const Target& target, const Ending& ending, Ticks at) const {
  auto schedule = schedule_;
  schedule.interval = ending.interval.value_or(schedule.interval);
  if (target.kind == Target::Kind::monitor)
    return at + std::min(kVantageEvery, ending.pace == ProbeOutcome::steady
                                            ? schedule.interval
                                            : schedule.confirm_after);
  return at + next_wait(schedule, ending.pace, failures_after(target, ending), target.name.text());
}

void Agenda::give_back(const Target& target, const Ending& ending, Ticks at, Ticks due) {
  end_politely(target, {}, ending.was_sent_away, at);  // which may want memory
  own_.give_back(target, at, due, failures_after(target, ending));
}

void Agenda::give_back_there(const std::string& vantage, const Target& target, const Ending& ending,
                             Ticks at) {
  const auto place = there_.find(vantage);
  if (place == there_.end()) return;
  const auto wait = ending.interval.value_or(
      ending.pace == ProbeOutcome::confirming ? schedule_.confirm_after : schedule_.retry_after);
  end_politely(target, vantage, ending.was_sent_away, at);
  place->second.give_back(target, at, at + wait, 0);
}

// --- errands

bool Agenda::begin_errand(const Target& target, Ticks at) {
  if (!errands_.insert(target).second) return false;
  own_.add(target, at);
  return true;
}

bool Agenda::end_errand(const Target& target) {
  if (errands_.erase(target) == 0) return false;
  own_.drop(target);
  return true;
}

}  // namespace agent

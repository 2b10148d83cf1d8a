#include "agent/alerts/alert_book.h"

#include <algorithm>
#include <set>

#include "agent/alerts/notice.h"

namespace agent {
namespace {

using config::Time;
using probes::Subject;

// How long silences that are over are still listed.
constexpr config::Seconds kSilenceListed = std::chrono::hours{24 * 7};

AlertBook::Key key_of(const Alert& alert) {
  return {alert.finding.code, alert.cause};
}

bool is_open(const Alert& alert) {
  return alert.state == AlertState::pending || alert.state == AlertState::firing;
}

// Puts the alert as it is now into the round, once.
void write(Round& round, const Alert& alert) {
  const auto before = std::ranges::find(round.alerts, alert.id, &Alert::id);
  if (before == round.alerts.end()) {
    round.alerts.push_back(alert);
  } else {
    *before = alert;
  }
}

// The alert as that reader may know of it; nothing when it is not for them.
std::optional<Alert> part_of(const Audience::Recipient& reader, const Alert& alert,
                             const Watched& watched) {
  const auto owned = owned_by(reader.matchers, watched);
  auto part = owned ? narrowed(alert, *owned) : alert;
  if (part && !fits_any(reader.matchers, *part, watched.domains)) part.reset();
  return part;
}

// What is left of an alert for somebody of whose domains it hits none any more: what it was about.
Alert bare(const Alert& alert) {
  auto out = alert;
  out.hits.clear();
  out.domains.clear();
  out.acknowledged.reset();
  out.finding = {
      .code = alert.finding.code, .severity = alert.finding.severity, .subject = alert.cause};
  return out;
}

// The same for a notice. Of an end all hear who were told. What is wrong with ourselves is for
// those without matchers, and where all have some, for all of them: it must not reach nobody.
std::optional<Alert> part_told(const Audience::Recipient& reader, const Audience& audience,
                               const Alert& alert, const Watched& watched, Notice notice) {
  if (auto part = part_of(reader, alert, watched)) return part;
  const bool is_ours_to_all =
      alert.finding.code == probes::Code::monitor_fault &&
      std::ranges::none_of(audience.recipients,
                           [](const Audience::Recipient& one) { return one.matchers.empty(); });
  if (notice != Notice::resolved && !is_ours_to_all) return std::nullopt;
  const auto owned = owned_by(reader.matchers, watched);
  return owned ? narrowed(alert, *owned).value_or(bare(alert)) : alert;
}

// It hits more by now than when it was told of: whose matchers fit only now hear of it, too.
void tell_newcomers(Round& round, Alert& alert, const Audience& audience, const Watched& watched) {
  if (alert.state != AlertState::firing || !alert.told_to) return;
  bool is_told = false;
  for (const auto& reader : audience.recipients) {
    if (reader.matchers.empty() || alert.told_to->contains(reader.notifier) ||
        alert.told_severity < reader.least)
      continue;
    const auto part = part_of(reader, alert, watched);
    if (!part || part->finding.severity < reader.least) continue;
    const Due due{.notice = Notice::opened, .reason = "it hits more domains than before"};
    round.notifications.push_back(notification(*part, due, reader.notifier, round.at));
    is_told = alert.told_to->insert(reader.notifier).second;
  }
  if (is_told) write(round, alert);
}

}  // namespace

AlertBook::AlertBook(std::vector<Alert> alerts, std::vector<Silence> silences)
    : silences_(std::move(silences)) {
  for (auto& alert : alerts) {
    const auto key = key_of(alert);
    if (is_open(alert)) {
      hold(key, std::move(alert));
    } else if (const auto known = ended_.find(key);
               known == ended_.end() || *known->second.resolved_at < *alert.resolved_at) {
      ended_.insert_or_assign(key, std::move(alert));
    }
  }
}

int AlertBook::relapses_of(const Key& key, Time at) const {
  const auto before = ended_.find(key);
  if (before == ended_.end() || at - *before->second.resolved_at >= kRelapse) return 0;
  return before->second.relapses + 1;
}

void AlertBook::put(Round& round, const Key& key, Alert alert) {
  write(round, alert);
  hold(key, std::move(alert));
}

void AlertBook::hold(const Key& key, Alert alert) {
  const auto [place, is_new] = open_.try_emplace(key, alert);
  auto& held = place->second;
  if (is_new) {
    try {
      index(key, held, true);
    } catch (...) {  // no memory: as if it had never been
      index(key, held, false);
      open_.erase(place);
      throw;
    }
    return;
  }
  if (held.hits.size() != alert.hits.size() ||
      !std::ranges::equal(held.hits, alert.hits, {}, &Hit::subject, &Hit::subject)) {
    index(key, held, false);
    index(key, alert, true);
  }
  held = std::move(alert);
}

void AlertBook::drop(const Key& key) {
  const auto held = open_.find(key);
  if (held == open_.end()) return;
  index(key, held->second, false);
  open_.erase(held);
}

void AlertBook::index(const Key& key, const Alert& alert, bool is_there) {
  for (const auto& hit : alert.hits) {
    if (is_there) {
      open_at_[hit.subject].insert(key);
    } else if (const auto keys = open_at_.find(hit.subject); keys != open_at_.end()) {
      keys->second.erase(key);
      if (keys->second.empty()) open_at_.erase(keys);
    }
  }
}

bool AlertBook::any_open_at(const Subject& subject,
                            const std::function<bool(const Alert&)>& is_such) const {
  const auto keys = open_at_.find(subject);
  return keys != open_at_.end() &&
         std::ranges::any_of(keys->second, [&](const Key& key) { return is_such(open_.at(key)); });
}

std::vector<AlertBook::Key> AlertBook::led_by(const Subject& subject) const {
  std::vector<Key> out;
  const auto keys = open_at_.find(subject);
  if (keys == open_at_.end()) return out;
  for (const auto& key : keys->second) {
    const auto& hits = open_.at(key).hits;
    if (hits.size() > 1 && hits.front().subject == subject) out.push_back(key);
  }
  return out;
}

void AlertBook::lead(Round& round, const Key& key, const Subject& subject) {
  const auto held = open_.find(key);
  if (held == open_.end() || held->second.hits.front().subject == subject) return;
  put(round, key, led(held->second, subject));
}

std::set<probes::Code> AlertBook::firing_at(const Subject& subject) const {
  std::set<probes::Code> out;
  const auto keys = open_at_.find(subject);
  if (keys == open_at_.end()) return out;
  for (const auto& key : keys->second) {
    if (open_.at(key).state == AlertState::firing) out.insert(key.first);
  }
  return out;
}

// True when it should be looked at again soon.
bool AlertBook::take(Round& round, const Key& key, const Followed& followed) {
  switch (followed.step) {
    case Step::nothing:
      return false;
    case Step::forgotten:
      // What the round has written of it before does not hold any more.
      std::erase_if(round.alerts, [&](const Alert& one) { return one.id == followed.alert->id; });
      round.forgotten.push_back(followed.alert->id);
      drop(key);
      return false;
    case Step::passed:
    case Step::resolved:
      if (followed.step == Step::resolved)
        round.transitions.push_back({.what = Transition::What::resolved,
                                     .alert_id = followed.alert->id,
                                     .reason = followed.reason});
      write(round, *followed.alert);
      ended_.insert_or_assign(key, *followed.alert);
      drop(key);
      return false;
    case Step::opened:
      round.transitions.push_back({.what = Transition::What::opened,
                                   .alert_id = followed.alert->id,
                                   .reason = followed.reason});
      break;
    case Step::noticed:
    case Step::waiting:
    case Step::still_firing:
    case Step::maybe_over:
      break;
  }
  put(round, key, *followed.alert);
  return followed.step == Step::noticed || followed.step == Step::waiting ||
         followed.step == Step::maybe_over;
}

// What is pending and was not seen again, while another trouble goes on with it, is no episode that
// has passed: it is confirmed as what it has become.
bool AlertBook::take_over(Round& round, std::map<Key, const Trouble*>& all) {
  const auto goes_on_with = [&](const Trouble& trouble, const Key& key) {
    const auto held = open_.find(key);
    return held != open_.end() && held->second.state == AlertState::pending &&
           held->second.hits.size() == 1 && continues(trouble, held->second);
  };
  auto window = all.end();
  auto refusal = all.end();
  for (auto one = all.begin(); one != all.end() && refusal == all.end(); ++one) {
    if (one->second == nullptr || open_.contains(one->first)) continue;
    window = one;
    refusal = std::ranges::find_if(all, [&](const auto& other) {
      return other.second == nullptr && goes_on_with(*one->second, other.first);
    });
  }
  if (refusal == all.end()) return false;
  const auto pending = open_.at(refusal->first);
  const auto [key, trouble] = *window;
  auto before = heir(pending, *trouble, round.at);
  before.relapses = relapses_of(key, round.at);
  all.erase(refusal);
  all.erase(window);
  take(round, key_of(pending), taken_over(pending, round.at));
  return take(round, key, agent::follow(before, Sight::seen, trouble, 0, round.at));
}

bool AlertBook::follow(Round& round, const Subject& subject, const std::vector<Trouble>& troubles,
                       const IsConclusive& is_told) {
  std::map<Key, const Trouble*> all;
  for (const auto& trouble : troubles) all[{trouble.finding.code, trouble.cause}] = &trouble;
  if (const auto held = open_at_.find(subject); held != open_at_.end()) {
    for (const auto& key : held->second) all.try_emplace(key, nullptr);
  }
  bool again = take_over(round, all);
  for (const auto& [key, trouble] : all) {
    const auto entry = open_.find(key);
    const auto before = entry == open_.end() ? std::nullopt : std::optional{entry->second};
    if (trouble != nullptr) {
      // Another host with the same cause is no second look at the first.
      if (before && before->hits.front().subject != subject) {
        put(round, key, joined(*before, *trouble, round.at));
        continue;
      }
      const auto relapses = before ? 0 : relapses_of(key, round.at);
      again = take(round, key, agent::follow(before, Sight::seen, trouble, relapses, round.at)) ||
              again;
    } else if (is_told(*before)) {
      if (before->hits.size() > 1) {
        put(round, key, left(*before, subject));
        continue;
      }
      again = take(round, key, agent::follow(before, Sight::clean, nullptr, 0, round.at)) || again;
    }
  }
  return again;
}

void AlertBook::abandon(Round& round, const Subject& subject, std::string_view reason,
                        const std::function<bool(const Alert&)>& is_such) {
  const auto held = open_at_.find(subject);
  if (held == open_at_.end()) return;
  for (const auto& key : std::set(held->second)) {
    if (!is_such(open_.at(key))) continue;
    abandon_key(
        round, key, [&](const Subject& one) { return one == subject; }, reason);
  }
}

void AlertBook::abandon_if(Round& round, const std::function<bool(const Subject&)>& is_orphan,
                           std::string_view reason) {
  std::vector<Key> keys;
  for (const auto& [key, alert] : open_) keys.push_back(key);
  for (const auto& key : keys) abandon_key(round, key, is_orphan, reason);
}

void AlertBook::abandon_key(Round& round, const Key& key,
                            const std::function<bool(const Subject&)>& is_orphan,
                            std::string_view reason) {
  const auto& alert = open_.at(key);
  auto rest = alert;
  for (const auto& hit : alert.hits) {
    if (is_orphan(hit.subject)) rest = left(std::move(rest), hit.subject);
  }
  if (rest.hits.empty()) {
    take(round, key, agent::abandon(alert, reason, round.at));
  } else if (rest != alert) {
    put(round, key, std::move(rest));
  }
}

void AlertBook::tell(Round& round, Alert& alert, const Audience& audience, const Watched& watched,
                     bool is_blind) {
  const bool is_silent = is_open(alert) && is_muted(alert, silences_, watched.domains, round.at);
  auto due = notice_due(alert, is_silent, is_blind, audience.remind_after, round.at);
  if (!due) {
    if (!is_silent && !is_blind) tell_newcomers(round, alert, audience, watched);
    return;
  }
  // That it is watched no more, or cannot be seen, is not that it is over.
  if (due->notice == Notice::resolved) {
    const auto end = std::ranges::find(round.transitions, alert.id, &Transition::alert_id);
    if (end != round.transitions.end()) due->reason += ": " + end->reason;
  }
  alert = told(std::move(alert), round.at);
  // Of what was told before that was kept nobody knows to whom: it stays so.
  if (due->notice == Notice::opened && !alert.told_to) alert.told_to.emplace();
  std::vector<std::string> reached;
  for (const auto& reader : audience.recipients) {
    // Where it is not known who was told (before that was kept) all hear of the end who may have
    // been.
    const bool is_end = due->notice == Notice::resolved;
    const bool is_stranger = alert.told_to && !alert.told_to->contains(reader.notifier);
    if (alert.told_severity < reader.least || (is_end && is_stranger)) continue;
    const auto part = part_told(reader, audience, alert, watched, due->notice);
    if (!part) continue;
    // Less of it may be theirs than what makes it so grave.
    const bool is_lesser =
        part->finding.severity < alert.finding.severity &&
        (part->finding.severity < reader.least || due->notice == Notice::escalated);
    if (is_lesser && !is_end) continue;
    round.notifications.push_back(notification(*part, *due, reader.notifier, round.at));
    reached.push_back(reader.notifier);
  }
  if (alert.told_to) alert.told_to->insert(reached.begin(), reached.end());
  write(round, alert);
}

void AlertBook::tell(Round& round, const Audience& audience, const Watched& watched, bool is_blind,
                     bool is_time_doubtful) {
  for (auto& [key, alert] : open_) tell(round, alert, audience, watched, is_blind);
  for (auto& [key, alert] : ended_) {
    if (alert.state == AlertState::resolved) tell(round, alert, audience, watched, is_blind);
  }
  std::erase_if(
      ended_, [&](const auto& entry) { return round.at - *entry.second.resolved_at >= kRelapse; });
  if (is_time_doubtful) return;  // a silence would not come back with the right time
  std::erase_if(silences_, [&](const Silence& silence) {
    return round.at - silence.ends_at >= kSilenceListed;
  });
}

void AlertBook::tell_changed(Round& round, const Audience& audience, const Watched& watched,
                             bool is_blind) {
  for (const auto& changed : std::vector(round.alerts)) {
    const auto key = key_of(changed);
    auto& alerts = is_open(changed) ? open_ : ended_;
    const auto held = alerts.find(key);
    if (held == alerts.end() || held->second.id != changed.id) continue;
    if (held->second.state != AlertState::passed)
      tell(round, held->second, audience, watched, is_blind);
  }
}

void AlertBook::restate(const ClockStep& step) {
  const auto move = [&](std::optional<Time>& moment) {
    if (moment) moment = restated(*moment, step);
  };
  for (auto* alerts : {&open_, &ended_}) {
    for (auto& [key, alert] : *alerts) {
      alert.first_seen_at = restated(alert.first_seen_at, step);
      alert.last_seen_at = restated(alert.last_seen_at, step);
      move(alert.opened_at);
      move(alert.resolved_at);
      move(alert.told_at);
      move(alert.raised_at);
    }
  }
}

bool AlertBook::acknowledge(Round& round, const std::string& id,
                            std::optional<Acknowledgement> how) {
  for (auto& [key, alert] : open_) {
    if (alert.id != id || alert.state != AlertState::firing) continue;
    alert.acknowledged = std::move(how);
    write(round, alert);
    return true;
  }
  return false;
}

void AlertBook::put(Round& round, Silence silence) {
  round.silences.push_back(silence);
  const auto before = std::ranges::find(silences_, silence.id, &Silence::id);
  if (before == silences_.end()) {
    silences_.push_back(std::move(silence));
  } else {
    *before = std::move(silence);
  }
}

bool AlertBook::end_silence(Round& round, const std::string& id) {
  const auto found = std::ranges::find(silences_, id, &Silence::id);
  if (found == silences_.end() || found->ends_at <= round.at) return false;
  auto ended = *found;
  ended.ends_at = std::max(ended.starts_at + config::Seconds{1}, round.at);
  put(round, std::move(ended));
  return true;
}

}  // namespace agent

#include "agent/alerts/round.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>

namespace agent {
namespace {

template <class T>
void put_before(std::vector<T>& later, std::vector<T> earlier) {
  std::ranges::move(later, std::back_inserter(earlier));
  later = std::move(earlier);
}

// Of those with the same key only the last; the newest of all.
template <class T, class Key>
void keep_last(std::vector<T>& all, Key key) {
  std::set<std::string> known;
  std::vector<T> out;
  for (auto one = all.rbegin(); one != all.rend() && out.size() < kMostDecisions; ++one) {
    if (known.insert(std::invoke(key, *one)).second) out.push_back(std::move(*one));
  }
  std::ranges::reverse(out);
  all = std::move(out);
}

constexpr std::size_t kMostEvidence = 500;

template <class T>
void keep_newest(std::vector<T>& all, std::size_t most = kMostDecisions) {
  if (all.size() > most) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(most));
}

}  // namespace

Round decisions_of(const Round& round) {
  Round out{.target = round.target, .at = round.at};
  static_cast<Decisions&>(out) = round;
  return out;
}

Round with_decisions(Round missed, Round round) {
  auto& [alerts, forgotten, transitions, notifications, silences, exceptions, ended_exceptions,
         evidence, announced, not_for_mail, for_mail, renewals, anchor_keys, spared, clock_step,
         gap] = static_cast<Decisions&>(missed);
  // An alert that is forgotten by now is not to come back.
  std::erase_if(alerts, [&](const Alert& alert) {
    return std::ranges::find(round.forgotten, alert.id) != round.forgotten.end();
  });
  // So with an exception that was ended and made again.
  std::erase_if(ended_exceptions, [&](const std::string& domain) {
    return std::ranges::find(round.exceptions, domain, &Exception::domain) !=
           round.exceptions.end();
  });
  std::erase_if(for_mail, [&](const std::string& key) {
    return std::ranges::find(round.not_for_mail, key, &NotForMail::key) != round.not_for_mail.end();
  });
  put_before(round.alerts, std::move(alerts));
  put_before(round.forgotten, std::move(forgotten));
  put_before(round.transitions, std::move(transitions));
  put_before(round.notifications, std::move(notifications));
  put_before(round.silences, std::move(silences));
  put_before(round.exceptions, std::move(exceptions));
  put_before(round.ended_exceptions, std::move(ended_exceptions));
  put_before(round.evidence, std::move(evidence));
  put_before(round.announced, std::move(announced));
  put_before(round.not_for_mail, std::move(not_for_mail));
  put_before(round.for_mail, std::move(for_mail));
  put_before(round.renewals, std::move(renewals));
  put_before(round.anchor_keys, std::move(anchor_keys));
  if (!round.spared) round.spared = std::move(spared);
  if (!round.clock_step) round.clock_step = clock_step;
  if (gap) {
    const auto more = round.gap ? round.gap->rounds : 0;
    round.gap = Gap{.from = gap->from, .until = round.at, .rounds = gap->rounds + more};
  }
  return round;
}

void bound(Round& decisions) {
  keep_last(decisions.alerts, &Alert::id);
  keep_last(decisions.silences, &Silence::id);
  keep_last(decisions.exceptions, &Exception::domain);
  keep_last(decisions.ended_exceptions, std::identity{});
  keep_last(decisions.announced, &AnnouncedCertificate::id);
  keep_last(decisions.not_for_mail, &NotForMail::key);
  keep_last(decisions.for_mail, std::identity{});
  keep_last(decisions.renewals, &RenewalAdvice::certificate);
  keep_last(decisions.anchor_keys,
            [](const AnchorKey& one) { return std::string(one.key.begin(), one.key.end()); });
  keep_last(decisions.notifications, &Notification::id);
  // Each is some ten thousand octets: the newest, of a few hundred alerts.
  keep_newest(decisions.evidence, kMostEvidence);
  keep_newest(decisions.transitions);
  keep_newest(decisions.forgotten);
}

}  // namespace agent

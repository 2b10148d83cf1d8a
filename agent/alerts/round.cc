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

template <class T>
void keep_newest(std::vector<T>& all) {
  if (all.size() > kMostDecisions)
    all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(kMostDecisions));
}

}  // namespace

Round decisions_of(const Round& round) {
  return {.target = round.target,
          .at = round.at,
          .alerts = round.alerts,
          .forgotten = round.forgotten,
          .transitions = round.transitions,
          .letters = round.letters,
          .silences = round.silences,
          .exceptions = round.exceptions,
          .ended_exceptions = round.ended_exceptions,
          .clock_step = round.clock_step,
          .gap = round.gap};
}

Round with_decisions(Round missed, Round round) {
  // An alert that is forgotten by now is not to come back.
  std::erase_if(missed.alerts, [&](const Alert& alert) {
    return std::ranges::find(round.forgotten, alert.id) != round.forgotten.end();
  });
  // So with an exception that was ended and made again.
  std::erase_if(missed.ended_exceptions, [&](const std::string& domain) {
    return std::ranges::find(round.exceptions, domain, &Exception::domain) !=
           round.exceptions.end();
  });
  put_before(round.alerts, std::move(missed.alerts));
  put_before(round.forgotten, std::move(missed.forgotten));
  put_before(round.transitions, std::move(missed.transitions));
  put_before(round.letters, std::move(missed.letters));
  put_before(round.silences, std::move(missed.silences));
  put_before(round.exceptions, std::move(missed.exceptions));
  put_before(round.ended_exceptions, std::move(missed.ended_exceptions));
  if (!round.clock_step) round.clock_step = missed.clock_step;
  if (missed.gap) {
    const auto more = round.gap ? round.gap->rounds : 0;
    round.gap =
        Gap{.from = missed.gap->from, .until = round.at, .rounds = missed.gap->rounds + more};
  }
  return round;
}

void bound(Round& decisions) {
  keep_last(decisions.alerts, &Alert::id);
  keep_last(decisions.silences, &Silence::id);
  keep_last(decisions.exceptions, &Exception::domain);
  keep_last(decisions.ended_exceptions, std::identity{});
  keep_last(decisions.letters, &Letter::id);
  keep_newest(decisions.transitions);
  keep_newest(decisions.forgotten);
}

}  // namespace agent

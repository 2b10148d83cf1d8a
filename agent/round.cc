#include "agent/round.h"

#include <algorithm>
#include <iterator>

namespace agent {
namespace {

template <class T>
void put_before(std::vector<T>& later, std::vector<T> earlier) {
  std::ranges::move(later, std::back_inserter(earlier));
  later = std::move(earlier);
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
          .ended_exceptions = round.ended_exceptions};
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
  return round;
}

}  // namespace agent

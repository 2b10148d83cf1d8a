#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/history/history.h"

// PURE
// How well each change of key went (RFC 7671 §8.1, §8.4).
namespace agent {

enum class Grade {
  safe,           // the record was there for two TTLs or more before the key
  safe_via_ta,    // another record matched the new chain all along
  tight,          // between one and two TTLs: nothing failed
  early,          // less than one: caches refused the new key
  late,           // the key came before its record
  never,          // the record did not come
  early_retire,   // the old record went while the old key was in use
  indeterminate,  // looks were too far apart to tell, or there were too many sets to remember
};
[[nodiscard]] std::string_view wire_name(Grade grade);

struct Rollover {
  std::string from;  // the certificate that changed, by the name its chain gives it
  std::string to;
  Grade grade = Grade::indeterminate;
  // How long the record was there before the key, at least and at most; null where looks set no
  // bound, both when it never came.
  std::optional<config::Seconds> lead_at_least;
  std::optional<config::Seconds> lead_at_most;
  // Failing share times time, until the next one begins; null while it has no end, or
  // cannot be told. Left to rollover.h.
  std::optional<double> exposure_seconds;
  config::Time deployed_at;  // first endpoint
  config::Time begins_at;    // when it can have hurt first: the old record may have gone before
};

// The changes of key in the history, in order. A grade is given only when all that the looks leave
// possible agrees on it.
[[nodiscard]] std::vector<Rollover> grade(const History& history,
                                          const std::vector<Reach>& reaches);

}  // namespace agent

#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "agent/history/history.h"
#include "probes/status.h"
#include "probes/verdict.h"

// PURE
// In which state of a rollover a TLSA owner is at one moment (RFC 7671 §8, RFC 7672 §4).
namespace agent {

enum class RolloverState {
  no_dane,           // no secure TLSA records that demand anything
  steady,            // every endpoint matches
  prepub_wait,       // a record for a key to come is published; some caches may lack it
  prepub_ok,         // every cache has it
  ready,             // and has had for as long again: the time RFC 7671 §8.1 asks for
  switching,         // some endpoints present the new key, some the old one; all match
  rolled,            // all present the new one; the record of the old one is still there
  stale_risk,        // a set that caches may still hold refuses what is served
  fallback,          // only a DANE-TA(2) record matches; the DANE-EE(3) ones do not
  mismatch,          // the published set refuses every endpoint
  partial_mismatch,  // it refuses some
  dns_fail,          // no server gives an answer
  withdrawn,         // the records are gone, caches may still hold them
  unknown,           // caches may hold sets that were forgotten, there were so many
};
[[nodiscard]] std::string_view wire_name(RolloverState state);
// How a view shows it, beside the words.
[[nodiscard]] probes::Status look_of(RolloverState state);

// A record that never matched is one to come, until it is this old; the RFCs give no bound.
inline constexpr config::Seconds kNextRecordAtMost = std::chrono::hours{24 * 90};

// Since when any server gives the record, without a break: `at` when none does. One that does not
// answer has not taken it back.
[[nodiscard]] config::Time seen_since(const History& history, std::size_t record, config::Time at);

// The record is there for a key to come: it has matched nothing by `at` and is not yet that old, or
// its key was live and has been taken back for the one before it, not yet that long ago.
[[nodiscard]] bool is_to_come(const History& history, std::size_t record, config::Time at);

// The sets that a key accepts which the record fits, and no other: it is among those compared, or
// nothing is demanded.
[[nodiscard]] Kind accepting(const History& history, std::size_t record);

struct Window {
  config::Time from;
  std::optional<config::Time> until;  // null: no end is in sight
};

// How things stand at one moment.
struct RolloverStanding {
  config::Time at;
  RolloverState state = RolloverState::no_dane;
  // Of the caches that are always warm, the share holding a set that refuses what is served, for
  // the reference sender, averaged over the endpoints. Null when no endpoint has been seen, and
  // when caches may hold sets that are not known any more.
  std::optional<double> failing_share;
  // Of the same caches, the share holding a set that refuses what is served at every address, so
  // that the reference sender gets through nowhere. 0 where nothing is known.
  double held_share = 0;
  std::optional<Window> window;  // the time around `at` during which some caches refuse
  // No cache holds a set that refuses the key to come from then on, if nothing more changes.
  std::optional<config::Time> safe_to_switch_at;
  std::optional<config::Time> recommended_switch_at;  // RFC 7671 §8.1: two TTLs after publication
  std::optional<config::Time> safe_to_remove_at;      // nothing presents the old key from then on
  std::vector<probes::Code> findings;
};

// What the publications and endpoints of that moment, and what caches may still hold, make of it.
// `reaches` are those of the history. Leaves the shares and the window to rollover.h.
[[nodiscard]] RolloverStanding stand(const History& history, const std::vector<Reach>& reaches,
                                     config::Time at);

}  // namespace agent

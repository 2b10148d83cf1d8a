#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/history/history.h"
#include "probes/verdict.h"

// PURE
namespace agent {

// A key in use that some published set refuses, as its past tells how that came about.
struct RefusedKey {
  probes::KeyPast past;
  // The records that it fitted and that were taken out, as text; of servers that refuse it now.
  std::vector<std::string> removed_records;
};

// Of several that of the endpoint listed first.
[[nodiscard]] std::optional<RefusedKey> refused_key(const History& history, config::Time at);

// The past of the key in use where no endpoint has another since then: the key that was there is
// there still. Null where one has changed its key, or none is known.
[[nodiscard]] std::optional<probes::KeyPast> unchanged_key(const History& history,
                                                           config::Time since, config::Time at);

// What is published refuses the key that some endpoint had before: to put that back does not help.
[[nodiscard]] bool is_old_key_refused(const History& history, config::Time at);

// How long after what is published was put right the last cache holds nothing that refuses a key in
// use; null while nothing published refuses one.
[[nodiscard]] std::optional<config::Seconds> refusal_ttl(const History& history, config::Time at);

}  // namespace agent

#pragma once

#include "agent/alerts/silence.h"
#include "agent/watch/snapshot.h"

// PURE
namespace agent {

// Who is configured, by name; for matchers of groups and roles. The snapshot outlives what is
// returned.
[[nodiscard]] Domains configured(const Snapshot& snapshot);

}  // namespace agent

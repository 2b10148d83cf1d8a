#pragma once

#include <string>
#include <string_view>

#include "config/result.h"

// PURE
namespace agent {

// Plays a recorded or planned sequence of events (schema danelaw.replay/1, docs/replay.md) on
// paper: NDJSON with the state at every moment asked for and at every change of state, and last the
// rollovers with their grades. The error names the place in the input and what to write there.
[[nodiscard]] config::Result<std::string, std::string> replay(std::string_view json);

}  // namespace agent

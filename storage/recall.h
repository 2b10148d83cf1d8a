#pragma once

#include "agent/cli/gate.h"
#include "storage/place.h"

namespace storage {

// Asks the database of an agent, which may be running, for a host's past: as of `now` nothing in it
// is of the future. The database is opened when asked.
[[nodiscard]] agent::Recall recall_from(Place database, config::Time now);

}  // namespace storage

#pragma once

#include <filesystem>

#include "agent/cli/gate.h"

namespace storage {

// Asks the database of an agent, which may be running, for a host's past: as of `now` nothing in it
// is of the future. The database is opened when asked.
[[nodiscard]] agent::Recall recall_from(std::filesystem::path database, config::Time now);

}  // namespace storage

#pragma once

#include <memory>

#include "storage/engine.h"
#include "storage/place.h"

namespace storage {

// A connection to a database of PostgreSQL, of which the first schema of the search path is ours.
// It is made again after it was lost, but not within a transaction, which then fails.
[[nodiscard]] std::unique_ptr<Engine> open_postgresql(const Place& place, bool is_read_only);

}  // namespace storage

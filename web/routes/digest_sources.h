#pragma once

#include "agent/notify/notifiers/digest.h"
#include "storage/queries.h"

namespace web {

// What digests say beside alerts: deadlines as /api/v1/deadlines has them, and what the history
// knows. `queries` outlives them.
[[nodiscard]] agent::DigestSources digest_sources(storage::Queries& queries);

}  // namespace web

#pragma once

#include <cstddef>

#include <nlohmann/json.hpp>

#include "agent/watch/runner.h"

namespace web {

// What will happen, or must have been done, by a time to come: the soonest `most` of each kind, all
// in order of time. Kinds: safe-to-switch, recommended-switch, safe-to-remove, caches-recover,
// publish-by, signature-end, certificate-end.
[[nodiscard]] nlohmann::ordered_json deadlines_json(const agent::Snapshot& snapshot,
                                                    std::size_t most);

}  // namespace web

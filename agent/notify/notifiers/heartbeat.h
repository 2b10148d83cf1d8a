#pragma once

#include <optional>
#include <string>

#include "agent/watch/runner.h"

// PURE
namespace agent {

// Why a sign of life must be withheld: whoever waits for it shall look after us when we do not
// look, or do not remember. `every`: between two signs. `known_errors`: of the recorder, when the
// last sign was due; errors of before tell nothing new. Nothing when all is well.
[[nodiscard]] std::optional<std::string> why_withheld(const Snapshot& snapshot,
                                                      config::Seconds every,
                                                      std::uint64_t known_errors);

}  // namespace agent

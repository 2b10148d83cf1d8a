#pragma once

#include <string_view>

#include "config/config.h"

// PURE
namespace agent {

// How a look went, as far as the next one depends on it.
enum class Pace {
  steady,      // learned what there was to learn
  confirming,  // something is to be confirmed, or its end is
  impaired,    // could not tell: our own sight failed
};

// When to look next. `failures`: impaired looks in a row, this one included. A steady wait is
// spread by up to a tenth of the interval either way, always the same for one name, so that targets
// do not march in step.
[[nodiscard]] config::Time next_due(const config::Schedule& schedule, Pace pace, int failures,
                                    std::string_view name, config::Time at);

// When to look first: spread over the first interval's tenth, at most a minute, so that a start is
// no flood.
[[nodiscard]] config::Time first_due(const config::Schedule& schedule, std::string_view name,
                                     config::Time at);

}  // namespace agent

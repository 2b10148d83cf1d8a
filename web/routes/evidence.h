#pragma once

#include <optional>
#include <string>

#include "agent/alerts/alert.h"
#include "web/backend.h"

namespace web {

// What the alert rests on, for somebody who is to believe it: the newest look that was kept of it,
// verified again as of then, a step a line. Nothing where none was kept.
[[nodiscard]] std::optional<std::string> argument_of(const Backend& backend,
                                                     const agent::Alert& alert);

}  // namespace web

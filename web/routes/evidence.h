#pragma once

#include <optional>
#include <string>

#include "agent/alerts/alert.h"
#include "web/backend.h"
#include "web/routes/view.h"

namespace web {

// What the alert rests on, for somebody who is to believe it: the newest look that was kept of it,
// verified again as of then, a step a line. Nothing where none was kept.
// `view`: whose the backend is; null: everybody's. Of others' domains nothing is told.
[[nodiscard]] std::optional<std::string> argument_of(const Backend& backend, const View* view,
                                                     const agent::Alert& alert);

}  // namespace web

#pragma once

#include "agent/alerts/actions.h"
#include "web/http.h"

namespace web {

// The routes by which people change something, POST and DELETE: acknowledgements, silences,
// exceptions. The request is known to come from here.
[[nodiscard]] Reply act(agent::Actions& actions, const Request& request, config::Time now);

}  // namespace web

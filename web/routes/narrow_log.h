#pragma once

#include <vector>

#include "storage/event_log.h"
#include "web/routes/theirs.h"

namespace web {

// What happened, as far as it is theirs, and what the agent itself went through. Also of domains
// and hosts that the query excludes by itself nothing is given.
void narrow(storage::LogQuery& query, const Theirs& theirs);
// Of the alerts among these what is theirs.
void narrow(std::vector<storage::LogEvent>& events, const Theirs& theirs);

}  // namespace web

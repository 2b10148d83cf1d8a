#pragma once

#include "agent/cli/command.h"
#include "agent/cli/gate.h"

namespace agent {

// How to ask the database of an agent with these settings for a host's past.
using RecallFrom = std::function<Recall(const config::Config&)>;

// `danelaw gate`; what it does is gate.h.
[[nodiscard]] Command add_gate(CLI::App& app, RecallFrom recall_from);

}  // namespace agent

#pragma once

#include "agent/cli/command.h"

namespace agent {

// `danelaw policy`: between Postfix' spawn(8) and the agent's policy socket
// (agent/postfix/policy_server.h).
[[nodiscard]] Command add_policy(CLI::App& app);

}  // namespace agent

#pragma once

#include "agent/cli/command.h"

namespace agent {

// `danelaw check`: its flags, and the settings that they and a file make together. What it does
// then is check.h.
[[nodiscard]] Command add_check(CLI::App& app);

}  // namespace agent

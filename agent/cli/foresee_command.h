#pragma once

#include "agent/cli/command.h"

namespace agent {

// `danelaw foresee`: hands a certificate that may go live to a running agent. Probes nothing and
// opens no database. 0: every watched host that it is for takes it; 2: one does not; 3: for one
// that could not be told, or the agent cannot be reached, or the file holds no certificate.
[[nodiscard]] Command add_foresee(CLI::App& app);

}  // namespace agent

#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "agent/cli/command.h"
#include "config/result.h"
#include "probes/dns/message.h"

namespace agent {

// The evidence of an alert in this database (probes/codec/bundle.h); nothing when there is none.
using EvidenceFrom = std::function<config::Result<std::optional<probes::dns::Bytes>, std::string>(
    const config::Storage& database, const std::string& alert)>;

// `danelaw explain`: verifies the evidence of an alert, or a file of it, again and offline.
[[nodiscard]] Command add_explain(CLI::App& app, EvidenceFrom evidence_from);

}  // namespace agent

#pragma once

#include <optional>
#include <string>

#include "config/result.h"
#include "probes/dns/message.h"
#include "storage/place.h"

namespace storage {

// The evidence of an alert in the database of an agent, running or not, as encode_bundle() makes
// it; nothing when no such alert has any. The fault names the file.
[[nodiscard]] config::Result<std::optional<probes::dns::Bytes>, std::string> evidence_from(
    const Place& database, const std::string& alert);

}  // namespace storage

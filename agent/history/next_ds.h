#pragma once

#include <optional>
#include <string>

#include "agent/history/zone_past.h"
#include "probes/dns/wanted_ds.h"

// PURE
namespace agent {

// What becomes of a zone when its parent does what it is asked for (RFC 7344, RFC 8078). `past`:
// what is known of its DS records. Null: nothing is asked for that would change anything.
[[nodiscard]] std::optional<probes::Finding> find_next_ds(const ZonePast& past,
                                                          const probes::dns::WantedDs& wanted,
                                                          const std::string& zone,
                                                          const probes::Subject& subject);

}  // namespace agent

#pragma once

#include <optional>
#include <string>

#include "agent/history/zone_past.h"
#include "probes/dns/wanted_ds.h"

// PURE
namespace agent {

// What becomes of a zone when its parent does what it is asked for (RFC 7344, RFC 8078), and when
// it goes on as it is while the zone has given up the key that the DS records name: then it is due
// when caches must begin to forget those records. `past`: what is known of its DS records. Null:
// nothing is asked for that would change anything, and the DS records go on fitting.
[[nodiscard]] std::optional<probes::Finding> find_next_ds(const ZonePast& past,
                                                          const probes::dns::WantedDs& wanted,
                                                          const std::string& zone,
                                                          const probes::Subject& subject,
                                                          config::Time at);

}  // namespace agent

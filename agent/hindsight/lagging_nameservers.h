#pragma once

#include <map>
#include <optional>

#include "probes/dns/survey.h"
#include "probes/verdict.h"

// PURE
// Whether the servers of a zone take its changes over in time (RFC 1035 §3.3.13, RFC 1996).
namespace agent {

// A server that gives an older serial number than another, and since when it has given that one. A
// server that is slow and yet goes on is not late.
struct LaggingServer {
  std::uint32_t serial = 0;
  config::Time since;
};

// Of one zone. Kept while the agent runs and not recorded: after a restart it takes one refresh to
// know again.
struct LaggingServers {
  std::optional<std::uint32_t> newest;  // that any server has given
  std::map<probes::dns::Server, LaggingServer> by_server;
};

// Takes up what a look learned. Of a server that gave no answer nothing is learned.
void record_serials(LaggingServers& known, const probes::dns::ZoneSerials& seen);

// The servers that have been behind for longer than the zone's refresh, as `seen` was noted last.
[[nodiscard]] std::optional<probes::Finding> find_lagging(const LaggingServers& known,
                                                          const probes::dns::ZoneSerials& seen,
                                                          const probes::Subject& subject);

}  // namespace agent

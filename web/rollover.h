#pragma once

#include <nlohmann/json.hpp>

#include "agent/watch/runner.h"

// PURE
// How a host's TLSA owner stands, and its whole story as spans for a picture, in JSON.
namespace web {

// Where the host's TLSA records stand, or would if its zone were signed: where an alias leads, what
// is published at the alias itself is of no use.
[[nodiscard]] std::string tlsa_owner_of(const probes::HostObservation& host);

// State, share of caches that refuse, window, safe moments, and the changes of key with their
// grades; as of `at`. Null when there is nothing to follow.
[[nodiscard]] nlohmann::ordered_json rollover_json(const agent::Snapshot::Followed* followed,
                                                   config::Time at);
// The same of several hosts: that of the worst off, with all of them under "hosts".
[[nodiscard]] nlohmann::ordered_json rollover_json(
    const std::vector<const agent::Snapshot::Followed*>& followed, config::Time at);

// Records with the times caches may hold them, keys by endpoint, signatures, windows in which
// caches refuse what is served; those that touch [from, until]. `past`: the host history, which
// knows signatures, and when an endpoint that shows no key any more did so last.
[[nodiscard]] nlohmann::ordered_json timeline_json(const agent::Snapshot::Followed& followed,
                                                   const agent::HostHistory& past, config::Time at,
                                                   config::Time from, config::Time until);

// In the order of trouble; for choosing the worst and for the metric.
[[nodiscard]] int rank(agent::RolloverState state);

}  // namespace web

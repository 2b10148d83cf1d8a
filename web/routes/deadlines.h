#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "agent/watch/runner.h"

namespace web {

// What will happen, or must have been done, by a time to come: the soonest `most` of each kind, all
// in order of time. Kinds: safe-to-switch, recommended-switch, safe-to-remove, caches-recover,
// mail-bounces, publish-by, renewal-suggested, signature-end, certificate-end. Each with how it is
// known: ttl (of records), ari (what a CA suggests), habit, lifetime, rrsig, not-after; null where
// nothing says.
[[nodiscard]] nlohmann::ordered_json deadlines_json(const agent::Snapshot& snapshot,
                                                    std::size_t most);

// The next of each of these hosts: {"at": …, "kind": …}; null of one that has none.
[[nodiscard]] std::map<std::string, nlohmann::ordered_json> next_deadlines(
    const agent::Snapshot& snapshot, const std::set<std::string>& hosts);

}  // namespace web

#pragma once

#include <set>

#include "agent/history/history.h"

// PURE
namespace agent {

// The DANE-TA(2) records published at `at` that fit nothing presented and yet belong: they are for
// other keys from which the CA may issue beside the one that it did issue from. A CA picks at every
// renewal, so that operators publish all of them; next time another may match.
//
// One has a mate, a record of the same usage, selector and matching type, that fits each chain. It
// is no sibling while all looks like a change of anchor: one new record beside an older one, that
// endpoints have just left or are about to leave.
[[nodiscard]] std::set<std::size_t> siblings_at(const History& history, config::Time at);

}  // namespace agent

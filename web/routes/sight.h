#pragma once

#include <vector>

#include "agent/watch/snapshot.h"

// PURE
// Whether danelaw itself can see.
namespace web {

// What keeps us from saying anything about others.
[[nodiscard]] std::vector<const agent::SelfCheck*> blinding(const agent::Snapshot& snapshot);

// Whether it was ever found out since the start whether danelaw can see.
[[nodiscard]] bool has_checked_itself(const agent::Snapshot& snapshot);

// It was, and nothing does.
[[nodiscard]] bool can_see(const agent::Snapshot& snapshot);

}  // namespace web

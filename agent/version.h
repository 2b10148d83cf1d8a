#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "config/time.h"

// PURE
namespace agent {

// Something was seen to be so from one moment to another, at least.
template <class What>
struct Version {
  config::Time first_seen;
  config::Time last_seen;
  What what;
};

// Of one thing; the oldest are forgotten first.
inline constexpr std::size_t kMostVersions = 200;

// A look of some length.
struct Look {
  config::Time began;
  config::Time ended;
};

// Takes up what a look showed, which is later than those before. What was still so is known to have
// been when the look began, what is new to be when it ended. True when it is new.
template <class What, class Same>
bool note_version(std::vector<Version<What>>& versions, const What& what, const Look& look,
                  Same is_same) {
  if (!versions.empty() && is_same(versions.back().what, what)) {
    versions.back().last_seen = std::max(versions.back().last_seen, look.began);
    return false;
  }
  if (versions.size() >= kMostVersions) versions.erase(versions.begin());
  versions.push_back({look.ended, look.ended, what});
  return true;
}

}  // namespace agent

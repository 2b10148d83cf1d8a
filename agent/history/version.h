#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
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

// Of one host: servers, or endpoints, that it has or had. A host whose addresses change at every
// look has ever new ones; those that went longest ago are forgotten first, and never those that are
// there, of which a look takes only so many.
inline constexpr std::size_t kMostNames = 64;
// Of all of them together: what a look costs grows faster than their number.
inline constexpr std::size_t kMostVersionsOfAll = 1600;
// Of each, where there are so many.
[[nodiscard]] constexpr std::size_t versions_for(std::size_t names) {
  constexpr std::size_t kLeast = 2;  // what is, and what was before
  return std::clamp(kMostVersionsOfAll / std::max<std::size_t>(1, names), kLeast, kMostVersions);
}

// A look of some length.
struct Look {
  config::Time began;
  config::Time ended;
};

// What is to be known of a version that is forgotten, and until when it was so: nothing.
struct ForgetAltogether {
  template <class What>
  void operator()(const Version<What>& /*version*/, config::Time /*until*/) const {}
};

// Forgets the oldest `count` versions of one thing.
template <class What, class Forget>
void forget_oldest(std::vector<Version<What>>& versions, std::size_t count, Forget forget) {
  for (std::size_t i = 0; i < count; ++i)
    forget(versions[i],
           i + 1 < versions.size() ? versions[i + 1].first_seen : versions[i].last_seen);
  versions.erase(versions.begin(), versions.begin() + static_cast<std::ptrdiff_t>(count));
}

// Keeps what is known of names within the bounds above. `is_gone`: what says that a thing is there
// no more.
template <class What, class IsGone, class Forget = ForgetAltogether>
void bound_versions(std::map<std::string, std::vector<Version<What>>>& known, IsGone is_gone,
                    Forget forget = {}) {
  // Those that are gone are seen to be so at every look: what tells is when they went.
  const auto went_at = [&](const auto& entry) {
    const auto& last = entry.second.back();
    return is_gone(last.what) ? last.first_seen : config::Time::max();
  };
  while (known.size() > kMostNames) {
    const auto oldest = std::ranges::min_element(known, {}, went_at);
    if (went_at(*oldest) == config::Time::max()) break;
    forget_oldest(oldest->second, oldest->second.size(), forget);
    known.erase(oldest);
  }
  const auto most = versions_for(known.size());
  for (auto& [name, versions] : known) {
    if (versions.size() > most) forget_oldest(versions, versions.size() - most, forget);
  }
}

// Takes up what a look showed, which is later than those before. What was still so is known to have
// been when the look began, what is new to be when it ended. True when it is new.
template <class What, class Same, class Forget = ForgetAltogether>
bool note_version(std::vector<Version<What>>& versions, const What& what, const Look& look,
                  Same is_same, Forget forget = {}) {
  if (!versions.empty() && is_same(versions.back().what, what)) {
    versions.back().last_seen = std::max(versions.back().last_seen, look.began);
    return false;
  }
  if (versions.size() >= kMostVersions) forget_oldest(versions, 1, forget);
  versions.push_back({look.ended, look.ended, what});
  return true;
}

}  // namespace agent

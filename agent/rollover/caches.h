#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "agent/history/history.h"

// PURE
// What the resolver caches of the world hold of one TLSA owner.
namespace agent {

// The caches are always warm (each asks again the moment an entry ends), their phases are evenly
// spread at the beginning and after every long calm, and each asks the answering servers evenly.
// Computed exactly, as flows between evenly filled batches: no sampling.
class Caches {
 public:
  // Starts at the moment of the first publication, as if it had been there for ever. `history`
  // outlives it.
  explicit Caches(const History& history);
  ~Caches();
  Caches(const Caches&) = delete;
  Caches& operator=(const Caches&) = delete;

  // Hears of every span in which the holdings change evenly. The shares are those of the caches
  // that hold the set, by index into History::sets, right after the beginning, in the middle and
  // right before the end of the span.
  using Shares = std::vector<double>;
  using Hear = std::function<void(config::Time from, config::Time until, const Shares& begin,
                                  const Shares& middle, const Shares& end)>;
  // Goes on to `until`, which is later than where it stands.
  void advance(config::Time until, const Hear& hear);

 private:
  class World;
  std::unique_ptr<World> world_;
};

}  // namespace agent

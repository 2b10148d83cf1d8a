#pragma once

#include <optional>

#include "agent/self/self_check.h"
#include "probes/service.h"

// PURE
namespace agent {

// How we see, as far as following what was seen depends on it.
struct Seeing {
  std::optional<SelfCheck> blocked;  // no session gets out of here
  bool is_blind = false;             // nothing can be said about anybody
  bool is_time_doubtful = false;     // nobody knows yet whether the clock is right

  // What is blocked is the port of mail servers: services have their own.
  [[nodiscard]] bool hides(const probes::dns::Name& target) const {
    return blocked && !probes::is_service(target);
  }
};

}  // namespace agent

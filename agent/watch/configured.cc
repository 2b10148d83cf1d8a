#include "agent/watch/configured.h"

namespace agent {

Domains configured(const Snapshot& snapshot) {
  return [&domains = snapshot.domains](const std::string& name) -> const config::Domain* {
    const auto place = domains.place_of(name);
    return place ? &*domains[*place].configured : nullptr;
  };
}

}  // namespace agent

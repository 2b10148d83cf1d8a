#pragma once

#include <string>

#include "config/time.h"
#include "probes/dns/message.h"

namespace agent {

// What an alert rests on: an observation that led to it, whole.
struct Evidence {
  std::string alert_id;
  config::Time at;          // of the look
  probes::dns::Bytes body;  // as probes::encode() made it
};

// A look that found trouble waits for others to confirm it; so many are kept of each target.
inline constexpr std::size_t kLooksKept = 3;

}  // namespace agent

#pragma once

#include <memory>

#include "agent/alerts/ports.h"

namespace support {

// All parts of it, one after the other.
inline config::Result<void, agent::RecordFault> finish(const std::unique_ptr<agent::Chore>& chore) {
  while (chore) {
    auto more = chore->go_on();
    if (!more) return config::Failure<agent::RecordFault>(more.error());
    if (!*more) break;
  }
  return {};
}

}  // namespace support

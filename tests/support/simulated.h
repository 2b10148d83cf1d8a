#pragma once

#include <cstdlib>

// How much the tests simulate that play random histories. A few by default, since they are run with
// sanitizers; script/test plays many where there are none. DANELAW_SIMULATED_HISTORIES and
// DANELAW_SIMULATED_FROM (the first one's number) say otherwise.
namespace support {

inline long number_of(const char* variable, long otherwise) {
  const auto* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtol(text, nullptr, 10);
}
inline long simulated_histories() {
  return number_of("DANELAW_SIMULATED_HISTORIES", 30);
}
inline long simulated_from() {
  return number_of("DANELAW_SIMULATED_FROM", 0);
}

}  // namespace support

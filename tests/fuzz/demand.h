#pragma once

#include <cstdio>
#include <cstdlib>

namespace fuzz {

// A claim about the code under test. The fuzzer keeps the input for which it does not hold.
inline void demand(bool holds, const char* claim) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", claim);
  std::abort();
}

}  // namespace fuzz

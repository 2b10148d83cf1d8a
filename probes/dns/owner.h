#pragma once

#include "probes/dns/name.h"

// PURE
namespace probes::dns {

// Whose name it is, roughly: its last two labels. Names that share them have something to do with
// each other, so that what happens to both is one witness, not two.
[[nodiscard]] inline Name owner_of(const Name& name) {
  return name.suffix(2);
}

}  // namespace probes::dns

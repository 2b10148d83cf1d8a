#include <cstdint>
#include <cstdlib>

#include "probes/codec/recorded.h"

// Recorded observations come from other agents and from files: whatever they hold is refused with
// words or read, and what was read is written and read again as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = probes::decode({data, size});
  if (!read) return read.error().empty() ? std::abort(), 0 : 0;
  const auto again = probes::decode(probes::encode(*read));
  if (!again || !probes::is_same(*read, *again)) std::abort();
  return 0;
}

#pragma once

#include <cstdint>

namespace web {

// What Linux says of this process (/proc/self); zeros where it does not.
struct Process {
  double cpu_seconds = 0;
  double start_time_seconds = 0;  // Unix time
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
};
[[nodiscard]] Process this_process();

}  // namespace web

#pragma once

#include <cstddef>
#include <new>
#include <system_error>
#include <vector>

// Threads where memory or their number may be limited (RLIMIT_AS, RLIMIT_NPROC, a cgroup).
namespace agent {

// Octets of address space that are to be left to work with. Those who come first leave more.
inline constexpr std::size_t kRoomToWork = std::size_t{64} << 20U;

// Whether there is so much left.
[[nodiscard]] bool has_room(std::size_t octets);

// Starts `wanted` threads of `work` behind those in `into`, or as many as the system gives; beyond
// the first only while there is `room`. Returns how many. `Thread` is std::thread or std::jthread.
template <class Thread, class Work>
[[nodiscard]] std::size_t start_threads(std::vector<Thread>& into, std::size_t wanted,
                                        const Work& work, std::size_t room = kRoomToWork) {
  std::size_t count = 0;
  try {
    into.reserve(into.size() + wanted);
    for (; count < wanted && (count == 0 || has_room(room)); ++count) into.emplace_back(work);
  } catch (const std::system_error&) {
  } catch (const std::bad_alloc&) {
  }
  return count;
}

// Where the address space is limited, has threads reserve less of it: by default a stack takes 8
// MiB and a heap of its own 64. To be called before the first of them is started.
void be_frugal_where_limited();

}  // namespace agent

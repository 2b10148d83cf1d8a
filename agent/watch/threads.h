#pragma once

#include <chrono>
#include <cstddef>
#include <new>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

// Threads where memory or their number may be limited (RLIMIT_AS, RLIMIT_NPROC, a cgroup).
namespace agent {

// What is to be left to those who come later. Whoever needs few comes last.
struct Spare {
  std::size_t threads = 0;
  std::size_t room = std::size_t{64} << 20U;  // octets of address space, to work with
};

// Whether so much address space can be had, in one piece.
[[nodiscard]] bool has_room(std::size_t octets);

// How many threads of `wanted` may be started, now; one at least.
[[nodiscard]] std::size_t threads_to_start(std::size_t wanted, const Spare& spare);

// Starts `wanted` threads of `work` behind those in `into`, or as many as the system gives and
// `spare` leaves. Returns how many; 0 when there is none to be had. `Thread` is std::thread or
// std::jthread.
template <class Thread, class Work>
[[nodiscard]] std::size_t start_threads(std::vector<Thread>& into, std::size_t wanted,
                                        const Work& work, const Spare& spare = {}) {
  std::size_t count = 0;
  // A thread that has ended may be counted for a moment longer.
  constexpr int kPatience = 50;  // milliseconds
  int failures = 0;
  const auto most = threads_to_start(wanted, spare);
  while (count < most && failures < kPatience) {
    try {
      into.reserve(into.size() + most - count);
      into.emplace_back(work);
      ++count;
    } catch (const std::system_error&) {
      ++failures;
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    } catch (const std::bad_alloc&) {
      break;
    }
  }
  return count;
}

// What the thread that calls is called in ps and top -H; of more than 15 octets the first.
void name_thread(std::string_view name);

// Where the address space is limited, has threads reserve less of it: by default a stack takes 8
// MiB and a heap of its own 64. To be called before the first of them is started.
void be_frugal_where_limited();

// Has all threads allocate from two heaps: of many, none finds a use for what was freed in another,
// and a million domains would take a tenth more. To be called before the first of them is started.
void share_heaps();

// Gives the system back what was freed. For after work that takes much for a moment.
void give_memory_back();

}  // namespace agent

#include "agent/watch/threads.h"

#include <algorithm>
#include <latch>
#include <string>

#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

namespace agent {

bool has_room(std::size_t octets) {
  void* const room =
      mmap(nullptr, octets, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return false;
  munmap(room, octets);
  return true;
}

// There are several limits on threads (of the user, the control group, memory, the system), and
// what is used of them is not to be known: it is tried.
std::size_t threads_to_start(std::size_t wanted, const Spare& spare) {
  if (wanted <= 1) return wanted;
  std::latch end(1);
  std::vector<std::jthread> tried;
  try {
    tried.reserve(wanted + spare.threads);
    while (tried.size() < wanted + spare.threads && has_room(spare.room))
      tried.emplace_back([&end] { end.wait(); });
  } catch (const std::system_error&) {
  } catch (const std::bad_alloc&) {
  }
  end.count_down();
  const auto had = tried.size();
  return std::min(wanted, had > spare.threads ? had - spare.threads : 1);
}

void name_thread(std::string_view name) {
  constexpr std::size_t kMost = 15;
  pthread_setname_np(pthread_self(), std::string(name.substr(0, kMost)).c_str());
}

void share_heaps() {
  mallopt(M_ARENA_MAX, 2);
}

void give_memory_back() {
  malloc_trim(0);
}

void be_frugal_where_limited() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  // All threads share the first heap: to place another one, malloc takes 128 MiB for a moment, and
  // who starts threads meanwhile finds no room for them.
  mallopt(M_ARENA_MAX, 1);
  constexpr std::size_t kStack = std::size_t{1} << 20U;
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return;
  std::size_t size = 0;
  if (pthread_attr_getstacksize(&attributes, &size) == 0 && size > kStack &&
      pthread_attr_setstacksize(&attributes, kStack) == 0)
    pthread_setattr_default_np(&attributes);
  pthread_attr_destroy(&attributes);
}

}  // namespace agent

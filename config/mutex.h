#pragma once

#include <mutex>

// A mutex whose rules the compiler checks: clang refuses what touches a field without the mutex
// that guards it (-Wthread-safety; Clang's "Thread Safety Analysis"). GCC reads past the
// annotations.
#if defined(__clang__)
#define DANELAW_THREAD(annotation) __attribute__((annotation))
#else
#define DANELAW_THREAD(annotation)
#endif

// Of a field: only whoever holds the mutex reads or writes it.
#define GUARDED_BY(mutex) DANELAW_THREAD(guarded_by(mutex))
// Of a function: its caller holds these.
#define REQUIRES(...) DANELAW_THREAD(requires_capability(__VA_ARGS__))
// Of a function that takes them itself: its caller does not hold these.
#define EXCLUDES(...) DANELAW_THREAD(locks_excluded(__VA_ARGS__))
// Of a mutex: where both are held, that one was taken before.
#define ACQUIRED_AFTER(...) DANELAW_THREAD(acquired_after(__VA_ARGS__))

namespace config {

class DANELAW_THREAD(capability("mutex")) Mutex {
 public:
  void lock() DANELAW_THREAD(acquire_capability()) { mutex_.lock(); }
  void unlock() DANELAW_THREAD(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

// Holds it to the end of the block, unless it is let go of before. A std::condition_variable_any
// may wait with it.
class DANELAW_THREAD(scoped_lockable) Lock {
 public:
  explicit Lock(Mutex& mutex) DANELAW_THREAD(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~Lock() DANELAW_THREAD(release_capability()) {
    if (is_held_) mutex_.unlock();
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  void lock() DANELAW_THREAD(acquire_capability()) {
    mutex_.lock();
    is_held_ = true;
  }
  void unlock() DANELAW_THREAD(release_capability()) {
    is_held_ = false;
    mutex_.unlock();
  }

 private:
  Mutex& mutex_;
  bool is_held_ = true;
};

}  // namespace config

#pragma once

#include <atomic>
#include <cstdint>

#include "config/counted.h"
#include "probes/observation.h"

// PURE
namespace probes {

// What was seen of a domain, for as long as it is remembered: packed it takes a fifth of the
// memory, and a few microseconds to be opened. Copies share it.
class KeptDomain {
 public:
  KeptDomain() = default;
  KeptDomain(DomainSeen seen);

  // Null when there is nothing. Bind no reference into what it points to: it may live no longer
  // than the pointer.
  [[nodiscard]] DomainSeen open() const;
  explicit operator bool() const { return static_cast<bool>(kept_); }

  // Replies are let go of. What has a certificate stays as it is.
  void pack();

 private:
  struct Kept {
    std::atomic<std::uint32_t> holders;
    bool is_packed;
    static void free(Kept* kept);
  };
  struct Whole;
  struct Packed;
  config::Counted<Kept> kept_;
};

}  // namespace probes

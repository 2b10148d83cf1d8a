#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <variant>

#include "probes/observation.h"

// PURE
namespace probes {

// What was seen of a domain, for as long as it is remembered: packed it takes a fifth of the
// memory, and a few microseconds to be opened. Copies share it.
class KeptDomain {
 public:
  KeptDomain() = default;
  KeptDomain(DomainSeen seen) : kept_(std::move(seen)) {}

  // Null when there is nothing. Bind no reference into what it points to: it may live no longer
  // than the pointer.
  [[nodiscard]] DomainSeen open() const;
  explicit operator bool() const;

  // Replies are let go of. What has a certificate stays as it is.
  void pack();

 private:
  using Octets = std::shared_ptr<const std::uint8_t[]>;  // of codec::Packer
  std::variant<DomainSeen, Octets> kept_;
};

}  // namespace probes

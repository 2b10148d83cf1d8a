#pragma once

#include <map>
#include <set>
#include <string>

#include "probes/observation.h"

// PURE
namespace probes {

// What an address showed in all sessions of a look, as far as places are held against each other.
struct Shown {
  bool is_known = false;  // it said what it offers
  bool offers_starttls = false;
  std::set<std::string> keys;  // SHA2-256 of the leaves' SubjectPublicKeyInfo, hexadecimal
  bool operator==(const Shown&) const = default;
};
[[nodiscard]] std::map<std::string, Shown> shown(const HostObservation& seen);

}  // namespace probes

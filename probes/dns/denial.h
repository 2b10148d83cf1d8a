#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "probes/dns/message.h"
#include "probes/dns/name.h"

// PURE
namespace probes::dns {

// What the proof that a name has no data of one type says of its other types. Resolvers with
// aggressive use (RFC 8198) answer questions for those out of it.
struct Denial {
  Name owner;  // whose types it lists: the name asked about, or the wildcard that stands for it
  std::vector<std::uint16_t> types;  // that exist there, in rising order
  bool operator==(const Denial&) const = default;
};

// Read out of a negative part of a reply. Nothing when no record in it lists the types: what does
// not exist at all, or is not signed. Believed no further than the part was proven.
[[nodiscard]] std::optional<Denial> read_denial(const Message& part);

// Where the RRset of a part really stands: at its owner, or at the wildcard that it was made from,
// by the labels of its signatures.
[[nodiscard]] Name source_of(const Message& part);

}  // namespace probes::dns

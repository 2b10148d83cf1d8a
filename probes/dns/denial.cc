#include "probes/dns/denial.h"

#include <algorithm>
#include <span>

#include "probes/dns/answer.h"
#include "probes/dns/nsec3.h"

namespace probes::dns {
namespace {

// The types of an NSEC record: behind the next name, which is never compressed (RFC 4034 §4.1.1).
std::vector<std::uint16_t> nsec_types(const Record& record) {
  std::span<const std::uint8_t> rest{record.data};
  while (!rest.empty()) {
    const std::size_t label = rest[0];
    if (label > 63 || rest.size() < label + 1) return {};
    rest = rest.subspan(label + 1);
    if (label == 0) return types_in_bitmap(rest);
  }
  return {};
}

std::optional<Denial> denial_at(const Name& owner, const Message& part) {
  for (const auto& record : part.authority) {
    if (record.type == type::nsec && record.owner == owner)
      return Denial{.owner = owner, .types = nsec_types(record)};
    const auto span = read_nsec3(record);
    if (span && span->iterations <= kMostNsec3Iterations && owner.is_within(span->zone) &&
        hash_of(owner, *span) == span->from)
      return Denial{.owner = owner, .types = span->types};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Denial> read_denial(const Message& part) {
  if (!part.answer.empty() || part.rcode == rcode::nxdomain) return std::nullopt;
  if (auto own = denial_at(part.question, part)) return own;
  for (auto above = part.question; !above.is_root();) {
    above = above.parent();
    const auto wildcard = above.child("*");
    if (!wildcard) continue;
    if (auto denial = denial_at(*wildcard, part)) return denial;
  }
  return std::nullopt;
}

Name source_of(const Message& part) {
  if (part.answer.empty() || !needs_denial(part)) return part.question;
  for (const auto& record : part.answer) {
    const auto sig = read_rrsig(record);
    if (!sig) continue;
    if (const auto wildcard = part.question.suffix(sig->labels).child("*")) return *wildcard;
  }
  return part.question;
}

}  // namespace probes::dns

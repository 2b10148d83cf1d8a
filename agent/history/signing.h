#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/history/version.h"
#include "probes/dns/answer.h"
#include "probes/findings.h"
#include "probes/observation.h"

// PURE
// How an RRset is signed, look after look, and whether that goes on as it used to.
namespace agent {

struct Signature {
  std::optional<config::Time> inception;  // none: recorded by a danelaw that did not keep it
  config::Time expiration;
  // Some servers sign every answer anew. Then both times move along with the clock, and are those
  // of a look at this moment.
  std::optional<config::Time> slides_from;
  bool operator==(const Signature&) const = default;
};
using Signatures = std::vector<Version<Signature>>;

// When it ended, or will, as a look at `at` sees it.
[[nodiscard]] config::Time ends_at(const Signature& signature, config::Time at);

// What a look at `at` saw, told as the same as `before` when it is that or has moved on with the
// clock; else as a new one.
[[nodiscard]] Signature recognised(const std::optional<Version<Signature>>& before,
                                   const probes::dns::SignatureWindow& seen, config::Time at);
// Whether one set of keys made both, as far as times can tell: servers that sign by themselves are
// seconds apart.
[[nodiscard]] bool is_same_signing(const probes::dns::SignatureWindow& a,
                                   const probes::dns::SignatureWindow& b);

// The newest signature over a domain's MX RRset that the look saw, wherever; none unless secure.
[[nodiscard]] std::optional<probes::dns::SignatureWindow> mx_window(
    const probes::DomainObservation& seen);

// The least life a signature had left when a newer one took its place, of the last twelve. Nothing
// before that was seen twice, nor while the present signature had hardly as much when it was new:
// then the zone has taken up another habit. Of signatures made for every answer: what each has.
[[nodiscard]] std::optional<config::Seconds> signature_left(const Signatures& seen);

// Whether the zone is signed anew as it used to be. Where its habit is known it overrules what one
// look makes of a signature's age, both ways. `lookup`: "TLSA" or "MX", of that TTL.
[[nodiscard]] probes::HistoryFindings predict_end(const Signatures& seen, const std::string& lookup,
                                                  config::Seconds ttl,
                                                  const probes::Subject& subject, config::Time at);

// "36 hours", "14 days".
[[nodiscard]] std::string in_words(config::Seconds time);

}  // namespace agent

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/alerts/round.h"

// PURE
// What of a round is history: facts as text, the same text for the same fact.
namespace storage {

// Whom breaks in the history itself are about; no domain is called so.
inline constexpr const char* kOurselves = "this monitor";

struct Fact {
  // mx, mx-signature, addresses, tlsa, published, signature, chain, session, verdict, host-verdict,
  // findings, failure, ds, dnskey; of ourselves: gap (nothing was recorded), clock (it was set)
  std::string kind;
  // A name; of a session "host|address|port|key type", of what a server published or an endpoint
  // presented "host|" and its name in the host history.
  std::string subject;
  std::string content;                   // JSON
  std::optional<config::Time> given_at;  // when it was so, if that is known better than by the look
};

// A lookup that failed or a session that showed no certificate is no fact about the records or the
// chain: it is a `failure`, and leaves the version before it open.
// A signature comes after the records it vouches for.
[[nodiscard]] std::vector<Fact> facts_of(const agent::Round& round);
// The subjects ("kind subject") of failures that this round has shown to be over.
[[nodiscard]] std::vector<Fact> recoveries_of(const agent::Round& round);

}  // namespace storage

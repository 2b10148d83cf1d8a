#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/result.h"
#include "probes/observation.h"

// PURE
// An observation that travels: kept as evidence, sent from one agent to another, judged again years
// later. docs/observation.md has the form for readers of other software.
namespace probes {

// What was seen of one target, the replies that prove it, and who looked.
struct Recorded {
  DomainSeen domain;  // one of the two is set
  HostSeen host;
  dns::Replies replies;     // without glue; in the order they were read
  std::uint16_t port = 25;  // of SMTP, by which TLSA records are named
  std::string agent;        // who looked
  std::string vantage;      // from where
  std::string version;      // of danelaw

  [[nodiscard]] config::Time observed_at() const {
    return host ? host->observed_at : domain->observed_at;
  }
};

inline constexpr std::string_view kObservationSchema = "danelaw.observation/1";
inline constexpr std::size_t kMaxRecorded = std::size_t{4} << 20U;  // octets, in either form

// CBOR (RFC 8949): maps with text keys, definite lengths, no tags, no floats; every certificate
// once.
[[nodiscard]] dns::Bytes encode(const Recorded& recorded);
// The same shape as JSON; octets are {"hex":"…"}.
[[nodiscard]] std::string encode_json(const Recorded& recorded);

// Reads either form. The input is hostile: bounded in size, depth and counts. What is missing has
// its default, what is unknown is passed over, another schema is refused. The error says what is
// wrong and where ("host.sessions[0].stage: …").
[[nodiscard]] config::Result<Recorded, std::string> decode(std::span<const std::uint8_t> octets);

// Whether both say the same, in everything that is encoded.
[[nodiscard]] bool is_same(const Recorded& a, const Recorded& b);

// Takes the replies that were read for the observation out of it, each once.
[[nodiscard]] dns::Replies take_replies(DomainObservation& seen);
[[nodiscard]] dns::Replies take_replies(HostObservation& seen);

}  // namespace probes

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "agent/rollover/durations.h"
#include "probes/observation.h"

// PURE
namespace agent {

// The steps of looks at domains and hosts, as metrics name them.
enum class ProbeStep { mx, address, tlsa, connect, banner, ehlo, starttls, tls, ehlo_tls };
inline constexpr std::size_t kProbeSteps = 9;
[[nodiscard]] std::string_view wire_name(ProbeStep step);

// Why a step failed, in so few words that each can be a series.
enum class Miss {
  timeout,
  refused,  // the connection, or the question
  unreachable,
  no_route,
  local_fault,
  closed,
  malformed,
  too_long,
  negative_reply,
  not_offered,
  tls_failed,
  servfail,
  bogus,
  other,
};
inline constexpr std::size_t kMisses = 14;
[[nodiscard]] std::string_view wire_name(Miss miss);

// What looks came to, step by step, for the metrics. An address that we may not contact is no try;
// a session that showed what another one to the address had shown is not kept, and not counted.
struct ProbeCounts {
  struct Tries {
    std::uint64_t made = 0;
    std::array<std::uint64_t, kMisses> missed{};
    Durations took;
  };
  std::array<Tries, kProbeSteps> steps;
  Durations sessions;  // SMTP sessions as a whole

  void count(const probes::DomainObservation& seen);
  void count(const probes::HostObservation& seen);
};

}  // namespace agent

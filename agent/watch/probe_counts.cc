#include "agent/watch/probe_counts.h"

#include <algorithm>
#include <optional>

namespace agent {
namespace {

using probes::dns::Answer;
using probes::dns::Cause;
using probes::dns::Outcome;
using probes::smtp::SessionStop;
using probes::smtp::Stage;

Miss miss_of(Cause cause) {
  switch (cause) {
    case Cause::timeout:
      return Miss::timeout;
    case Cause::network:
      return Miss::unreachable;
    case Cause::malformed:
      return Miss::malformed;
    case Cause::servfail:
      return Miss::servfail;
    case Cause::refused:
      return Miss::refused;
    case Cause::bogus:
    case Cause::signature_expired:
    case Cause::signature_not_yet_valid:
    case Cause::ds_mismatch:
    case Cause::ds_signature:
      return Miss::bogus;
    case Cause::too_large:
      return Miss::too_long;
    case Cause::none:
    case Cause::other_rcode:
    case Cause::chain_unreachable:
    case Cause::alias_loop:
      return Miss::other;
  }
  return Miss::other;
}

Miss miss_of(SessionStop stop) {
  switch (stop) {
    case SessionStop::connect_refused:
      return Miss::refused;
    case SessionStop::connect_unreachable:
      return Miss::unreachable;
    case SessionStop::connect_timeout:
    case SessionStop::timeout:
      return Miss::timeout;
    case SessionStop::no_route:
      return Miss::no_route;
    case SessionStop::local_fault:
      return Miss::local_fault;
    case SessionStop::closed:
      return Miss::closed;
    case SessionStop::malformed_reply:
      return Miss::malformed;
    case SessionStop::reply_too_long:
      return Miss::too_long;
    case SessionStop::negative_reply:
      return Miss::negative_reply;
    case SessionStop::not_offered:
      return Miss::not_offered;
    case SessionStop::tls:
      return Miss::tls_failed;
    case SessionStop::none:
    case SessionStop::special_address:
      return Miss::other;
  }
  return Miss::other;
}

// The step that a stage of a session is; nothing when all is done.
std::optional<ProbeStep> step_of(Stage stage) {
  switch (stage) {
    case Stage::connect:
      return ProbeStep::connect;
    case Stage::banner:
      return ProbeStep::banner;
    case Stage::ehlo:
      return ProbeStep::ehlo;
    case Stage::starttls:
      return ProbeStep::starttls;
    case Stage::handshake:
      return ProbeStep::tls;
    case Stage::ehlo_tls:
      return ProbeStep::ehlo_tls;
    case Stage::done:
      return std::nullopt;
  }
  return std::nullopt;
}

class Notes {
 public:
  explicit Notes(ProbeCounts& counts) : counts_(counts) {}

  void add(ProbeStep step, std::chrono::microseconds took, std::optional<Miss> miss) {
    auto& tries = counts_.steps.at(static_cast<std::size_t>(step));
    ++tries.made;
    tries.took.add(took);
    if (miss) ++tries.missed.at(static_cast<std::size_t>(*miss));
  }

  void add(const probes::smtp::SessionRecord& session) {
    if (session.stop == SessionStop::special_address) return;
    counts_.sessions.add(session.duration);
    for (std::size_t i = 0; i <= static_cast<std::size_t>(session.stage); ++i) {
      const auto stage = static_cast<Stage>(i);
      const auto step = step_of(stage);
      if (!step) continue;
      add(*step, session.took.at(i),
          stage == session.stage ? std::optional{miss_of(session.stop)} : std::nullopt);
    }
  }

 private:
  ProbeCounts& counts_;
};

std::optional<Miss> miss_of(const Answer& answer) {
  return answer.outcome == Outcome::failed ? std::optional{miss_of(answer.cause)} : std::nullopt;
}

}  // namespace

std::string_view wire_name(ProbeStep step) {
  constexpr std::array<std::string_view, kProbeSteps> kNames{
      "mx", "address", "tlsa", "connect", "banner", "ehlo", "starttls", "tls", "ehlo-tls"};
  return kNames.at(static_cast<std::size_t>(step));
}

std::string_view wire_name(Miss miss) {
  constexpr std::array<std::string_view, kMisses> kNames{
      "timeout",    "refused",   "unreachable", "no-route",       "local-fault",
      "closed",     "malformed", "too-long",    "negative-reply", "not-offered",
      "tls-failed", "servfail",  "bogus",       "other"};
  return kNames.at(static_cast<std::size_t>(miss));
}

void ProbeCounts::count(const probes::DomainObservation& seen) {
  Notes(*this).add(ProbeStep::mx, seen.mx_took, miss_of(seen.mx));
}

// Of the addresses one family is enough.
void ProbeCounts::count(const probes::HostObservation& seen) {
  Notes notes(*this);
  const auto& failed = seen.a.outcome == Outcome::failed ? seen.a : seen.aaaa;
  notes.add(ProbeStep::address, seen.addresses_took,
            seen.addresses.empty() ? miss_of(failed) : std::nullopt);
  if (seen.tlsa.outcome != Outcome::not_queried)
    notes.add(ProbeStep::tlsa, seen.tlsa_took, miss_of(seen.tlsa));
  for (const auto& session : seen.sessions) notes.add(session);
}

}  // namespace agent

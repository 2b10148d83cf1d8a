#include "agent/self/self_check.h"

#include <algorithm>

#include <fmt/format.h>

namespace agent {

using probes::dns::Cause;
using probes::dns::DnssecStatus;
using probes::dns::Outcome;

namespace {

bool is_vital(const SelfCheck& one) {
  return one.check == "dns" || one.check == "clock";
}

}  // namespace

std::vector<SelfCheck> check_ourselves(probes::dns::Lookup& lookup, const probes::dns::Name& anchor,
                                       config::Time at, config::Deadline deadline) {
  SelfCheck dns{.check = "dns", .checked_at = at};
  SelfCheck clock{.check = "clock", .checked_at = at};
  const auto answer = lookup.ask(anchor, probes::dns::type::soa, at, deadline);
  switch (answer.cause) {
    case Cause::none:
      // With a clock that is right the trust anchor's zone needs no grace.
      if (answer.signing.needs_grace) {
        clock.is_up = false;
        clock.detail =
            "signatures at the trust anchor are outside their time: this machine's clock "
            "is wrong, or somebody replays old data";
      }
      if (answer.outcome == Outcome::answer && answer.status == DnssecStatus::secure) break;
      dns.is_up = false;
      dns.detail =
          "the resolver hands out the trust anchor's zone without signatures that validate";
      break;
    case Cause::bogus:
      dns.is_up = false;
      dns.detail = answer.signatures
                       ? "what the resolver hands out does not validate from the trust anchor: it "
                         "is the wrong anchor, or the resolver changes answers"
                       : "the resolver strips DNSSEC signatures, or does not know them: use one "
                         "that passes DNSSEC records";
      break;
    case Cause::signature_expired:
    case Cause::signature_not_yet_valid:
      clock.is_up = false;
      clock.detail = fmt::format(
          "signatures at the trust anchor are {}: this machine's clock is wrong, or somebody "
          "replays old data",
          answer.cause == Cause::signature_expired ? "expired" : "not valid yet");
      break;
    default:
      dns.is_up = false;
      dns.detail = fmt::format("no usable answer from the resolver: {}", answer.detail);
  }
  return {dns, clock};
}

const SelfCheck* cut_off(const std::vector<SelfCheck>& way_out) {
  const SelfCheck* blocked = nullptr;
  for (const auto& one : way_out) {
    if (!one.check.starts_with("smtp_")) continue;
    if (one.is_up) return nullptr;
    if (blocked == nullptr && !one.is_limit) blocked = &one;
  }
  return blocked;
}

std::vector<const SelfCheck*> blinding(const std::vector<SelfCheck>& checks) {
  std::vector<const SelfCheck*> out;
  for (const auto& one : checks) {
    if (is_vital(one) && !one.is_up) out.push_back(&one);
  }
  if (const auto* blocked = cut_off(checks)) out.push_back(blocked);
  return out;
}

bool is_sight_known(const std::vector<SelfCheck>& checks) {
  return std::ranges::any_of(checks, is_vital);
}

bool can_see(const std::vector<SelfCheck>& checks) {
  return is_sight_known(checks) && blinding(checks).empty();
}

}  // namespace agent

#include "agent/self/resolver_watch.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/resolver_faults.h"

namespace agent {

using probes::dns::Answer;
using probes::dns::Cause;
using probes::dns::DnssecStatus;
using probes::dns::Outcome;
using probes::dns::Question;

void Controls::note(const probes::DomainObservation& seen) {
  for (const auto* answer : probes::answers_of(seen)) note(*answer);
}

void Controls::note(const probes::HostObservation& seen) {
  for (const auto* answer : probes::answers_of(seen)) note(*answer);
}

void Controls::note(const Answer& answer) {
  const Question question{answer.name, answer.type};
  const bool is_bogus = answer.cause == Cause::bogus || answer.cause == Cause::signature_expired;
  if (answer.outcome == Outcome::failed && is_bogus && !answer.is_unconfirmed) {
    latest_[Kind::bogus] = question;
    return;
  }
  // What is no longer so is no control.
  std::erase_if(latest_, [&](const auto& one) { return one.second == question; });
  std::erase_if(witnesses_, [&](const Witness& one) { return one.question == question; });
  if (!is_learned(answer.outcome) || answer.status != DnssecStatus::secure || !answer.signer)
    return;
  const bool is_tlsa = answer.type == probes::dns::type::tlsa;
  if (!answer.aliases.empty()) latest_[Kind::alias] = question;
  if (answer.is_from_wildcard) latest_[Kind::wildcard] = question;
  if (is_tlsa)
    latest_[answer.outcome == Outcome::answer ? Kind::tlsa : Kind::denied_tlsa] = question;
  constexpr std::size_t kKept = 64;
  witnesses_.push_front({question, *answer.signer});
  if (witnesses_.size() > kKept) witnesses_.pop_back();
}

std::vector<Question> Controls::unrelated(std::uint16_t type,
                                          const std::set<probes::dns::Name>& zones) const {
  std::vector<Question> out;
  std::set<probes::dns::Name> taken = zones;
  for (const bool any_type : {false, true}) {
    for (const auto& witness : witnesses_) {
      if (out.size() >= kWitnesses) return out;
      if (!any_type && witness.question.type != type) continue;
      if (taken.insert(witness.zone).second) out.push_back(witness.question);
    }
  }
  return out;
}

void ResolverWatch::note(const std::vector<probes::dns::ResolverFault>& faults, config::Time at) {
  for (const auto& fault : faults) {
    if (!slips_.contains(fault.resolver) && slips_.size() >= kMostResolvers) continue;
    auto& slips = slips_[fault.resolver];
    slips.push_front({fault.what, at});
    if (slips.size() > kMostSlips) slips.pop_back();
  }
}

VantageCheck ResolverWatch::check(config::Time at) const {
  constexpr std::size_t kTold = 3;
  VantageCheck out{.check = "resolver", .checked_at = at, .blinds = false};
  std::vector<std::string> told;
  for (const auto& [resolver, slips] : slips_) {
    std::vector<std::string> whats;
    std::size_t count = 0;
    for (const auto& slip : slips) {
      if (at - slip.at > kHeld) break;
      ++count;
      if (whats.size() < kTold && std::ranges::find(whats, slip.what) == whats.end())
        whats.push_back(slip.what);
    }
    if (count < 2) continue;
    told.push_back(fmt::format("the resolver {} {}", resolver, fmt::join(whats, "; ")));
  }
  if (told.empty()) return out;
  out.is_up = false;
  out.detail = fmt::format("{}", fmt::join(told, "; "));
  return out;
}

}  // namespace agent

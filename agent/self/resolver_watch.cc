#include "agent/self/resolver_watch.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probes/dns/owner.h"
#include "probes/resolver_faults.h"

namespace agent {

using probes::dns::Answer;
using probes::dns::Cause;
using probes::dns::DnssecStatus;
using probes::dns::Outcome;
using probes::dns::Question;

void Controls::learn(const probes::DomainObservation& seen) {
  for (const auto* answer : probes::answers_of(seen)) learn(*answer);
}

void Controls::learn(const probes::HostObservation& seen) {
  for (const auto* answer : probes::answers_of(seen)) learn(*answer);
}

void Controls::learn(const Answer& answer) {
  const Question question{answer.name, answer.type};
  const bool is_bogus = answer.cause == Cause::bogus || answer.cause == Cause::signature_expired;
  if (answer.outcome == Outcome::failed && is_bogus && !answer.is_unconfirmed) {
    latest_[Kind::bogus] = question;
    return;
  }
  // What is no longer so is no control.
  std::erase_if(latest_, [&](const auto& one) { return one.second == question; });
  std::erase_if(witnesses_, [&](const ControlQuestion& one) { return one.question == question; });
  if (!is_learned(answer.outcome) || answer.status != DnssecStatus::secure || !answer.signer)
    return;
  const bool is_tlsa = answer.type == probes::dns::type::tlsa;
  if (!answer.aliases.empty()) latest_[Kind::alias] = question;
  if (answer.is_from_wildcard) latest_[Kind::wildcard] = question;
  if (is_tlsa)
    latest_[answer.outcome == Outcome::answer ? Kind::tlsa : Kind::denied_tlsa] = question;
  if (answer.outcome != Outcome::answer) return;
  constexpr std::size_t kKept = 64;
  witnesses_.push_front({question, *answer.signer});
  if (witnesses_.size() > kKept) witnesses_.pop_back();
}

std::vector<Question> Controls::unrelated(std::uint16_t type,
                                          const std::set<probes::dns::Name>& zones) const {
  std::vector<Question> out;
  std::set<probes::dns::Name> taken = zones;
  for (const auto& witness : witnesses_) {
    if (out.size() >= kWitnesses) break;
    if (witness.question.type == type && taken.insert(witness.zone).second)
      out.push_back(witness.question);
  }
  return out;
}

void Unconfirmed::end_failure(const probes::dns::Name& target) {
  const auto failure = failing_.extract(target);
  if (!failure) return;
  const auto take_from = [owner = owner_of(target)](Owners& owners) {
    const auto one = owners.find(owner);
    if (--one->second == 0) owners.erase(one);
  };
  take_from(owners_);
  take_from(owners_of_type_[failure.mapped()]);
}

void Unconfirmed::record(const probes::dns::Name& target,
                         const std::vector<const Answer*>& answers) {
  if (looked_at_.size() < kMostTargets) looked_at_.insert(target);
  const auto suspect = suspect_of(answers);
  end_failure(target);
  if (!suspect || failing_.size() >= kMostTargets) return;
  failing_[target] = suspect->type;
  ++owners_[owner_of(target)];
  ++owners_of_type_[suspect->type][owner_of(target)];
}

void Unconfirmed::forget(const probes::dns::Name& target) {
  looked_at_.erase(target);
  end_failure(target);
}

bool Unconfirmed::is_shared(const probes::dns::Name& target, std::uint16_t type,
                            bool has_witnesses) const {
  constexpr std::size_t kMany = 3;
  constexpr std::size_t kShare = 10;
  const auto others = [owner = owner_of(target)](const Owners& owners) {
    return owners.size() - owners.count(owner);
  };
  const auto alike = owners_of_type_.find(type);
  if (!has_witnesses && alike != owners_of_type_.end() && others(alike->second) > 0) return true;
  const auto all = others(owners_) + 1;
  return all >= kMany && all * kShare >= looked_at_.size();
}

std::optional<Suspect> suspect_of(const std::vector<const Answer*>& answers) {
  Suspect out;
  for (const auto* answer : answers) {
    if (answer->signer) out.zones.insert(*answer->signer);
    const bool is_unconfirmed = answer->is_unconfirmed && answer->outcome == Outcome::failed;
    if (is_unconfirmed && out.type == 0) out.type = answer->type;
  }
  return out.type == 0 ? std::nullopt : std::optional{std::move(out)};
}

bool is_too_many(std::size_t failing, std::size_t controls) {
  constexpr std::size_t kTooMany = 2;
  return failing > 0 && failing >= std::min(kTooMany, controls);
}

void ResolverWatch::record_faults(const std::vector<probes::dns::ResolverFault>& faults,
                                  const std::optional<probes::dns::Name>& about, config::Time at) {
  for (const auto& fault : faults) {
    if (!slips_.contains(fault.resolver) && slips_.size() >= kMostResolvers) continue;
    auto& slips = slips_[fault.resolver];
    slips.push_front({fault.what, about ? std::optional{owner_of(*about)} : std::nullopt, at});
    if (slips.size() > kMostSlips) slips.pop_back();
  }
}

SelfCheck ResolverWatch::check(config::Time at) const {
  constexpr std::size_t kTold = 3;
  SelfCheck out{.check = "resolver", .checked_at = at};
  std::vector<std::string> told;
  for (const auto& [resolver, slips] : slips_) {
    std::vector<std::string> whats;
    std::set<probes::dns::Name> owners;
    std::size_t own = 0;
    bool persists = false;
    for (const auto& slip : slips) {
      if (at - slip.at > kHeld) break;
      if (slip.owner) owners.insert(*slip.owner);
      if (!slip.owner) ++own;
      persists = persists || slips.front().at - slip.at >= kPersistent;
      if (whats.size() < kTold && std::ranges::find(whats, slip.what) == whats.end())
        whats.push_back(slip.what);
    }
    if (owners.size() < 2 && own < 2 && !persists) continue;
    told.push_back(fmt::format("the resolver {} {}", resolver, fmt::join(whats, "; ")));
  }
  if (told.empty()) return out;
  out.is_up = false;
  out.detail = fmt::format("{}", fmt::join(told, "; "));
  return out;
}

}  // namespace agent

#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/self/self_check.h"
#include "config/time.h"
#include "probes/dns/survey.h"
#include "probes/observation.h"

// PURE
namespace agent {

// What our resolvers must be able to hand out for us to see: questions of names that we watch,
// whose answers are known to be right. Learned from looks.
class Controls {
 public:
  enum class Kind { alias, wildcard, tlsa, denied_tlsa, bogus };

  void note(const probes::DomainObservation& seen);
  void note(const probes::HostObservation& seen);

  // The latest of each kind that was seen.
  [[nodiscard]] std::map<Kind, probes::dns::Question> each() const { return latest_; }
  // Questions of that type whose answers validated lately, of other zones than these, each of
  // another zone; the latest first, kWitnesses at most. Of any type when there are none.
  [[nodiscard]] std::vector<probes::dns::Question> unrelated(
      std::uint16_t type, const std::set<probes::dns::Name>& zones) const;

  static constexpr std::size_t kWitnesses = 3;

 private:
  struct Witness {
    probes::dns::Question question;
    probes::dns::Name zone;
  };
  void note(const probes::dns::Answer& answer);

  std::map<Kind, probes::dns::Question> latest_;
  std::deque<Witness> witnesses_;  // the latest first
};

// Collects what each resolver of ours did wrong, as far as that is proven: the zones' own servers
// had what validates, or a question failed that any resolver can answer. One slip is no fault; two
// within kHeld are one, until none was seen for that long.
class ResolverWatch {
 public:
  void note(const std::vector<probes::dns::ResolverFault>& faults, config::Time at);
  // "resolver": whether one of them does something wrong, which, and what. It does not blind: what
  // the resolver cannot tell is asked elsewhere, or excused.
  [[nodiscard]] VantageCheck check(config::Time at) const;

  static constexpr config::Seconds kHeld{600};

 private:
  struct Slip {
    std::string what;
    config::Time at;
  };
  static constexpr std::size_t kMostSlips = 16;  // kept of each
  static constexpr std::size_t kMostResolvers = 32;
  std::map<std::string, std::deque<Slip>> slips_;  // by resolver, the latest first
};

}  // namespace agent

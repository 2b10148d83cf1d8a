#pragma once

#include <deque>
#include <map>
#include <optional>
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

  void learn(const probes::DomainObservation& seen);
  void learn(const probes::HostObservation& seen);

  // The latest of each kind that was seen.
  [[nodiscard]] std::map<Kind, probes::dns::Question> each() const { return latest_; }
  // Questions of that type whose answers were there and validated lately, of other zones than
  // these, each of another zone; the latest first, kWitnesses at most. A denial is no witness: who
  // spoils what is there may well hand out what is not.
  [[nodiscard]] std::vector<probes::dns::Question> unrelated(
      std::uint16_t type, const std::set<probes::dns::Name>& zones) const;

  static constexpr std::size_t kWitnesses = 3;

 private:
  struct ControlQuestion {
    probes::dns::Question question;
    probes::dns::Name zone;
  };
  void learn(const probes::dns::Answer& answer);

  std::map<Kind, probes::dns::Question> latest_;
  std::deque<ControlQuestion> witnesses_;  // the latest first
};

// Failures that only our resolver told of, where the name servers themselves cannot be asked: by
// target, as last looked at.
class Unconfirmed {
 public:
  void record(const probes::dns::Name& target,
              const std::vector<const probes::dns::Answer*>& answers);
  void forget(const probes::dns::Name& target);

  // Whether the failure of a lookup of that type at the target is likelier our resolver's, seen
  // beside the others': names of somebody else fail in the same type, and nobody is known who could
  // bear witness that it can tell this type at all; or a tenth of all fails, and no fewer than
  // three.
  [[nodiscard]] bool is_shared(const probes::dns::Name& target, std::uint16_t type,
                               bool has_witnesses) const;

 private:
  static constexpr std::size_t kMostTargets = 50'000;
  using Owners = std::map<probes::dns::Name, std::size_t>;  // with how many targets of each fail
  void end_failure(const probes::dns::Name& target);

  std::set<probes::dns::Name> looked_at_;
  std::map<probes::dns::Name, std::uint16_t> failing_;  // the type that failed
  Owners owners_;                                       // of those
  std::map<std::uint16_t, Owners> owners_of_type_;
};

// What a failed look needs to know to find out: the type of the first lookup that failed
// unconfirmed, and the zones the look was about.
struct Suspect {
  std::uint16_t type = 0;
  std::set<probes::dns::Name> zones;
};
// Nothing when everything was confirmed.
[[nodiscard]] std::optional<Suspect> suspect_of(
    const std::vector<const probes::dns::Answer*>& answers);
// Of so many controls so many fail now: that is the resolver's.
[[nodiscard]] bool is_too_many(std::size_t failing, std::size_t controls);

// Collects what each resolver of ours did wrong, as far as that is proven: the zones' own servers
// had what validates, or a question failed that any resolver can answer. One slip is no fault, nor
// are several about one name, which may have changed under a cache; slips about two, or about
// ourselves twice, or about one for kPersistent are a fault, until none was seen for kHeld.
class ResolverWatch {
 public:
  // `about`: the target looked at; nothing: our own check.
  void record_faults(const std::vector<probes::dns::ResolverFault>& faults,
                     const std::optional<probes::dns::Name>& about, config::Time at);
  // "resolver": whether one of them does something wrong, which, and what. It does not blind: what
  // the resolver cannot tell is asked elsewhere, or excused.
  [[nodiscard]] SelfCheck check(config::Time at) const;

  static constexpr config::Seconds kPersistent{600};
  static constexpr config::Seconds kHeld{1200};

 private:
  struct Slip {
    std::string what;
    std::optional<probes::dns::Name> owner;  // whose name: the target's last two labels
    config::Time at;
  };
  static constexpr std::size_t kMostSlips = 16;  // kept of each
  static constexpr std::size_t kMostResolvers = 32;
  std::map<std::string, std::deque<Slip>> slips_;  // by resolver, the latest first
};

}  // namespace agent

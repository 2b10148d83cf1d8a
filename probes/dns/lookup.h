#pragma once

#include <utility>
#include <vector>

#include "config/time.h"
#include "probes/dns/answer.h"
#include "probes/dns/authorities.h"
#include "probes/dns/chain.h"
#include "probes/dns/resolver.h"

namespace probes::dns {

// RFC 1034 §5.2.2 leaves the number to us; Unbound stops at 11, BIND at 16.
inline constexpr std::size_t kMaxAliases = 10;

// One question, followed through its aliases, each link validated by ourselves. The resolver is
// asked first; what it cannot tell, tells in a way that does not validate, or denies without proof
// is asked of the other resolvers, each by itself, and of the zones' own servers before it is
// believed. Serves one thread.
class Lookup {
 public:
  // Without `authorities` the resolver is all there is. `each`: those that `resolver` stands for,
  // by itself, when they are several. All outlive this.
  Lookup(Resolver& resolver, Chain& chain, config::Seconds patience,
         Authorities* authorities = nullptr, std::vector<Resolver*> each = {})
      : resolver_(resolver),
        chain_(chain),
        patience_(patience),
        authorities_(authorities),
        each_(std::move(each)) {}

  // `at` dates the validation. Never throws; whatever happens is in the Answer.
  [[nodiscard]] Answer ask(const Name& name, std::uint16_t type, config::Time at,
                           config::Deadline deadline);

  // Whether the signatures in a reply that somebody else fetched, of that name and type, are not of
  // the zone's keys, as its parents vouch for them. False where that could not be determined.
  [[nodiscard]] bool is_forged(const Message& reply, const Name& name, std::uint16_t type,
                               config::Time at, config::Deadline deadline);

 private:
  struct Round;
  Answer walk(Resolver& source, const Name& name, std::uint16_t type, config::Time at,
              config::Deadline deadline);
  Answer confirmed(Answer first, const Name& name, std::uint16_t type, config::Time at,
                   config::Deadline deadline);
  bool query(Round& round, const Name& name);
  bool follow(Round& round, Name& current);
  void conclude(Round& round, const Message& part, Outcome outcome);
  Proof prove(Round& round, const Message& part);

  Resolver& resolver_;
  Chain& chain_;
  config::Seconds patience_;  // for one question with everything it needs
  Authorities* authorities_;
  std::vector<Resolver*> each_;
};

// What the resolver that gave an answer did wrong, given that the answer should validate.
[[nodiscard]] ResolverFault fault_of(const Answer& answer);

}  // namespace probes::dns

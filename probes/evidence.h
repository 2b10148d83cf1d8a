#pragma once

#include <map>
#include <string>
#include <vector>

#include "probes/codec/recorded.h"
#include "probes/judgement.h"

// Whether what was recorded proves what was said of it: DNSSEC is verified again from the trust
// anchor down, as of then, and the records are held against the certificates again. Judged is what
// was derived from the replies, not what was said of them (derivation.h). No packet is sent, no
// file is read.
namespace probes {

// One step of the argument.
enum class Standing {
  proven,   // by signatures up to the trust anchor
  seen,     // whoever looked says so; nothing in the evidence can prove it
  follows,  // from the steps before it, by the rules of RFC 7672
  refuted,  // the evidence says otherwise
};
[[nodiscard]] std::string_view wire_name(Standing standing);

struct Step {
  Standing standing = Standing::seen;
  std::string what;  // one line; texts from outside are escaped
};

struct Argument {
  std::vector<Step> steps;  // from the trust anchor to the verdict
  // What was derived: the one that was recorded.
  DomainSeen domain;
  HostSeen host;
  // What follows from that, judged anew: of a host by itself, in the domain of that judgement.
  DomainJudgement judged;
  // Of its findings those, and perhaps others, that follow from what is proven alone.
  Findings proven;
  [[nodiscard]] bool holds() const;  // no step is refuted
};

// `anchors`: DS or DNSKEY records that the reader trusts, as for dns::Chain. `hosts`: those of the
// domain, as they were derived when they were verified.
[[nodiscard]] Argument verify(const Recorded& recorded, const std::vector<dns::Record>& anchors,
                              const std::map<dns::Name, HostSeen>& hosts = {});

}  // namespace probes

#pragma once

#include <string>
#include <vector>

#include "probes/codec/recorded.h"
#include "probes/judgement.h"

// Whether what was recorded proves what was said of it: DNSSEC is verified again from the trust
// anchor down, as of then, and the records are held against the certificates again. No packet is
// sent, no file is read.
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
  // What follows from the evidence, judged anew: of a host by itself, in the domain of that
  // judgement.
  DomainJudgement judged;
  [[nodiscard]] bool holds() const;  // no step is refuted
};

// `anchors`: DS or DNSKEY records that the reader trusts, as for dns::Chain.
[[nodiscard]] Argument verify(const Recorded& recorded, const std::vector<dns::Record>& anchors);

}  // namespace probes

#pragma once

#include <memory>
#include <vector>

#include "probes/codec/recorded.h"

// What recorded replies show by themselves: an observation made again of their wire forms, with
// DNSSEC validated from the trust anchor down and as of then. No packet is sent.
namespace probes {

// A failure of which no reply can tell others: nobody answered, a resolver said no, or the keys
// above could not be had. It is the word of whoever looked.
[[nodiscard]] bool is_word_only(const dns::Answer& answer);

class Derivation {
 public:
  // `anchors`: DS or DNSKEY records that the reader trusts, as for dns::Chain.
  Derivation(const Recorded& recorded, const std::vector<dns::Record>& anchors);
  ~Derivation();
  Derivation(const Derivation&) = delete;
  Derivation& operator=(const Derivation&) = delete;

  // The one of both that was recorded. Every lookup, and all that follows from lookups, is derived
  // from the replies. Taken as it was recorded is only what nobody can prove: failures that are
  // word only, what the agent's own resolver did, the moment, what name servers said when they were
  // asked one by one, a policy that was fetched, and sessions, as far as they were had with an
  // address of the host at its port.
  [[nodiscard]] DomainSeen domain();
  [[nodiscard]] HostSeen host();

  // How far a reply with DS or DNSKEY records, or their denial, holds from the anchor down.
  [[nodiscard]] dns::DnssecStatus status_of(const dns::Message& link);
  // Whether that of a lookup is what the agent's resolver said it was, where our own validator is
  // known to be wrong (validate.h): the word of whoever looked.
  [[nodiscard]] bool rests_on_resolver(const dns::Answer& derived);

 private:
  struct Tools;
  const Recorded& recorded_;
  const std::unique_ptr<Tools> tools_;
};

}  // namespace probes

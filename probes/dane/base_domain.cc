#include "probes/dane/base_domain.h"

namespace probes::dane {

using dns::DnssecStatus;
using dns::Outcome;

BaseDomains base_domains(const dns::Name& host, const dns::Answer& a, const dns::Answer& aaaa,
                         const dns::Answer* cname) {
  using Kind = BaseDomains::Kind;
  const bool has_a = a.outcome == Outcome::answer;
  const bool has_aaaa = aaaa.outcome == Outcome::answer;
  if (!has_a && !has_aaaa) {
    // One family failing is enough: it may have held the addresses.
    const bool failed = a.outcome == Outcome::failed || aaaa.outcome == Outcome::failed;
    return {.kind = failed ? Kind::failed : Kind::no_address, .names = {}};
  }
  // The status of an empty answer says nothing about the addresses there are; of two, the weaker
  // counts.
  const auto& first = has_a ? a : aaaa;
  const auto status = has_a && has_aaaa ? dns::weaker(a.status, aaaa.status) : first.status;
  if (first.aliases.empty()) {
    if (status == DnssecStatus::secure) return {.kind = Kind::candidates, .names = {host}};
    return {.kind = Kind::not_applicable, .names = {}};
  }
  // Intermediate names are never candidates (RFC 7672 §2.2.3).
  if (status == DnssecStatus::secure)
    return {.kind = Kind::candidates, .names = {first.final_name, host}};
  if (cname == nullptr) return {.kind = Kind::ask_cname, .names = {}};
  if (cname->outcome == Outcome::failed) return {.kind = Kind::failed, .names = {}};
  if (cname->outcome == Outcome::answer && cname->status == DnssecStatus::secure) {
    return {.kind = Kind::candidates, .names = {host}};
  }
  return {.kind = Kind::not_applicable, .names = {}};
}

}  // namespace probes::dane

#include "probes/resolver_faults.h"

#include <algorithm>

namespace probes {
std::vector<const dns::Answer*> answers_of(const DomainObservation& seen) {
  return {&seen.mx, &*seen.misplaced, &seen.sts->sts_txt, &seen.sts->tlsrpt_txt};
}

std::vector<const dns::Answer*> answers_of(const HostObservation& seen) {
  std::vector<const dns::Answer*> out{&seen.a, &seen.aaaa, &*seen.cname, &seen.tlsa};
  for (const auto& one : seen.misplaced) out.push_back(&one);
  return out;
}

std::vector<const dns::Answer*> deciding(const DomainObservation& seen) {
  return {&seen.mx};
}

std::vector<const dns::Answer*> deciding(const HostObservation& seen) {
  return {&seen.a, &seen.aaaa, &*seen.cname, &seen.tlsa};
}

std::vector<dns::ResolverFault> resolver_faults(const std::vector<const dns::Answer*>& answers) {
  std::vector<dns::ResolverFault> out;
  for (const auto* answer : answers) {
    const auto& fault = answer->resolver_fault;
    if (fault && std::ranges::find(out, *fault) == out.end()) out.push_back(*fault);
  }
  return out;
}

bool is_unconfirmed(const std::vector<const dns::Answer*>& answers) {
  return std::ranges::any_of(
      answers, [](const auto* one) { return one->is_unconfirmed && !is_learned(one->outcome); });
}

namespace {

void excuse_deciding(dns::Answer& answer) {
  answer.is_ours = answer.is_unconfirmed;
}

void excuse_other(dns::Answer& answer) {
  if (answer.is_unconfirmed) answer.outcome = dns::Outcome::not_queried;
}

}  // namespace

void excuse(DomainObservation& seen) {
  excuse_deciding(seen.mx);
  if (seen.misplaced.is_set()) excuse_other(seen.misplaced.change());
  if (!seen.sts.is_set()) return;
  excuse_other(seen.sts.change().sts_txt);
  excuse_other(seen.sts.change().tlsrpt_txt);
}

void excuse(HostObservation& seen) {
  for (auto* answer : {&seen.a, &seen.aaaa, &seen.tlsa}) excuse_deciding(*answer);
  if (seen.cname.is_set()) excuse_deciding(seen.cname.change());
  for (auto& answer : seen.misplaced) excuse_other(answer);
}

const dns::Answer* find_excused(const std::vector<const dns::Answer*>& answers) {
  const auto found = std::ranges::find_if(answers, [](const auto* one) {
    return one->is_ours && one->outcome == dns::Outcome::failed;
  });
  return found == answers.end() ? nullptr : *found;
}

}  // namespace probes

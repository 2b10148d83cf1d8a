#include "agent/fleet/sent_look.h"

#include <algorithm>
#include <chrono>

namespace agent {
namespace {

constexpr config::Seconds kAgree{2};

template <class Observation>
std::shared_ptr<const Observation> moved(const std::shared_ptr<const Observation>& seen,
                                         config::Time to) {
  if (seen->observed_at == to) return seen;
  auto out = std::make_shared<Observation>(*seen);
  out->observed_at = to;
  return out;
}

}  // namespace

bool is_of(const probes::Recorded& look, const Target& target) {
  if (target.kind == Target::Kind::host) return look.host && look.host->host == target.name;
  return target.kind == Target::Kind::domain && look.domain && look.domain->domain == target.name;
}

probes::Recorded with_times_moved(probes::Recorded look, config::Seconds shift, config::Time now) {
  auto to = look.observed_at();
  if (std::chrono::abs(shift) > kAgree) to += shift;
  to = std::min(to, now);
  if (look.host) look.host = moved(look.host, to);
  if (look.domain) look.domain = moved(look.domain, to);
  return look;
}

}  // namespace agent

#include "agent/hindsight/mx_change.h"

#include <algorithm>

#include <fmt/format.h>

namespace agent {
namespace {

constexpr config::Seconds kShown = std::chrono::hours{24};

std::string text_of(const std::vector<probes::MxHost>& hosts) {
  std::string out;
  for (const auto& host : hosts)
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", host.preference, host.name.text());
  return out.empty() ? "none" : out;
}

}  // namespace

std::optional<MxChange> find_mx_change(const probes::DomainObservation& before,
                                       const probes::DomainObservation& after) {
  if (!is_learned(before.mx.outcome) || !is_learned(after.mx.outcome) ||
      before.hosts == after.hosts)
    return std::nullopt;
  return MxChange{.at = after.observed_at, .before = before.hosts};
}

std::optional<probes::Finding> finding_of(const MxChange& change,
                                          const probes::DomainObservation& now, config::Time at) {
  if (at - change.at >= kShown) return std::nullopt;
  return probes::Finding{
      .code = probes::Code::mx_changed,
      .severity = probes::Severity::info,
      .subject = {.kind = probes::Subject::Kind::domain, .name = now.domain.text()},
      .evidence = {{"at", config::rfc3339(change.at)},
                   {"before", text_of(change.before)},
                   {"now", text_of(now.hosts)}}};
}

}  // namespace agent

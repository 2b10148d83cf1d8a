#include "storage/domain_row.h"

#include <algorithm>

#include "probes/explain.h"
#include "probes/report.h"

namespace storage {

probes::Status status_of(const agent::DomainState& state) {
  return state.judged ? probes::status_of(*state.judged) : probes::Status::unknown;
}

probes::Delivery delivery_of(const agent::DomainState& state) {
  return state.judged ? probes::delivery_of(*state.judged) : probes::Delivery::unknown;
}

DomainRow row_of(const agent::DomainState& state) {
  const auto is_inbound = state.configured->role == config::Role::inbound;
  DomainRow out{.name = state.configured->name,
                .role = is_inbound ? "inbound" : "outbound",
                .group = state.configured->group,
                .severity = "info",
                .status = status_of(state),
                .delivery = delivery_of(state),
                .next_check_at = state.next_check_at};
  if (!state.judged) return out;
  const auto& judged = *state.judged;
  out.verdict = wire_name(judged.verdict);
  out.weakest = wire_name(judged.weakest);
  out.severity = wire_name(judged.severity);
  out.mx_hosts = static_cast<std::int64_t>(judged.hosts.size());
  out.dane_mx_hosts = std::ranges::count_if(judged.hosts, probes::has_dane);
  out.observed_at = judged.seen.open()->observed_at;
  if (judged.findings.empty()) return out;
  // That which explains the others, of those that are as bad.
  const auto explains = std::ranges::find_if(judged.findings, [&](const probes::Finding& one) {
    return !one.consequence_of && one.severity == judged.findings.front().severity;
  });
  const auto& worst = explains == judged.findings.end() ? judged.findings.front() : *explains;
  out.worst_code = wire_name(worst.code);
  out.worst_severity = wire_name(worst.severity);
  out.worst_title = probes::explain(worst).title;
  return out;
}

}  // namespace storage

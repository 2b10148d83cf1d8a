#include "web/routes/mail.h"

#include <algorithm>

namespace web {

using Json = nlohmann::ordered_json;

HostMail mail_through(const agent::Snapshot& snapshot, const probes::HostObservation& host) {
  HostMail out{.has_shown_certificate = probes::shows_certificate(host)};
  const probes::HostJudgement* worst = nullptr;
  FindHost find_host{host.host};
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i) {
    const auto& brief = snapshot.domains.brief(i);
    if (!brief.is_judged) continue;
    const auto* mine = find_host(snapshot.domains, i);
    if (mine == nullptr && brief.hosts != nullptr) continue;
    const auto& domain = snapshot.domains[i];
    // Where danelaw cannot see none was judged, and the domain uses those of its last look.
    const auto seen = brief.hosts == nullptr ? domain.judged->seen.open() : nullptr;
    const bool is_last_known =
        seen &&
        std::ranges::find(seen->hosts, host.host, &probes::MxHost::name) != seen->hosts.end();
    if (is_last_known) out.domains.push_back(domain.configured->name);
    if (mine == nullptr) continue;
    out.domains.push_back(domain.configured->name);
    if (probes::delivery_of(*domain.judged) == probes::Delivery::held_up)
      out.held_up.push_back(domain.configured->name);
    const auto* finding = probes::worst_finding(*domain.judged, *mine);
    if (finding != nullptr && (out.worst == nullptr || finding->severity > out.worst->severity))
      out.worst = finding;
    if (worst == nullptr || probes::is_worse(*mine, *worst)) worst = mine;
  }
  if (worst != nullptr) {
    out.verdict = worst->verdict;
    out.delivery = probes::delivery_of(*worst);
  }
  std::ranges::sort(out.domains);
  return out;
}

std::vector<const agent::Alert*> alerts_of(const agent::Snapshot& snapshot,
                                           const std::string& host) {
  const auto is_host = [&](const probes::Subject& subject) {
    return subject.kind == probes::Subject::Kind::host && subject.name == host;
  };
  std::vector<const agent::Alert*> out;
  for (const auto& alert : snapshot.alerts) {
    if (is_host(alert.cause) || is_host(alert.finding.subject) ||
        std::ranges::any_of(alert.hits, is_host, &agent::Hit::subject))
      out.push_back(&alert);
  }
  std::ranges::stable_sort(out, [](const agent::Alert* a, const agent::Alert* b) {
    return std::pair(a->state != agent::AlertState::firing,
                     -static_cast<int>(a->finding.severity)) <
           std::pair(b->state != agent::AlertState::firing, -static_cast<int>(b->finding.severity));
  });
  return out;
}

Json delivery_json(const Counts& counts) {
  Json out = Json::object();
  for (std::size_t i = 0; i < counts.by_delivery.size(); ++i) {
    out[std::string(wire_name(static_cast<probes::Delivery>(i)))] = {
        {"inbound", counts.by_delivery[i].inbound}, {"outbound", counts.by_delivery[i].outbound}};
  }
  return out;
}

Json status_json(const Counts& counts) {
  Json out = Json::object();
  for (std::size_t i = 0; i < counts.by_status.size(); ++i)
    out[std::string(wire_name(static_cast<probes::Status>(i)))] = counts.by_status[i];
  return out;
}

}  // namespace web

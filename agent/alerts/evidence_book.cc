#include "agent/alerts/evidence_book.h"

#include <algorithm>

namespace agent {
namespace {

probes::Subject subject_of(const Target& target) {
  using Kind = probes::Subject::Kind;
  return {.kind = target.kind == Target::Kind::host ? Kind::host : Kind::domain,
          .name = target.name.text()};
}

bool is_opened_or_worse(const Round& round, const Alert& alert) {
  return alert.raised_at == round.at ||
         std::ranges::any_of(round.transitions, [&](const Transition& one) {
           return one.what == Transition::What::opened && one.alert_id == alert.id;
         });
}

}  // namespace

void EvidenceBook::keep(Round& round, const AlertBook& alerts, const Views& views) {
  if (!round.recorded && views.empty()) return;
  auto& looks = unconfirmed_[round.target];
  if (round.recorded) looks.push_back(*round.recorded);
  const auto keep_for = [&](const Alert& alert, const probes::Recorded& look) {
    round.evidence.push_back(
        {.alert_id = alert.id, .at = look.observed_at(), .body = probes::encode(look)});
  };
  for (const auto& alert : round.alerts) {
    if (!is_opened_or_worse(round, alert)) continue;
    for (const auto& look : looks) keep_for(alert, look);
    for (const auto& [vantage, view] : views) {
      const bool is_among_them = std::ranges::any_of(
          looks, [&](const probes::Recorded& look) { return look.host == view.seen; });
      if (view.look && !is_among_them) keep_for(alert, *view.look);
    }
  }
  const bool is_waiting = alerts.any_open_at(subject_of(round.target), [](const Alert& alert) {
    return alert.state == AlertState::pending;
  });
  if (!is_waiting || looks.empty())
    unconfirmed_.erase(round.target);
  else if (looks.size() >= kLooksKept)
    looks.erase(looks.begin());
}

}  // namespace agent

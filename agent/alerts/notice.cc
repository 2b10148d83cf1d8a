#include "agent/alerts/notice.h"

#include <fmt/format.h>

namespace agent {

std::string_view wire_name(Notice notice) {
  switch (notice) {
    case Notice::opened:
      return "opened";
    case Notice::escalated:
      return "escalated";
    case Notice::reminded:
      return "reminded";
    case Notice::resolved:
      return "resolved";
  }
  return "";
}

bool is_acknowledged(const Alert& alert, config::Time at) {
  return alert.acknowledged && at < alert.acknowledged->until.value_or(config::Time::max());
}

bool is_about_ourselves(const Alert& alert) {
  return alert.cause.kind == probes::Subject::Kind::monitor;
}

std::optional<Due> notice_due(const Alert& alert, bool is_muted, bool is_blind,
                              config::Seconds remind_after, config::Time at) {
  if (alert.state == AlertState::resolved) {
    // Whoever heard of the trouble hears of its end, silence or not.
    if (!alert.told_at || *alert.told_at >= *alert.resolved_at) return std::nullopt;
    return Due{Notice::resolved, fmt::format("ended {}", config::rfc3339(*alert.resolved_at))};
  }
  if (alert.state != AlertState::firing || is_muted || (is_blind && !is_about_ourselves(alert)))
    return std::nullopt;
  if (!alert.told_at) {
    return Due{Notice::opened,
               fmt::format("seen since {}, confirmed {}", config::rfc3339(alert.first_seen_at),
                           config::rfc3339(alert.opened_at.value_or(at)))};
  }
  if (alert.finding.severity > alert.told_severity) {
    return Due{Notice::escalated,
               fmt::format("now {}, was {}", probes::wire_name(alert.finding.severity),
                           probes::wire_name(alert.told_severity))};
  }
  if (is_acknowledged(alert, at) || remind_after.count() == 0 || at - *alert.told_at < remind_after)
    return std::nullopt;
  return Due{Notice::reminded,
             fmt::format("open since {}", config::rfc3339(alert.opened_at.value_or(at)))};
}

Alert told(Alert alert, config::Time at) {
  if (alert.told_at && alert.finding.severity > alert.told_severity) {
    alert.raised_at = at;
    alert.raised_from = alert.told_severity;
  }
  alert.told_at = at;
  alert.told_severity = alert.finding.severity;
  return alert;
}

Notification notification(const Alert& alert, const Due& due, const std::string& notifier,
                          config::Time at) {
  return {.id = fmt::format("{}/{}/{}/{}", alert.id, wire_name(due.notice),
                            at.time_since_epoch().count(), notifier),
          .notifier = notifier,
          .notice = due.notice,
          .at = at,
          .reason = due.reason,
          .alert = alert};
}

}  // namespace agent

#include "agent/notify/notifiers/test_notification.h"

#include <fmt/format.h>

#include "agent/alerts/alert_json.h"

namespace agent {

Notification test_notification(const std::string& notifier, const std::string& by,
                               config::Time at) {
  const auto id = fmt::format("test-{}", at.time_since_epoch().count());
  Notification out{.id = fmt::format("{}.{}", id, notifier),
                   .notifier = notifier,
                   .notice = Notice::opened,
                   .at = at,
                   .reason = by.empty() ? std::string("a test was asked for")
                                        : fmt::format("{} asked for a test", by),
                   .alert = {.id = id, .state = AlertState::firing}};
  auto& alert = out.alert;
  alert.finding = {.code = probes::Code::monitor_fault,
                   .severity = probes::Severity::medium,
                   .subject = {.kind = probes::Subject::Kind::monitor, .name = "test"}};
  alert.cause = alert.finding.subject;
  alert.hits = {{.subject = alert.cause, .severity = alert.finding.severity}};
  alert.first_seen_at = alert.last_seen_at = at;
  alert.opened_at = alert.told_at = at;
  return out;
}

QueuedNotification queued_test(const Notification& notification) {
  auto body = to_json(notification);
  body["test"] = true;
  auto& alert = body["alert"];
  alert["title"] = kTestTitle;
  alert["explanation"] = kTestText;
  alert["senders_now"] = "Nothing happens to mail.";
  alert["fix"] = nlohmann::ordered_json::array({"There is nothing to do."});
  alert["references"] = nlohmann::ordered_json::array();
  return {.id = notification.id, .notifier = notification.notifier, .body = body.dump()};
}

}  // namespace agent

#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/alerts/alert.h"
#include "agent/alerts/silence.h"
#include "agent/notify/notifiers/wire.h"
#include "agent/watch/shared_list.h"
#include "config/result.h"

// PURE
// Notifications in the forms in which they are read.
namespace agent {

// The fields of a notification that templates may name: id event at reason alert_id code severity
// direction subject domains title explanation senders_now sender_reports fix host partner
// remedy recovers_at bounces_at since url. Of domains the first 20 at most, and how many more.
[[nodiscard]] std::map<std::string, std::string> fields_of(
    const nlohmann::ordered_json& notification, const std::string& page);

// A message of RFC 5322 without what MIME adds: header lines, folded where they are long, none of
// more than 998 octets, nothing from outside in them but encoded; and plain text whose lines
// end with CR LF.
struct MessageHead {
  std::string from;
  std::vector<std::string> to;
};
[[nodiscard]] wire::Message mail_of(const MessageHead& head,
                                    const nlohmann::ordered_json& notification,
                                    const std::string& page);

// The same of a text of ours, not about one alert; `id` is the same at every try.
[[nodiscard]] wire::Message plain_mail(const MessageHead& head, const std::string& subject,
                                       const std::string& text, config::Time at,
                                       const std::string& id);

// The alerts for Alertmanager's POST /api/v2/alerts: those that fire and were told, and those that
// ended less than kEndTold ago. `labels` are added to ours. Every one says when it ends unless it
// is told again: Alertmanager would take a missing startsAt for the end (0.25).
inline constexpr config::Seconds kEndTold = std::chrono::minutes{15};
[[nodiscard]] nlohmann::ordered_json alertmanager_json(
    const SharedList<Alert>& open, const SharedList<Alert>& ended,
    const std::map<std::string, std::string>& labels, const std::string& page,
    config::Seconds every, config::Time at);

}  // namespace agent

#pragma once

#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "agent/alerts/alert.h"
#include "agent/alerts/silence.h"
#include "agent/watch/shared_list.h"
#include "config/result.h"

// PURE
// Letters in the forms in which they are read.
namespace agent {

// The fields of a letter that templates may name: id event at reason alert_id code severity
// direction subject domains title explanation senders_now fix url.
[[nodiscard]] std::map<std::string, std::string> fields_of(const nlohmann::ordered_json& letter,
                                                           const std::string& page);

// The text with every {{field}} replaced, escaped so that it may stand between the quotes of a JSON
// string. The error names a field that is not there.
[[nodiscard]] config::Result<std::string, std::string> fill(
    std::string_view text, const std::map<std::string, std::string>& fields);

// A message of RFC 5322, ready to be submitted: plain text in UTF-8, no line of it longer than 998
// octets, nothing from outside in a header but encoded.
struct MessageHead {
  std::string from;
  std::vector<std::string> to;
};
[[nodiscard]] std::string mail_of(const MessageHead& head, const nlohmann::ordered_json& letter,
                                  const std::string& page);

// The alerts for Alertmanager's POST /api/v2/alerts: those that fire and were told, and those that
// ended less than kEndTold ago. `labels` are added to ours. Every one says when it ends unless it
// is told again: Alertmanager would take a missing startsAt for the end (0.25).
inline constexpr config::Seconds kEndTold = std::chrono::minutes{15};
[[nodiscard]] nlohmann::ordered_json alertmanager_json(
    const SharedList<Alert>& open, const SharedList<Alert>& ended,
    const std::map<std::string, std::string>& labels, const std::string& page,
    config::Seconds every, config::Time at);

}  // namespace agent

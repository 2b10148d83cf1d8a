#pragma once

#include <optional>
#include <string>

#include "agent/alerts/alert.h"

// PURE
// When people are told of an alert. Asked after every look and twice a minute, so that the end of a
// silence, too, is a reason.
namespace agent {

struct Due {
  Notice notice = Notice::opened;
  std::string reason;  // in words
};

// What to tell of the alert at `at`, if anything. `remind_after`: between two notices of an alert
// that nobody acknowledged; zero: no reminders. `is_blind`: our own sight fails, so that nothing is
// known of the others: only what it has to say about itself is told.
[[nodiscard]] std::optional<Due> notice_due(const Alert& alert, bool is_muted, bool is_blind,
                                            config::Seconds remind_after, config::Time at);

// Whether it speaks of this agent, not of a target.
[[nodiscard]] bool is_about_ourselves(const Alert& alert);

// As it is after it was told.
[[nodiscard]] Alert told(Alert alert, config::Time at);

// Whether the acknowledgement still holds.
[[nodiscard]] bool is_acknowledged(const Alert& alert, config::Time at);

// The notification to one notifier.
[[nodiscard]] Notification notification(const Alert& alert, const Due& due,
                                        const std::string& notifier, config::Time at);

}  // namespace agent

#pragma once

#include <string>

#include "agent/alerts/ports.h"

// PURE
// A notification that tells of nothing but that notifications arrive.
namespace agent {

inline constexpr const char* kTestTitle = "Test of danelaw's notifications: nothing is wrong";
inline constexpr const char* kTestText =
    "Somebody asked danelaw for a test notification. That you read this shows that alerts arrive "
    "here. There is nothing to do.";

// `by`: who asked for it; may be empty.
[[nodiscard]] Notification test_notification(const std::string& notifier, const std::string& by,
                                             config::Time at);
// As notifiers get notifications; its words are those of a test, and "test" is true.
[[nodiscard]] QueuedNotification queued_test(const Notification& notification);

}  // namespace agent

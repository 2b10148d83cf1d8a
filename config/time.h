#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace config {

using Seconds = std::chrono::seconds;

// A moment as the world dates it: what certificates, signatures and history are compared with. UTC.
using Time = std::chrono::sys_seconds;

// A moment on the monotonic clock by which an activity must have ended. One is made per round and
// handed down; nobody below makes a later one.
using Deadline = std::chrono::steady_clock::time_point;

// "2026-01-02T03:04:05Z", and back (nothing on any other form).
[[nodiscard]] std::string rfc3339(Time time);
[[nodiscard]] std::optional<Time> parse_rfc3339(std::string_view text);

// "90s", "15m", "2h", "14d": one whole number and one unit, no sign, at most ten years; nothing
// otherwise.
[[nodiscard]] std::optional<Seconds> parse_duration(std::string_view text);

}  // namespace config

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "config/time.h"

// PURE
// The head of a line that a system log has: when, by which program, by which process; and what was
// said.
namespace probes::reports {

// Longer lines are read up to here: what Postfix says that matters stands in front.
inline constexpr std::size_t kMostOfLine = 4096;

// A moment as a clock on the wall has it, without a zone.
struct WallTime {
  int year = 0, month = 0, day = 0;  // from 1
  int hour = 0, minute = 0, second = 0;
  bool operator==(const WallTime&) const = default;
};

// How moments are read that lines leave open: those without a zone. Traditional lines ("Nov 28
// 19:19:54") have neither year nor zone: they are of the last twelve months before `now`, in the
// zone of `to_utc`.
struct Calendar {
  config::Time now;
  std::function<config::Time(const WallTime&)> to_utc;
};

// What is said of a line, or of many, that has no form that LogLineReader knows.
inline constexpr std::string_view kNoKnownForm =
    "has a form that is known (syslog's, the same with RFC 3339 moments, RFC 5424)";

// UTC, or so many seconds east of it.
[[nodiscard]] Calendar calendar(config::Time now, config::Seconds east = config::Seconds{0});

struct LogLine {
  config::Time at;
  std::string_view program;  // "postfix/smtp"; points into the line, as the message does
  std::uint32_t pid = 0;     // 0: not said
  std::string_view message;
};

// Whether a journal's entry is of the program that it says: `uid` and `comm` are what journald
// itself knows of who logged it (_UID, _COMM), empty where it does not. Accounts of people log what
// they like under any name.
[[nodiscard]] bool is_by_program(std::string_view program, std::string_view uid,
                                 std::string_view comm);

// Reads lines one after the other; it remembers the last moment, since many lines share it.
// Understood are the traditional form of syslog, the same with RFC 3339 moments (rsyslog, also
// with microseconds; journalctl -o short-iso; also with a blank for the T, and without a zone as
// wall time), both without the machine, too, and as BusyBox, FreeBSD and Solaris add the priority;
// and RFC 5424 with or without its priority.
class LogLineReader {
 public:
  explicit LogLineReader(Calendar calendar) : calendar_(std::move(calendar)) {}
  // Nothing when the line is not of such a form. `line` has no line end.
  [[nodiscard]] std::optional<LogLine> read(std::string_view line);
  // Lines in a row, the last ones, that are not of such a form. Empty ones are not counted.
  [[nodiscard]] std::uint64_t strange() const { return strange_; }
  void set_now(config::Time now) { calendar_.now = now; }
  // Further ahead than clocks differ: a line that is not believed.
  [[nodiscard]] bool is_to_come(config::Time at) const {
    return at > calendar_.now + std::chrono::hours{24};
  }

 private:
  [[nodiscard]] std::optional<config::Time> take_moment(std::string_view& line);
  [[nodiscard]] std::optional<config::Time> traditional(std::string_view text);

  Calendar calendar_;
  std::uint64_t strange_ = 0;
  char last_text_[16] = {};
  std::optional<config::Time> last_;
};

}  // namespace probes::reports

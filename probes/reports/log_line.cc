#include "probes/reports/log_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace probes::reports {
namespace {

using config::Time;
using std::chrono::seconds;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The digits of `text`, which must be nothing else; a blank may stand for a leading zero.
std::optional<int> digits(std::string_view text) {
  if (text.starts_with(' ')) text.remove_prefix(1);
  if (text.empty() || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool exists(const WallTime& wall) {
  using namespace std::chrono;
  const year_month_day date{year{wall.year}, month{static_cast<unsigned>(wall.month)},
                            day{static_cast<unsigned>(wall.day)}};
  return wall.month >= 1 && wall.day >= 1 && date.ok() && wall.hour < 24 && wall.minute < 60 &&
         wall.second < 61;
}

Time as_utc(const WallTime& wall) {
  using namespace std::chrono;
  return sys_days{year{wall.year} / wall.month / wall.day} + hours{wall.hour} +
         minutes{wall.minute} + seconds{wall.second};
}

// "19:19:54"
bool read_clock(std::string_view text, WallTime& wall) {
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') return false;
  const auto hour = digits(text.substr(0, 2));
  const auto minute = digits(text.substr(3, 2));
  const auto second = digits(text.substr(6, 2));
  if (!hour || !minute || !second) return false;
  wall.hour = *hour;
  wall.minute = *minute;
  wall.second = *second;
  return true;
}

// "+0100", "+01:00", "Z"
std::optional<seconds> read_zone(std::string_view text) {
  if (text == "Z") return seconds{0};
  if (text.size() == 6 && text[3] == ':') {
    const auto hour = digits(text.substr(1, 2));
    const auto minute = digits(text.substr(4, 2));
    if (!hour || !minute || *hour > 15 || *minute > 59) return std::nullopt;
    const seconds east{*hour * 3600 + *minute * 60};
    return text[0] == '-' ? -east : east;
  }
  if (text.size() == 5 && (text[0] == '+' || text[0] == '-')) {
    const auto both = digits(text.substr(1));
    if (!both || *both > 1559 || *both % 100 > 59) return std::nullopt;
    const seconds east{*both / 100 * 3600 + *both % 100 * 60};
    return text[0] == '-' ? -east : east;
  }
  return std::nullopt;
}

// "2026-11-28T19:19:54.123456+01:00", also with a blank for the T; without a zone it is wall time.
std::optional<Time> iso(std::string_view text, const Calendar& calendar) {
  if (text.size() < 19 || text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != ' '))
    return std::nullopt;
  const auto year = digits(text.substr(0, 4));
  const auto month = digits(text.substr(5, 2));
  const auto day = digits(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  WallTime wall{.year = *year, .month = *month, .day = *day};
  if (!read_clock(text.substr(11, 8), wall) || !exists(wall)) return std::nullopt;
  auto rest = text.substr(19);
  if (rest.starts_with('.') || rest.starts_with(',')) {
    rest.remove_prefix(1);
    const auto end = std::ranges::find_if_not(rest, is_digit);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.begin()));
  }
  if (rest.empty()) return calendar.to_utc(wall);
  const auto zone = read_zone(rest);
  if (!zone) return std::nullopt;
  return as_utc(wall) - *zone;
}

std::optional<int> month_of(std::string_view word) {
  static constexpr std::array<std::string_view, 12> kMonths{
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto* const found = std::ranges::find(kMonths, word);
  if (found == kMonths.end()) return std::nullopt;
  return static_cast<int>(found - kMonths.begin()) + 1;
}

// The next word, taken off; empty where there is none.
std::string_view take_word(std::string_view& text) {
  const auto end = text.find(' ');
  const auto word = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return word;
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "postfix/smtp[569]", or without the process: then that is 0.
bool take_program(std::string_view tag, LogLine& out) {
  out.pid = 0;
  if (tag.ends_with(']')) {
    const auto open = tag.find('[');
    if (open == std::string_view::npos) return false;
    const auto pid = number(tag.substr(open + 1, tag.size() - open - 2));
    if (!pid) return false;
    out.pid = *pid;
    tag = tag.substr(0, open);
  }
  out.program = tag;
  return !tag.empty();
}

// "mail.info", as BusyBox has it behind the machine.
bool is_priority(std::string_view word) {
  const auto is_word = [](std::string_view text) {
    return !text.empty() &&
           std::ranges::all_of(text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); });
  };
  const auto dot = word.find('.');
  return dot != std::string_view::npos && is_word(word.substr(0, dot)) &&
         is_word(word.substr(dot + 1));
}

// "gw postfix/smtp[569]: what it says", behind the moment. Some leave the machine out; BusyBox and
// FreeBSD ("<mail.info> gw …") say the priority, too, and Solaris a number ("[ID 197553 mail.info]
// what it says").
bool take_tag(std::string_view rest, LogLine& out) {
  auto word = take_word(rest);
  if (word.starts_with('<') && word.ends_with('>')) word = take_word(rest);
  if (!word.ends_with(':')) {
    word = take_word(rest);
    if (is_priority(word)) word = take_word(rest);
  }
  if (!word.ends_with(':') || !take_program(word.substr(0, word.size() - 1), out)) return false;
  if (rest.starts_with("[ID ")) {
    const auto end = rest.find("] ");
    if (end != std::string_view::npos) rest.remove_prefix(end + 2);
  }
  out.message = rest;
  return true;
}

// RFC 5424 §6.3: "-", or elements whose values, in quotes, escape quotes and brackets.
bool take_structured_data(std::string_view& rest) {
  if (rest.starts_with('-')) rest.remove_prefix(1);
  while (rest.starts_with('[')) {
    bool is_quoted = false;
    std::size_t end = 1;
    for (; end < rest.size() && (is_quoted || rest[end] != ']'); ++end) {
      if (rest[end] == '"') is_quoted = !is_quoted;
      if (is_quoted && rest[end] == '\\') ++end;
    }
    if (end >= rest.size()) return false;
    rest.remove_prefix(end + 1);
  }
  if (!rest.empty() && rest.front() != ' ') return false;
  rest.remove_prefix(std::min<std::size_t>(rest.size(), 1));
  return true;
}

// RFC 5424 §6, behind the moment: machine, program, process, kind of message, structured data,
// message. The process may be "-", and stand with the program.
bool take_header(std::string_view rest, LogLine& out) {
  take_word(rest);
  if (!take_program(take_word(rest), out)) return false;
  if (const auto pid = number(take_word(rest))) out.pid = *pid;
  take_word(rest);
  if (rest.empty() || !take_structured_data(rest)) return false;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  out.message = rest;
  return true;
}

}  // namespace

Calendar calendar(Time now, config::Seconds east) {
  return {.now = now, .to_utc = [east](const WallTime& wall) { return as_utc(wall) - east; }};
}

// "Nov 28 19:19:54"
std::optional<Time> LogLineReader::traditional(std::string_view text) {
  if (last_ && text == std::string_view(last_text_, text.size())) return last_;
  const auto month = month_of(text.substr(0, 3));
  const auto day = digits(text.substr(4, 2));
  WallTime wall;
  if (text[3] != ' ' || text[6] != ' ' || !month || !day || !read_clock(text.substr(7), wall))
    return std::nullopt;
  wall.month = *month;
  wall.day = *day;
  const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(calendar_.now)};
  wall.year = static_cast<int>(today.year()) + 1;  // its clock may be ahead of ours
  // 29 February is of the last leap year.
  for (int tries = 0; tries < 10; ++tries, --wall.year) {
    if (!exists(wall)) continue;
    const auto at = calendar_.to_utc(wall);
    if (at > calendar_.now + std::chrono::days{1}) continue;
    std::ranges::copy(text, last_text_);
    last_ = at;
    return at;
  }
  return std::nullopt;
}

// Takes it off the line.
std::optional<Time> LogLineReader::take_moment(std::string_view& line) {
  constexpr std::size_t kTraditional = 15;
  constexpr std::size_t kDate = 10;
  if (is_digit(line.front())) {
    const auto blank = line.find(' ');
    const auto end = blank == kDate ? line.find(' ', blank + 1) : blank;
    const auto text = line.substr(0, end);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    return iso(text, calendar_);
  }
  if (line.size() <= kTraditional || line[kTraditional] != ' ') return std::nullopt;
  const auto text = line.substr(0, kTraditional);
  line.remove_prefix(kTraditional + 1);
  return traditional(text);
}

std::optional<LogLine> LogLineReader::read(std::string_view line) {
  line = line.substr(0, kMostOfLine);
  if (line.empty()) return std::nullopt;
  ++strange_;
  if (line.starts_with('<')) {
    const auto end = line.find('>');
    if (end == std::string_view::npos || end > 4) return std::nullopt;
    line.remove_prefix(end + 1);
  }
  const bool is_rfc5424 = line.starts_with("1 2");
  if (is_rfc5424) line.remove_prefix(2);
  const auto at = line.empty() ? std::nullopt : take_moment(line);
  if (!at) return std::nullopt;
  LogLine out{.at = *at};
  if (!(is_rfc5424 ? take_header(line, out) : take_tag(line, out))) return std::nullopt;
  strange_ = 0;
  return out;
}

bool is_by_program(std::string_view program, std::string_view uid, std::string_view comm) {
  // Accounts of people begin here (adduser.conf, useradd's login.defs).
  constexpr std::uint64_t kPeople = 1000;
  constexpr std::size_t kMostOfComm = 15;  // so much the kernel keeps of a name
  std::uint64_t value = 0;
  const auto [end, fault] = std::from_chars(uid.data(), uid.data() + uid.size(), value);
  const bool is_of_people =
      fault == std::errc{} && end == uid.data() + uid.size() && value >= kPeople;
  // Postfix' are called as the last part says: postfix/relay/smtp is smtp.
  const auto part = program.substr(program.rfind('/') + 1);
  return !is_of_people && (comm.empty() || comm == part.substr(0, kMostOfComm));
}

}  // namespace probes::reports

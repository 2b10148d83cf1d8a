#include "config/time.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include <fmt/format.h>

namespace config {
namespace {

using namespace std::chrono_literals;

constexpr Seconds longest_duration = std::chrono::years{10};

// RFC 3339 has four digits for the year: what lies beyond is shown as the first or last moment it
// can say.
constexpr Time first_moment = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
constexpr Time last_moment = std::chrono::sys_days{std::chrono::year{10000} / 1 / 1} - 1s;

// A whole number from `text` and nothing else: no sign, no space, no fraction.
template <class Number>
std::optional<Number> digits(std::string_view text) {
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.starts_with('-') || error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

std::optional<Seconds> unit_of(char letter) {
  switch (letter) {
    case 's':
      return 1s;
    case 'm':
      return 1min;
    case 'h':
      return 1h;
    case 'd':
      return std::chrono::days{1};
    default:
      return std::nullopt;
  }
}

// Every digit of the pattern stands for a digit, every other character for itself.
bool has_shape(std::string_view text, std::string_view pattern) {
  return std::ranges::equal(text, pattern, [](char given, char wanted) {
    return wanted == '0' ? given >= '0' && given <= '9' : given == wanted;
  });
}

}  // namespace

std::string rfc3339(Time time) {
  const Time shown = std::clamp(time, first_moment, last_moment);
  const auto day = std::chrono::floor<std::chrono::days>(shown);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{shown - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::optional<Time> parse_rfc3339(std::string_view text) {
  if (!has_shape(text, "0000-00-00T00:00:00Z")) return std::nullopt;
  const auto part = [text](std::size_t from, std::size_t length) {
    return digits<unsigned>(text.substr(from, length)).value_or(0);  // has_shape saw digits only
  };
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(part(0, 4))},
                                         std::chrono::month{part(5, 2)},
                                         std::chrono::day{part(8, 2)}};
  const unsigned hour = part(11, 2);
  const unsigned minute = part(14, 2);
  const unsigned second = part(17, 2);
  // A leap second (:60) has no place in sys_seconds, so it is no time for us.
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         Seconds{second};
}

std::optional<Seconds> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto unit = unit_of(text.back());
  const auto count = digits<std::int64_t>(text.substr(0, text.size() - 1));
  if (!unit || !count || *count > longest_duration / *unit) return std::nullopt;
  return *count * *unit;
}

}  // namespace config

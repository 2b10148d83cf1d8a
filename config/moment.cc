#include "config/moment.h"

#include <charconv>
#include <chrono>
#include <string>
#include <system_error>

namespace config {
namespace {

// What follows the seconds: a fraction and the zone, as seconds east of UTC.
std::optional<Seconds> offset(std::string_view rest) {
  if (rest.starts_with('.')) {
    const auto end = rest.find_first_not_of("0123456789", 1);
    if (end == 1 || rest.size() == 1) return std::nullopt;
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
  }
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (rest.empty() || rest == "Z" || rest == "z" || rest == "UTC" || rest == "GMT")
    return Seconds{0};
  if (rest[0] != '+' && rest[0] != '-') return std::nullopt;
  std::string clock{rest.substr(1)};  // "02", "0200", "02:00"
  if (clock.size() == 2) clock += "00";
  if (clock.size() == 5 && clock[2] == ':') clock.erase(2, 1);
  int both = 0;
  const auto* const end = clock.data() + clock.size();
  const auto [stop, fault] = std::from_chars(clock.data(), end, both);
  if (clock.size() != 4 || fault != std::errc{} || stop != end || both < 0) return std::nullopt;
  if (both / 100 > 23 || both % 100 > 59) return std::nullopt;
  const auto out = std::chrono::hours{both / 100} + std::chrono::minutes{both % 100};
  return rest[0] == '-' ? -out : out;
}

}  // namespace

std::optional<Time> parse_moment(std::string_view text) {
  constexpr std::size_t kPlain = 19;  // "2026-01-02T03:04:05"
  if (text.size() < kPlain) return std::nullopt;
  std::string zoned(text, 0, kPlain);
  if (zoned[10] == ' ' || zoned[10] == 't') zoned[10] = 'T';
  if (zoned.ends_with(":60")) {
    zoned[17] = '5';
    zoned[18] = '9';
  }
  zoned += 'Z';
  const auto time = parse_rfc3339(zoned);
  const auto east = offset(text.substr(kPlain));
  if (!time || !east) return std::nullopt;
  return *time - *east;
}

}  // namespace config

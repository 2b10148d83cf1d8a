#include "agent/history/cadence.h"

#include <algorithm>
#include <cstdint>

namespace agent {
namespace {

// FNV-1a, for an even spread that stays the same from run to run.
std::uint64_t spread(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

}  // namespace

config::Seconds next_wait(const config::Schedule& schedule, ProbeOutcome pace, int failures,
                          std::string_view name) {
  switch (pace) {
    case ProbeOutcome::confirming:
      return schedule.confirm_after;
    case ProbeOutcome::impaired: {
      auto wait = schedule.retry_after;
      for (int i = 1; i < failures && wait < schedule.interval; ++i) wait *= 2;
      return std::min(wait, schedule.interval);
    }
    case ProbeOutcome::steady:
      break;
  }
  const auto tenth = schedule.interval.count() / 10;
  const auto jitter =
      static_cast<std::int64_t>(spread(name) % static_cast<std::uint64_t>(2 * tenth + 1)) - tenth;
  return schedule.interval + config::Seconds{jitter};
}

config::Seconds first_wait(const config::Schedule& schedule, std::string_view name) {
  const auto width = std::clamp<std::int64_t>(schedule.interval.count() / 10, 1, 60);
  return config::Seconds{
      static_cast<std::int64_t>(spread(name) % static_cast<std::uint64_t>(width))};
}

Cadence cadence_of(const History& history, config::Time at) {
  Cadence out;
  auto changed = kEver;
  for (const auto& server : history.servers) {
    for (std::size_t i = 0; i < server.size(); ++i) {
      const auto& given = server[i];
      const auto ttl = given.fails ? config::Seconds{0} : std::max(given.ttl, given.alias_ttl);
      const bool is_held = i + 1 == server.size() || at < server[i + 1].began.by + ttl;
      if (is_held) out.longest_ttl = std::max(out.longest_ttl, ttl);
      if (i > 0) changed = std::max(changed, given.began.by);
    }
  }
  for (const auto& endpoint : history.endpoints) {
    if (endpoint.presented.size() > 1)
      changed = std::max(changed, endpoint.presented.back().began.by);
  }
  out.is_changing = changed != kEver && at < changed + 2 * out.longest_ttl;
  return out;
}

config::Seconds interval_for(const config::Schedule& schedule, config::Seconds longest_ttl,
                             bool is_changing) {
  if (longest_ttl.count() == 0) return schedule.interval;
  const auto least = std::min(schedule.fastest, schedule.interval);
  return std::clamp(longest_ttl / (is_changing ? 10 : 4), least, schedule.interval);
}

}  // namespace agent

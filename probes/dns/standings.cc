#include "probes/dns/standings.h"

#include <algorithm>
#include <numeric>

namespace probes::dns {

std::vector<std::size_t> Standings::order(Moment at) {
  const config::Lock lock(mutex_);
  std::vector<std::size_t> out(entries_.size());
  std::iota(out.begin(), out.end(), std::size_t{0});
  std::ranges::stable_sort(out, {}, [&](std::size_t one) REQUIRES(mutex_) {
    return std::max(entries_[one].banned_until, at);
  });
  auto& first = entries_[out.front()];
  if (first.failures > 0 && first.banned_until <= at) first.banned_until = at + kFirstBan;
  return out;
}

void Standings::record_reply(std::size_t resolver, Heard heard, Duration took, Moment at,
                             std::size_t about) {
  const config::Lock lock(mutex_);
  auto& entry = entries_.at(resolver);
  if (heard != Heard::nothing) entry.took = took;
  if (heard == Heard::well && took <= kSlow) {
    entry.failures = 0;
    entry.banned_until = {};
    return;
  }
  constexpr unsigned kDoublings = 4;
  const auto ban = std::min(kFirstBan * (1U << std::min(entry.failures, kDoublings)), kLongestBan);
  if (entry.failures == 0 || entry.about != about) ++entry.failures;
  entry.about = about;
  entry.banned_until = at + ban;
}

bool Standings::is_poor(Moment at) const {
  const config::Lock lock(mutex_);
  return std::ranges::all_of(
      entries_, [&](const Entry& one) { return one.failures >= kPoor && one.banned_until > at; });
}

void Standings::doubt(Moment at) {
  const config::Lock lock(mutex_);
  doubted_until_ = at + kDoubted;
}

bool Standings::is_doubted(Moment at) const {
  const config::Lock lock(mutex_);
  return at < doubted_until_;
}

Standings::Duration Standings::patience(std::size_t resolver) const {
  constexpr Duration kMost{3000};
  const config::Lock lock(mutex_);
  return std::min(2 * entries_.at(resolver).took, kMost);
}

}  // namespace probes::dns

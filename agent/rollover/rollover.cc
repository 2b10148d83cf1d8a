#include "agent/rollover/rollover.h"

#include <algorithm>
#include <array>
#include <set>

#include "agent/rollover/caches.h"

namespace agent {

using config::Seconds;
using config::Time;

Rollovers::Rollovers(History history) : history_(std::move(history)), reaches_(reaches(history_)) {
  sweep();
}

// When anything begins, or can no longer be held.
std::vector<Time> Rollovers::breaks() const {
  std::set<Time> out;
  for (const auto at : publication_times(history_)) out.insert(at);
  for (const auto& endpoint : history_.endpoints) {
    for (const auto& shown : endpoint.presented) out.insert(shown.began.by);
  }
  for (const auto& reach : reaches_) {
    if (reach.until != kNever) out.insert(reach.until);
  }
  return {out.begin(), out.end()};
}

namespace {

// How long it takes until the share of caches that refuse is what it will be for ever. Where
// servers go on giving sets with different TTLs, caches come to hold that of the longest bit by
// bit; which matters when one refuses and another does not.
Seconds settling_time(const History& history, Time last) {
  constexpr int kLongest = 21;    // then all is even again (caches.cc)
  constexpr int kShortest = 200;  // far more than it takes to lose those of the shortest
  const auto now = served(history, last);
  const auto is_split = std::ranges::any_of(presented(history, last), [&](std::size_t chain) {
    const auto refused = std::ranges::count_if(now, [&](const Publication* given) {
      return demand(history, given->set, chain) == Demand::refused;
    });
    return refused > 0 && refused < std::ssize(now);
  });
  if (!is_split) return Seconds{1};
  const auto [shortest, longest] = std::ranges::minmax(now, {}, &Publication::ttl);
  if (shortest->ttl == longest->ttl) return Seconds{1};
  return std::min(kLongest * std::max(longest->ttl, longest->alias_ttl) + Seconds{1},
                  kShortest * std::max(shortest->ttl, Seconds{1}));
}

// What the reference sender meets: a handshake that offers every type of key.
std::vector<std::size_t> presented_by_default(const History& history, Time at) {
  std::vector<std::size_t> out;
  for (const auto& endpoint : history.endpoints) {
    const bool is_asked_for =
        std::ranges::any_of(std::array{"/rsa", "/ecdsa", "/eddsa"},
                            [&](const char* type) { return endpoint.name.ends_with(type); });
    const auto* shown = is_asked_for ? nullptr : own_item_at(endpoint, at);
    if (shown != nullptr) out.push_back(shown->chain);
  }
  return out;
}

}  // namespace

void Rollovers::sweep() {
  const auto times = breaks();
  if (times.empty() || publication_times(history_).empty()) return;
  const auto begin = publication_times(history_).front();
  Caches caches(history_);
  const auto refused = [&](Time at, const Caches::Shares& shares) {
    const auto chains = presented(history_, at);
    if (chains.empty()) return 0.0;
    double sum = 0;
    for (const auto chain : chains) {
      for (std::size_t set = 0; set < shares.size(); ++set) {
        if (shares[set] > 0 && demand(history_, set, chain) == Demand::refused) sum += shares[set];
      }
    }
    return sum / static_cast<double>(chains.size());
  };
  const auto held = [&](Time at, const Caches::Shares& shares) {
    const auto chains = presented_by_default(history_, at);
    if (chains.empty()) return 0.0;
    double sum = 0;
    for (std::size_t set = 0; set < shares.size(); ++set) {
      if (shares[set] > 0 && std::ranges::all_of(chains, [&](std::size_t chain) {
            return demand(history_, set, chain) == Demand::refused;
          }))
        sum += shares[set];
    }
    return sum;
  };
  const auto hear = [&](Time from, Time until, const Caches::Shares& first,
                        const Caches::Shares& middle, const Caches::Shares& last) {
    stretches_.push_back({from,
                          until,
                          {refused(from, first), refused(from, middle), refused(from, last)},
                          {held(from, first), held(from, middle), held(from, last)}});
  };
  for (const auto at : times) {
    if (at > begin) caches.advance(at, hear);
  }
  // What holds then holds for ever.
  const auto last = std::max(times.back(), begin);
  caches.advance(last + settling_time(history_, last), hear);
  stretches_.back().until = kNever;
}

std::optional<double> Rollovers::share(Course Stretch::*which, Time at) const {
  if (presented(history_, at).empty() || at < history_.forgotten_until) return std::nullopt;
  const auto after = std::ranges::upper_bound(stretches_, at, {}, &Stretch::from);
  if (after == stretches_.begin()) return std::nullopt;
  const auto& on = *std::prev(after);
  const auto& course = on.*which;
  if (on.until == kNever || on.until == on.from) return course.begin;
  const double x = std::chrono::duration<double>(at - on.from) / (on.until - on.from);
  return course.begin * (1 - x) * (1 - 2 * x) + course.middle * 4 * x * (1 - x) +
         course.end * x * (2 * x - 1);
}

std::optional<double> Rollovers::exposure(Time from, Time until) const {
  if (from < history_.forgotten_until) return std::nullopt;
  double sum = 0;
  for (const auto& on : stretches_) {
    if (on.until <= from || on.from >= until) continue;
    const auto& share = on.failing;
    if (on.until == kNever && until == kNever) {
      if (share.begin > 0) return std::nullopt;
      continue;
    }
    // `from` and `until` are breaks, so that no stretch lies across them, but the last.
    const auto length = std::min(on.until, until) - std::max(on.from, from);
    sum += static_cast<double>(length.count()) * (share.begin + 4 * share.middle + share.end) / 6;
  }
  return sum;
}

std::vector<Window> Rollovers::windows() const {
  std::vector<std::pair<Time, Time>> spans;
  for (const auto& endpoint : history_.endpoints) {
    if (endpoint.is_anothers) continue;
    for (std::size_t i = 0; i < endpoint.presented.size(); ++i) {
      const auto& shown = endpoint.presented[i];
      const auto end =
          i + 1 < endpoint.presented.size() ? endpoint.presented[i + 1].began.by : kNever;
      for (const auto& reach : reaches_) {
        if (demand(history_, reach.set, shown.chain) != Demand::refused) continue;
        const auto from = std::max(reach.from, shown.began.by);
        const auto until = std::min(reach.until, end);
        if (from < until) spans.emplace_back(from, until);
      }
    }
  }
  std::ranges::sort(spans);
  std::vector<Window> out;
  for (const auto& [from, until] : spans) {
    if (out.empty() || (out.back().until && *out.back().until < from))
      out.push_back({from, std::nullopt}), out.back().until = from;
    if (!out.back().until) continue;
    if (until == kNever) {
      out.back().until = std::nullopt;
    } else {
      out.back().until = std::max(*out.back().until, until);
    }
  }
  return out;
}

std::vector<std::string> Rollovers::refused_keys(Time at) const {
  std::set<std::string> out;
  for (const auto chain : presented(history_, at)) {
    const bool is_refused = std::ranges::any_of(reaches_, [&](const Reach& reach) {
      return reach.from <= at && at < reach.until &&
             demand(history_, reach.set, chain) == Demand::refused;
    });
    if (is_refused) out.insert(history_.chains[chain].front());
  }
  return {out.begin(), out.end()};
}

RolloverStanding Rollovers::at(Time at) const {
  // When the owner leaves an alias, its set is of no use any more: that it will be so is not known
  // before.
  const bool is_told_too_much = std::ranges::any_of(history_.servers, [&](const auto& server) {
    return !server.empty() && server.back().began.by > at &&
           std::ranges::any_of(server, [](const auto& given) { return given.alias.has_value(); });
  });
  RolloverStanding out;
  if (is_told_too_much) {
    const auto known = known_at(history_, at);
    out = stand(known, agent::reaches(known), at);
  } else {
    out = stand(history_, reaches_, at);
  }
  out.failing_share = share(&Stretch::failing, at);
  out.held_share = share(&Stretch::held, at).value_or(0);
  for (const auto& window : windows()) {
    if (window.from <= at && (!window.until || at < *window.until)) out.window = window;
  }
  return out;
}

std::vector<Time> Rollovers::turning_points() const {
  std::set<Time> out;
  for (const auto at : breaks()) out.insert(at);
  if (history_.forgotten_until != kEver) out.insert(history_.forgotten_until);
  for (std::size_t record = 0; record < history_.records.size(); ++record) {
    const auto accepts = accepting(history_, record);
    for (const auto& run : runs_of(history_, accepts)) {
      for (const auto known_at : {run.began.by, run.ended ? run.ended->by : kNever}) {
        const auto wait = cache_time(history_, reaches_, run, accepts, known_at);
        for (const auto at : {run.began.by + wait, run.began.by + 2 * wait}) {
          if (run.covers(at)) out.insert(at);
        }
      }
    }
  }
  // When a record is no longer one to come.
  for (const auto& server : history_.servers) {
    for (const auto& given : server) out.insert(given.began.by + kNextRecordAtMost);
  }
  for (const auto& endpoint : history_.endpoints) {
    for (const auto& shown : endpoint.presented) out.insert(shown.began.by + kNextRecordAtMost);
  }
  return {out.begin(), out.end()};
}

std::vector<Rollover> Rollovers::graded() const {
  auto out = grade(history_, reaches_);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto end = i + 1 < out.size() ? out[i + 1].begins_at : kNever;
    out[i].exposure_seconds = exposure(out[i].begins_at, end);
  }
  return out;
}

}  // namespace agent

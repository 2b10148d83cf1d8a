#include "agent/rollover/grading.h"

#include <algorithm>

namespace agent {
namespace {

using config::Seconds;
using config::Time;

// How long a record may come after its key and still be late rather than missing.
constexpr Seconds kLateAtMost = std::chrono::hours{24};

// One change of key, at one endpoint or at several one after the other.
struct Change {
  std::size_t from = 0;
  std::size_t to = 0;
  Began deployed;             // at the first endpoint
  std::optional<Began> gone;  // when the last endpoint left the old one; null: some still has it
};

struct Step {
  Began began;
  std::size_t endpoint;
  std::size_t from;
  std::size_t to;
};

std::vector<Step> steps_of(const History& history) {
  std::vector<Step> out;
  for (std::size_t i = 0; i < history.endpoints.size(); ++i) {
    if (history.endpoints[i].is_anothers) continue;
    const auto& shown = history.endpoints[i].presented;
    for (std::size_t j = 1; j < shown.size(); ++j) {
      if (!is_same_key(history, shown[j - 1].chain, shown[j].chain))
        out.push_back({shown[j].began, i, shown[j - 1].chain, shown[j].chain});
    }
  }
  std::ranges::stable_sort(out, {}, [](const Step& step) { return step.began.by; });
  return out;
}

// When the last of the endpoints that presented the chain just before `at` left it.
std::optional<Began> last_left(const History& history, std::size_t chain, Time at) {
  Began out{kEver, kEver};
  for (const auto& endpoint : history.endpoints) {
    const auto& shown = endpoint.presented;
    auto next =
        std::ranges::find_if(shown, [&](const Presented& one) { return one.began.by >= at; });
    if (next == shown.begin() || !is_same_key(history, std::prev(next)->chain, chain)) continue;
    while (next != shown.end() && is_same_key(history, next->chain, chain)) ++next;
    if (next == shown.end()) return std::nullopt;
    out.after = std::max(out.after, next->began.after);
    out.by = std::max(out.by, next->began.by);
  }
  return out;
}

// How far apart two moments are, at least and at most; null where there is no bound.
struct Gap {
  std::optional<Seconds> at_least;
  std::optional<Seconds> at_most;
};

Gap gap(const Began& later, const Began& earlier) {
  Gap out;
  if (later.after != kEver) out.at_least = later.after - earlier.by;
  if (earlier.after != kEver) out.at_most = later.by - earlier.after;
  return out;
}

Grade grade_of_lead(Seconds lead, Seconds cache_time) {
  if (lead >= 2 * cache_time && lead >= Seconds{0}) return Grade::safe;
  if (lead >= cache_time) return Grade::tight;
  if (lead >= Seconds{0}) return Grade::early;
  return -lead <= std::max(kLateAtMost, 2 * cache_time) ? Grade::late : Grade::never;
}

// The set is ready for the new key alone: by a record that fits it and not the key before it, or
// because it demands nothing of anybody.
bool is_for_new(const History& history, std::size_t set, std::size_t from, std::size_t to) {
  return !demands(history, set) ||
         std::ranges::any_of(history.sets[set].compared, [&](std::size_t record) {
           return history.fits[record][to] && !history.fits[record][from];
         });
}

// The set accepts both keys by one record: that of an anchor above them.
bool is_for_both(const History& history, std::size_t set, std::size_t from, std::size_t to) {
  return !demands(history, set) ||
         std::ranges::any_of(history.sets[set].compared, [&](std::size_t record) {
           return history.fits[record][to] && history.fits[record][from];
         });
}

// The names of what changed: the leaf, or else the first certificate that did.
std::pair<std::string, std::string> names_of(const History& history, std::size_t from,
                                             std::size_t to) {
  const auto& a = history.chains[from];
  const auto& b = history.chains[to];
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i] != b[i]) return {a[i], b[i]};
  }
  return {a.front(), b.front()};
}

// The steps, those of one change of key taken together.
std::vector<Change> changes_of(const History& history) {
  std::vector<Change> changes;
  for (const auto& step : steps_of(history)) {
    const auto is_same = [&](std::size_t from, std::size_t to, const Change& change) {
      return is_same_key(history, change.from, from) && is_same_key(history, change.to, to);
    };
    // It goes on with one under way, unless that has been taken back since.
    const auto under_way = std::find_if(changes.rbegin(), changes.rend(), [&](const Change& one) {
      return is_same(step.from, step.to, one) || is_same(step.to, step.from, one);
    });
    if (under_way != changes.rend() && is_same(step.from, step.to, *under_way) &&
        under_way->gone.value_or(Began{kNever, kNever}).by >= step.began.by)
      continue;
    changes.push_back({.from = step.from,
                       .to = step.to,
                       .deployed = step.began,
                       .gone = last_left(history, step.from, step.began.by)});
  }
  return changes;
}

// How one change of key went.
class Grading {
 public:
  Grading(const History& history, const std::vector<Reach>& reaches, const Change& change)
      : history_(history),
        reaches_(reaches),
        from_(change.from),
        to_(change.to),
        deployed_(change.deployed),
        gone_(change.gone),
        left_(last_left_of_new()) {
    find_publication();
    find_retirement();
  }

  // The change mattered to nobody: no set was about that demands anything.
  [[nodiscard]] bool is_moot() const {
    return std::ranges::none_of(reaches_, [&](const Reach& reach) {
      return reach.from <= deployed_.by && deployed_.by < reach.until &&
             demands(history_, reach.set);
    });
  }

  [[nodiscard]] Grade grade() const {
    if (retired_) {
      const auto early = gone_ ? gap(*retired_, *gone_) : Gap{};
      const bool is_certain =
          !gone_ || (early.at_most && (*early.at_most < Seconds{0} ||
                                       (*early.at_most == Seconds{0} && gone_->after < gone_->by)));
      if (is_certain) return Grade::early_retire;
      if (!early.at_least || *early.at_least < Seconds{0}) return Grade::indeterminate;
    }
    const auto by_lead = grade_by_lead();
    const bool is_proven = by_lead == Grade::late || by_lead == Grade::never;
    if (deployed_.by < history_.forgotten_until && !is_proven) return Grade::indeterminate;
    if (by_lead != Grade::safe && is_held_by_anchor()) return Grade::safe_via_ta;
    const bool is_bad =
        by_lead == Grade::early || by_lead == Grade::late || by_lead == Grade::never;
    return is_bad && is_refused_by_none() ? Grade::safe_via_ta : by_lead;
  }

  [[nodiscard]] Gap lead() const { return published_ ? gap(deployed_, *published_) : Gap{}; }

  // When trouble with it can have begun.
  [[nodiscard]] Time begin() const {
    return retired_ ? std::min(retired_->by, deployed_.by) : deployed_.by;
  }

 private:
  // Until when any endpoint has the new key.
  [[nodiscard]] Time last_left_of_new() const {
    const auto left = last_left(history_, to_, deployed_.by + Seconds{1});
    return left ? std::max(left->by, deployed_.by) : kNever;
  }

  void find_publication() {
    const auto is_new = [&](std::size_t set) { return is_for_new(history_, set, from_, to_); };
    const auto runs = runs_of(history_, is_new);
    for (const auto& run : runs) {
      const bool is_in_time =
          run.covers(deployed_.by) || (run.began.by > deployed_.by && run.began.by < left_);
      if (!is_in_time) continue;
      published_ = run.began;
      cache_time_ = cache_time(history_, reaches_, run, is_new, deployed_.by);
      return;
    }
  }

  // The end of the run in which no server refused the old key, but those that lag; if it was bound
  // in it.
  void find_retirement() {
    const auto runs =
        runs_while(history_, [&](const std::vector<const Publication*>& served, Time /*from*/) {
          return std::ranges::all_of(served, [&](const Publication* given) {
            return demand(history_, given->set, from_) != Demand::refused ||
                   is_lagging(history_, *given, served);
          });
        });
    for (const auto& run : runs) {
      if (run.began.by <= deployed_.by) retired_ = was_bound(run) ? run.ended : std::nullopt;
    }
  }

  [[nodiscard]] bool was_bound(const Run& run) const {
    return std::ranges::any_of(history_.servers, [&](const auto& server) {
      return std::ranges::any_of(server, [&](const Publication& given) {
        return !given.fails && run.covers(given.began.by) &&
               demand(history_, given.set, from_) == Demand::met;
      });
    });
  }

  [[nodiscard]] Grade grade_by_lead() const {
    const auto apart = lead();
    if (!published_) {
      const bool is_over = !history_.known_until || left_ != kNever ||
                           *history_.known_until - deployed_.by > kLateAtMost;
      return is_over ? Grade::never : Grade::indeterminate;
    }
    if (!apart.at_least) return Grade::indeterminate;
    const auto worst = grade_of_lead(*apart.at_least, cache_time_);
    const auto best = apart.at_most ? grade_of_lead(*apart.at_most, cache_time_) : Grade::safe;
    return worst == best ? worst : Grade::indeterminate;
  }

  // Every set that was held when the new key came accepts it as it did the old one.
  [[nodiscard]] bool is_held_by_anchor() const {
    return std::ranges::all_of(reaches_, [&](const Reach& reach) {
      return reach.from > deployed_.by || reach.until <= deployed_.by ||
             is_for_both(history_, reach.set, from_, to_);
    });
  }

  // No set that was held when the new key came refuses it, whichever record of each accepts it;
  // where the moment is known.
  [[nodiscard]] bool is_refused_by_none() const {
    return deployed_.after == deployed_.by &&
           std::ranges::none_of(reaches_, [&](const Reach& reach) {
             return reach.from <= deployed_.by && deployed_.by < reach.until &&
                    demand(history_, reach.set, to_) == Demand::refused;
           });
  }

  const History& history_;
  const std::vector<Reach>& reaches_;
  std::size_t from_, to_;
  Began deployed_;
  std::optional<Began> gone_;
  Time left_;
  std::optional<Began> published_;
  Seconds cache_time_{0};
  std::optional<Began> retired_;
};

}  // namespace

std::string_view wire_name(Grade grade) {
  switch (grade) {
    case Grade::safe:
      return "safe";
    case Grade::safe_via_ta:
      return "safe-via-ta";
    case Grade::tight:
      return "tight";
    case Grade::early:
      return "early";
    case Grade::late:
      return "late";
    case Grade::never:
      return "never";
    case Grade::early_retire:
      return "early-retire";
    case Grade::indeterminate:
      return "indeterminate";
  }
  return "";
}

std::vector<Rollover> grade(const History& history, const std::vector<Reach>& reaches) {
  std::vector<Rollover> out;
  for (const auto& change : changes_of(history)) {
    const Grading grading(history, reaches, change);
    if (grading.is_moot()) continue;
    const auto [from, to] = names_of(history, change.from, change.to);
    const auto grade = grading.grade();
    const auto lead = grading.lead();
    out.push_back(
        {.from = from,
         .to = to,
         .grade = grade,
         .lead_at_least = lead.at_least,
         .lead_at_most = lead.at_most,
         .exposure_seconds = std::nullopt,
         .deployed_at = change.deployed.by,
         .begins_at = grade == Grade::early_retire ? grading.begin() : change.deployed.by});
  }
  return out;
}

}  // namespace agent

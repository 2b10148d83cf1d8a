#include "agent/rollover/siblings.h"

#include <algorithm>
#include <optional>

#include "agent/rollover/rollover_state.h"
#include "probes/dane/usable.h"

namespace agent {
namespace {

using config::Time;

// The records of one usage, selector and matching type.
class Provision {
 public:
  Provision(const History& history, std::vector<std::size_t> records, Time at)
      : history_(history), records_(std::move(records)), at_(at) {}

  void add_siblings(std::set<std::size_t>& out) const {
    const auto chains = presented_at_owner(history_, at_);
    const bool is_met = !chains.empty() && std::ranges::all_of(chains, [&](std::size_t chain) {
      return std::ranges::any_of(records_,
                                 [&](std::size_t record) { return history_.fits[record][chain]; });
    });
    if (!is_met) return;
    for (const auto record : records_) {
      if (!fits_now(record) && !history_.mistakes.contains(record) && is_sibling(record))
        out.insert(record);
    }
  }

 private:
  [[nodiscard]] bool is_sibling(std::size_t record) const {
    // Who changes anchors publishes one more.
    const bool has_unused_mate = std::ranges::any_of(
        records_, [&](std::size_t other) { return other != record && !first_fit(other); });
    if (has_unused_mate) return true;
    const auto since = seen_since(history_, record, at_);
    return std::ranges::any_of(records_, [&](std::size_t mate) {
      if (!fits_now(mate)) return false;
      const auto mate_since = seen_since(history_, mate, at_);
      if (!first_fit(record)) return since <= mate_since || at_ - since >= kNextRecordAtMost;
      // Left for a record that came after it: unless that had stood by for long, or there is a
      // habit of coming back.
      return since >= mate_since || *first_fit(mate) - mate_since >= kNextRecordAtMost ||
             came_back(record);
    });
  }

  [[nodiscard]] bool fits_now(std::size_t record) const {
    return std::ranges::any_of(presented_at_owner(history_, at_),
                               [&](std::size_t chain) { return history_.fits[record][chain]; });
  }

  [[nodiscard]] std::optional<Time> first_fit(std::size_t record) const {
    std::optional<Time> out;
    for (const auto& endpoint : history_.endpoints) {
      for (const auto& shown : endpoint.presented) {
        if (shown.began.by > at_ || !history_.fits[record][shown.chain]) continue;
        out = std::min(out.value_or(kNever), shown.began.by);
      }
    }
    return out;
  }

  // An endpoint left what the record fits, and returned to it, if only to leave it again.
  [[nodiscard]] bool came_back(std::size_t record) const {
    return std::ranges::any_of(history_.endpoints, [&](const Endpoint& endpoint) {
      int times = 0;
      bool fitted = false;
      for (const auto& shown : endpoint.presented) {
        if (shown.began.by > at_) break;
        const bool fits = history_.fits[record][shown.chain];
        if (fits && !fitted) ++times;
        fitted = fits;
      }
      return times > 1;
    });
  }

  const History& history_;
  std::vector<std::size_t> records_;
  Time at_;
};

}  // namespace

std::set<std::size_t> siblings_at(const History& history, Time at) {
  std::map<std::pair<int, int>, std::set<std::size_t>> provisions;
  for (const auto* given : served(history, at)) {
    for (const auto record : history.sets[given->set].compared) {
      const auto& fields = history.records[record];
      if (fields.usage == probes::dane::kDaneTa)
        provisions[{fields.selector, fields.matching_type}].insert(record);
    }
  }
  std::set<std::size_t> out;
  for (const auto& [fields, records] : provisions)
    Provision(history, {records.begin(), records.end()}, at).add_siblings(out);
  return out;
}

}  // namespace agent

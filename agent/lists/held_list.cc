#include "agent/lists/held_list.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace agent {
namespace {

using config::ListedDomain;
using config::Time;

std::unordered_set<std::string_view> names_of(const std::vector<ListedDomain>& list) {
  std::unordered_set<std::string_view> out;
  for (const auto& one : list) out.insert(one.name);
  return out;
}

// A fifth itself is no more than a fifth.
bool is_too_much(std::size_t lost, std::size_t of) {
  return lost * 5 > of;
}

}  // namespace

HeldList::Taken HeldList::take(std::vector<ListedDomain> read, Time at) {
  std::vector<std::string> lost;
  std::size_t of = 0;
  {
    const auto there = names_of(read);
    for (const auto& one : domains_) {
      if (one.missing_since) continue;
      ++of;
      if (!there.contains(one.listed.name)) lost.push_back(one.listed.name);
    }
  }
  if (!is_too_much(lost.size(), of)) return go_by(std::move(read), at);
  const auto since = refusal_ ? refusal_->since : at;
  refusal_ = Refusal{.since = since, .list = std::move(read), .lost = std::move(lost), .of = of};
  return Taken::refused;
}

bool HeldList::accept(Time at) {
  if (!refusal_) return false;
  auto list = std::move(refusal_->list);
  go_by(std::move(list), at);
  return true;
}

HeldList::Taken HeldList::go_by(std::vector<ListedDomain> list, Time at) {
  std::vector<HeldDomain> next;
  next.reserve(list.size());
  {
    const auto there = names_of(list);
    for (const auto& one : domains_) {
      if (there.contains(one.listed.name)) continue;
      next.push_back({one.listed, one.missing_since.value_or(at)});
    }
  }
  for (auto& one : list) next.push_back({std::move(one), std::nullopt});
  // A source may name them in another order each time.
  std::ranges::sort(next, {},
                    [](const HeldDomain& one) { return std::string_view(one.listed.name); });
  const bool is_same = next == domains_;
  domains_ = std::move(next);
  read_at_ = at;
  refusal_.reset();
  return is_same ? Taken::unchanged : Taken::changed;
}

bool HeldList::forget_missing(Time at) {
  const auto gone = std::erase_if(domains_, [&](const HeldDomain& one) {
    return one.missing_since && at - *one.missing_since >= kMissingKept;
  });
  return gone > 0;
}

std::size_t HeldList::missing() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      domains_, [](const HeldDomain& one) { return one.missing_since.has_value(); }));
}

void add_domains(config::Config& config, const config::DomainList& settings, const HeldList& list) {
  std::unordered_set<std::string> known;
  for (const auto& domain : config.domains) known.insert(domain.name);
  for (const auto& [listed, missing_since] : list.domains()) {
    if (!known.insert(listed.name).second) continue;
    config.domains.push_back({.name = listed.name,
                              .role = listed.role.value_or(settings.role),
                              .group = listed.group.value_or(settings.group)});
  }
}

}  // namespace agent

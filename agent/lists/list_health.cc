#include "agent/lists/list_health.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace agent {
namespace {

std::string in_words(const ListHealth& list, const ListHealth::Refusal& refusal) {
  constexpr std::size_t kShown = 5;
  const auto& lost = refusal.lost;
  const auto shown = std::span{lost}.first(std::min(lost.size(), kShown));
  return fmt::format(
      "{} ({}) lost {} of {} names at once and is not gone by: {}{}; if that is right, say so: "
      "danelaw accept-list {}, or the button under /status",
      list.name, list.source, lost.size(), refusal.of, fmt::join(shown, ", "),
      lost.size() > kShown ? " …" : "", list.name);
}

std::string in_words(const ListHealth& list, const std::string& fault) {
  return fmt::format(
      "{} ({}) cannot be read{}: {}", list.name, list.source,
      list.read_at ? "; what it named at " + config::rfc3339(*list.read_at) + " is still watched"
                   : "; nothing of it is watched",
      fault);
}

}  // namespace

SelfCheck check_lists(const std::vector<ListHealth>& lists, config::Time at) {
  std::vector<std::string> faults;
  for (const auto& list : lists) {
    if (list.refusal) faults.push_back(in_words(list, *list.refusal));
    const bool is_told = !list.read_at || list.failures >= kListFailuresTold ||
                         at - *list.read_at >= kListFailuresTold * list.refresh;
    if (list.fault && is_told) faults.push_back(in_words(list, *list.fault));
  }
  SelfCheck out{.check = "domain_lists", .checked_at = at, .blinds = false};
  if (faults.empty()) return out;
  out.is_up = false;
  out.detail = fmt::format("{}", fmt::join(faults, "; "));
  return out;
}

bool are_all_tried(const std::vector<ListHealth>& lists) {
  return std::ranges::all_of(lists, &ListHealth::is_tried);
}

}  // namespace agent

#include "agent/lists/list_health.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace agent {
namespace {

constexpr std::string_view kCheck = "domain_list:";

std::string in_words(const ListHealth& list, const ListHealth::Refusal& refusal) {
  constexpr std::size_t kShown = 5;
  const auto& lost = refusal.lost;
  const auto shown = std::span{lost}.first(std::min(lost.size(), kShown));
  return fmt::format(
      "{} ({}) lost {} of {} names at once, and that is not accepted: {}{}; if it is right, say "
      "so: "
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

std::vector<SelfCheck> check_lists(const std::vector<ListHealth>& lists, config::Time at) {
  std::vector<SelfCheck> out;
  for (const auto& list : lists) {
    if (!list.is_tried) continue;
    SelfCheck check{.check = std::string(kCheck) + list.name, .checked_at = at};
    const bool is_told = !list.read_at || list.failures >= kListFailuresTold ||
                         at - *list.read_at >= kListFailuresTold * list.refresh;
    if (list.refusal) check.detail = in_words(list, *list.refusal);
    if (list.fault && is_told) {
      const auto fault = in_words(list, *list.fault);
      check.detail = check.detail ? *check.detail + "; " + fault : fault;
    }
    check.is_up = !check.detail;
    out.push_back(std::move(check));
  }
  return out;
}

std::string_view list_of_check(std::string_view check) {
  return check.starts_with(kCheck) ? check.substr(kCheck.size()) : std::string_view{};
}

}  // namespace agent

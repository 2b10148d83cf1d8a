#include "web/routes/sight.h"

#include <algorithm>

namespace web {

std::vector<const agent::SelfCheck*> blinding(const agent::Snapshot& snapshot) {
  std::vector<const agent::SelfCheck*> out;
  std::vector<agent::SelfCheck> ways_out;
  for (const auto& check : snapshot.vantage) {
    const bool is_way_out = check.check.starts_with("smtp_");
    if (is_way_out) ways_out.push_back(check);
    if (!check.is_up && check.blinds && !check.is_limit && !is_way_out && check.check != "storage")
      out.push_back(&check);
  }
  if (const auto* blocked = agent::cut_off(ways_out)) {
    const auto mine = std::ranges::find(snapshot.vantage, blocked->check, &agent::SelfCheck::check);
    if (mine != snapshot.vantage.end()) out.push_back(&*mine);
  }
  return out;
}

bool has_checked_itself(const agent::Snapshot& snapshot) {
  return std::ranges::any_of(snapshot.vantage, &agent::SelfCheck::blinds);
}

bool can_see(const agent::Snapshot& snapshot) {
  return has_checked_itself(snapshot) && blinding(snapshot).empty();
}

}  // namespace web

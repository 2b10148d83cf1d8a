#include "web/routes/own_acts.h"

#include <algorithm>

#include "web/routes/current.h"

namespace web {

bool OwnActs::is_own(const storage::Act& act) const {
  return act.by == client_.name && act.login == wire_name(client_.login);
}

bool OwnActs::has(const storage::Act& act) {
  return view_ == nullptr || is_own(act) || is_about_theirs(act);
}

storage::Act OwnActs::as_told(storage::Act act) const {
  const bool is_told = view_ == nullptr || is_own(act) ||
                       (act.subject_kind == "domain" && view_->theirs().has_domain(act.subject));
  if (is_told) return act;
  act.comment.clear();
  if (act.fault) act.fault = "refused";
  return act;
}

bool OwnActs::is_about_theirs(const storage::Act& act) {
  const auto& theirs = view_->theirs();
  if (act.subject_kind == "domain") return theirs.has_domain(act.subject);
  if (act.subject_kind == "alert") return has_alert(act.subject);
  if (act.subject_kind == "silence") {
    const auto& all = theirs.everything().silences;
    const auto found = std::ranges::find(all, act.subject, &agent::Silence::id);
    return found != all.end() && theirs.is_touched_by(*found);
  }
  if (act.subject_kind != "key") return false;
  const auto shown = view_->snapshot()->announced;
  return shown && std::ranges::any_of(shown->certificates, [&](const auto& one) {
           return agent::key_of(one) == act.subject;
         });
}

bool OwnActs::has_alert(const std::string& id) {
  const auto [entry, is_new] = alerts_.try_emplace(id, false);
  if (!is_new) return entry->second;
  const auto& theirs = view_->theirs();
  if (const auto* known = find_alert(theirs.everything(), id)) {
    entry->second = theirs.narrowed(*known).has_value();
  } else if (const auto found = queries_.alert(id); found && *found) {
    entry->second = theirs.narrowed((*found)->alert).has_value();
  }
  return entry->second;
}

}  // namespace web

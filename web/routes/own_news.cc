#include "web/routes/own_news.h"

#include <algorithm>
#include <utility>

#include "web/routes/current.h"
#include "web/routes/own_acts.h"

namespace web {

OwnNews::OwnNews(const Backend& everything, Auth::LoginAnswer client)
    : client_(std::move(client)), names_(everything, *client_.groups) {
  const auto view = as_of_now();
  for (const auto& [name, seen] : view.snapshot()->hosts) hosts_.insert(name.text());
  for (const auto& silence : view.theirs().everything().silences) {
    if (view.theirs().is_touched_by(silence)) silences_.insert(silence.id);
  }
}

bool OwnNews::has(const Feed::Event& event) {
  if (event.kind == "domain") return has_domain(event.name);
  if (event.kind == "host") return hosts_.contains(event.name);
  if (event.kind == "alert") return has_alert(event.name);
  if (event.kind == "silence") return has_silence(event.name);
  if (event.kind != "act") return event.kind == "reset";
  const auto view = as_of_now();
  return event.act && OwnActs(&view, *view.everything().queries, client_).has(*event.act);
}

bool OwnNews::has_domain(const std::string& name) {
  const auto state = names_.everything().domain(name);
  if (!state || !client_.groups->contains(state->configured->group)) return false;
  if (state->judged) {
    for (const auto& host : state->judged->hosts) hosts_.insert(host.seen->host.text());
  }
  return true;
}

bool OwnNews::has_alert(const std::string& id) const {
  const auto snapshot = names_.everything().snapshot();
  const auto* alert = find_alert(*snapshot, id);
  if (alert == nullptr) return false;
  return alert->cause.kind == probes::Subject::Kind::monitor ||
         std::ranges::any_of(alert->domains, [&](const std::string& name) {
           return names_.domain(name).has_value();
         });
}

// One that has ended is not to be found any more.
bool OwnNews::has_silence(const std::string& id) {
  const auto view = as_of_now();
  const auto& all = view.theirs().everything().silences;
  const auto found = std::ranges::find(all, id, &agent::Silence::id);
  if (found != all.end() && view.theirs().is_touched_by(*found)) silences_.insert(id);
  return silences_.contains(id);
}

}  // namespace web

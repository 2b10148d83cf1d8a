#include "agent/alerts/alert_json.h"
#include "probes/explain.h"
#include "web/routes/api.h"
#include "web/routes/current.h"
#include "web/routes/parts.h"
#include "web/routes/plans.h"
#include "web/routes/query.h"

namespace web {

using Json = nlohmann::ordered_json;

Reply Api::alerts(const Call& call) const {
  Query query(call.request);
  const auto state = query.word("state", agent::alert_state_from);
  if (auto fault = query.fault()) return *std::move(fault);
  const auto snapshot = sources_.snapshot();
  const auto found = current_alerts(*snapshot, *sources_.queries, state, kMostItems);
  const auto domains = configured(*snapshot);
  Json items = Json::array();
  for (const auto& alert : found) items.push_back(alert_json(alert, *snapshot, domains));
  return json({{"items", items}, {"next", nullptr}});
}

Reply Api::alert(const Call& call) const {
  const auto& id = call.name;
  const auto snapshot = sources_.snapshot();
  const auto* current = find_alert(*snapshot, id);
  const auto found = sources_.queries->alert(id);
  if (!found && current == nullptr) return storage_failed(found.error());
  const bool is_recorded = found && *found;
  if (current == nullptr && !is_recorded) return problem(404, "not found", "no alert of that id");
  auto out =
      alert_json(current != nullptr ? *current : (*found)->alert, *snapshot, configured(*snapshot));
  Json notices = Json::array();
  for (const auto& letter :
       is_recorded ? (*found)->letters : std::vector<storage::Queries::LetterRow>{}) {
    notices.push_back(
        {{"event", letter.notice},
         {"notifier", letter.notifier},
         {"decided_at", config::rfc3339(letter.made_at)},
         {"delivered_at", time_or_null(letter.sent_at)},
         {"attempts", letter.attempts},
         {"fault", letter.fault ? Json(probes::printable(*letter.fault)) : Json(nullptr)}});
  }
  for (const auto& sent : sources_.unrecorded_about(id)) {
    notices.push_back({{"event", wire_name(sent.letter.notice)},
                       {"notifier", sent.letter.notifier},
                       {"decided_at", config::rfc3339(sent.letter.at)},
                       {"delivered_at", time_or_null(sent.delivered_at)},
                       {"attempts", sent.attempts},
                       {"fault", nullptr}});
  }
  out["notices"] = notices;
  return json(out);
}

Reply Api::acknowledge(const Call& call) const {
  auto how = agent::acknowledgement_from_json(call.request.body, sources_.snapshot()->now);
  if (!how) return problem(400, "bad acknowledgement", how.error());
  return done_or_not_found(sources_.actions->acknowledge(call.name, std::move(*how)));
}

Reply Api::take_back(const Call& call) const {
  return done_or_not_found(sources_.actions->acknowledge(call.name, std::nullopt));
}

Reply Api::silences(const Call& /*call*/) const {
  const auto snapshot = sources_.snapshot();
  Json items = Json::array();
  for (const auto& silence : snapshot->silences)
    items.push_back(agent::to_json(silence, snapshot->now));
  return json({{"items", items}, {"next", nullptr}});
}

Reply Api::preview(const Call& call) const {
  const auto snapshot = sources_.snapshot();
  auto wanted = agent::silence_from_json(call.request.body, snapshot->now);
  if (!wanted) return problem(400, "bad silence", wanted.error());
  return json({{"items", preview_json(*snapshot, std::move(*wanted))}, {"next", nullptr}});
}

Reply Api::silence(const Call& call) const {
  const auto now = sources_.snapshot()->now;
  auto wanted = agent::silence_from_json(call.request.body, now);
  if (!wanted) return problem(400, "bad silence", wanted.error());
  const auto made = sources_.actions->silence(std::move(*wanted));
  if (!made) return problem(409, "not silenced", made.error());
  return json(agent::to_json(*made, now), 201);
}

Reply Api::end_silence(const Call& call) const {
  return done_or_not_found(sources_.actions->end_silence(call.name));
}

}  // namespace web

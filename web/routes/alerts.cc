#include <algorithm>
#include <map>
#include <set>

#include "agent/alerts/alert_json.h"
#include "agent/watch/configured.h"
#include "probes/explain.h"
#include "web/routes/api.h"
#include "web/routes/csv.h"
#include "web/routes/current.h"
#include "web/routes/parts.h"
#include "web/routes/previews.h"
#include "web/routes/query.h"

namespace web {

using Json = nlohmann::ordered_json;

namespace {

constexpr Column kAlertColumns[] = {{"id", "/id"},
                                    {"state", "/state"},
                                    {"severity", "/severity"},
                                    {"code", "/code"},
                                    {"title", "/title"},
                                    {"subject", "/subject/name"},
                                    {"domains", "/domains_count"},
                                    {"direction", "/direction"},
                                    {"first_seen_at", "/first_seen_at"},
                                    {"opened_at", "/opened_at"},
                                    {"resolved_at", "/resolved_at"},
                                    {"acknowledged_by", "/acknowledged/by"},
                                    {"silenced", "/silenced"}};

std::string in_lower_case(std::string text) {
  for (auto& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// But for state and code, of which the reader is told what there is.
struct AlertFilter {
  std::optional<probes::Severity> severity;
  std::optional<config::Role> role;
  std::optional<std::string> group, domain;
  std::optional<std::string> text;  // in lower case

  [[nodiscard]] bool fits(const agent::Alert& alert, const agent::Domains& domains) const {
    if (severity && alert.finding.severity != *severity) return false;
    if (role && alert.direction != *role) return false;
    if (domain && std::ranges::find(alert.domains, *domain) == alert.domains.end()) return false;
    if (text && !speaks_of(alert, *text)) return false;
    return !group || std::ranges::any_of(alert.domains, [&](const std::string& name) {
      const auto* configured = domains(name);
      return configured != nullptr && configured->group == *group;
    });
  }

 private:
  // Names are in lower case already.
  static bool speaks_of(const agent::Alert& alert, const std::string& text) {
    const auto has = [&](std::string_view where) { return where.find(text) != std::string::npos; };
    return has(wire_name(alert.finding.code)) || has(alert.cause.name) ||
           std::ranges::any_of(alert.domains, has) ||
           has(in_lower_case(probes::explain(alert.finding).title));
  }
};

// One alert, or the first of those that are alike: of one code and state, each a domain's own.
struct AlertRow {
  const agent::Alert* alert = nullptr;
  std::size_t alike = 0;
  std::set<std::string> domains;  // of all
};

class AlertRows {
 public:
  explicit AlertRows(bool is_by_cause) : is_by_cause_(is_by_cause) {}

  void add(const agent::Alert& alert) {
    const bool is_alike = is_by_cause_ && alert.cause.kind == probes::Subject::Kind::domain;
    const auto [place, is_new] =
        is_alike ? places_.try_emplace({alert.state, alert.finding.code}, rows_.size())
                 : std::pair{places_.end(), true};
    if (is_new) rows_.push_back({.alert = &alert});
    auto& row = is_new ? rows_.back() : rows_[place->second];
    ++row.alike;
    if (is_alike) row.domains.insert(alert.domains.begin(), alert.domains.end());
  }
  [[nodiscard]] const std::vector<AlertRow>& all() const { return rows_; }

 private:
  bool is_by_cause_;
  std::vector<AlertRow> rows_;
  std::map<std::pair<agent::AlertState, probes::Code>, std::size_t> places_;
};

Json row_json(const AlertRow& row, const agent::Snapshot& snapshot, const agent::Domains& domains) {
  auto out = short_alert_json(*row.alert, snapshot, domains);
  out["alike"] = row.alike;
  if (row.alike == 1) return out;
  out["domains_count"] = row.domains.size();
  out["title"] = without_name(out["title"].get<std::string>(), row.alert->finding.subject);
  return out;
}

}  // namespace

Reply Api::alerts(const Call& call) const {
  Query query(call.request);
  const auto states =
      query.words("state", agent::alert_state_from).value_or(std::set<agent::AlertState>{});
  const auto code = query.word("code", probes::code_from);
  auto text = query.text("q");
  if (text) text = in_lower_case(*text);
  const AlertFilter filter{.severity = query.word("severity", probes::severity_from),
                           .role = query.word("role", role_from),
                           .group = query.text("group"),
                           .domain = query.text("domain"),
                           .text = std::move(text)};
  const bool is_by_cause = query.says("group_by", "cause");
  const auto part = query.part(kMostItems, kMostItems);
  if (auto fault = query.fault()) return *std::move(fault);
  // Those that are over are told from storage: as many as it keeps of a few hundred alerts.
  constexpr std::size_t kMostAlerts = 5000;
  const auto snapshot = backend_.snapshot();
  const CurrentAlerts all(*snapshot, *backend_.queries,
                          states.size() == 1 ? std::optional{*states.begin()} : std::nullopt,
                          kMostAlerts, view_.get());
  const auto domains = configured(*snapshot);
  Json items = Json::array();
  AlertRows rows(is_by_cause);
  std::set<probes::Code> codes;
  std::map<agent::AlertState, std::size_t> counts;
  for (const auto* alert : all.alerts()) {
    if (!states.empty() && !states.contains(alert->state)) continue;
    if (!filter.fits(*alert, domains)) continue;
    codes.insert(alert->finding.code);
    if (code && alert->finding.code != *code) continue;
    ++counts[alert->state];
    rows.add(*alert);
  }
  const auto total = rows.all().size();
  for (auto i = part.offset; i < total && items.size() < part.limit; ++i)
    items.push_back(is_by_cause ? row_json(rows.all()[i], *snapshot, domains)
                                : short_alert_json(*rows.all()[i].alert, *snapshot, domains));
  if (part.is_table) return csv("alerts", kAlertColumns, items);
  Json by_state = Json::object();
  for (const auto state : {agent::AlertState::firing, agent::AlertState::pending,
                           agent::AlertState::resolved, agent::AlertState::passed})
    by_state[std::string(wire_name(state))] = counts[state];
  return page_of(std::move(items), part.offset, total,
                 {{"codes", names_of(codes)}, {"states", by_state}});
}

Reply Api::alert(const Call& call) const {
  const auto& id = call.name;
  const auto snapshot = backend_.snapshot();
  const auto* current = find_alert(*snapshot, id);
  auto found = backend_.queries->alert(id);
  if (!found && current == nullptr) return storage_failed(found.error());
  if (view_ && found && *found) {
    auto theirs = view_->theirs().narrowed((*found)->alert);
    if (theirs) {
      (*found)->alert = *std::move(theirs);
    } else {
      found->reset();
    }
  }
  const bool is_recorded = found && *found;
  if (current == nullptr && !is_recorded) return problem(404, "not found", "no alert of that id");
  auto out =
      alert_json(current != nullptr ? *current : (*found)->alert, *snapshot, configured(*snapshot));
  Json notices = Json::array();
  for (const auto& notification :
       is_recorded ? (*found)->notifications : std::vector<storage::Queries::NotificationRow>{}) {
    auto fault = notification.fault;
    if (fault && view_) fault = view_->theirs().without_others(*fault);
    notices.push_back({{"event", notification.notice},
                       {"notifier", notification.notifier},
                       {"decided_at", config::rfc3339(notification.made_at)},
                       {"delivered_at", time_or_null(notification.sent_at)},
                       {"attempts", notification.attempts},
                       {"fault", fault ? Json(probes::printable(*fault)) : Json(nullptr)}});
  }
  for (const auto& sent : backend_.unrecorded_about(id)) {
    notices.push_back({{"event", wire_name(sent.notification.notice)},
                       {"notifier", sent.notification.notifier},
                       {"decided_at", config::rfc3339(sent.notification.at)},
                       {"delivered_at", time_or_null(sent.delivered_at)},
                       {"attempts", sent.attempts},
                       {"fault", nullptr}});
  }
  out["notices"] = notices;
  return json(out);
}

Reply Api::acknowledge(const Call& call) const {
  auto how = agent::acknowledgement_from_json(call.request.body, backend_.snapshot()->now);
  if (!how) return problem(400, "bad acknowledgement", how.error());
  how->by = call.by(how->by);
  Deed deed{.what = "acknowledge",
            .subject_kind = "alert",
            .subject = call.name,
            .called = how->by,
            .comment = how->comment};
  if (auto refusal = refuse_alert(call.name))
    return noted(call, std::move(deed), *std::move(refusal));
  return noted(call, std::move(deed),
               done_or_not_found(backend_.actions->acknowledge(call.name, std::move(*how))));
}

// An acknowledgement stops the reminders of everybody whose domains are hit.
std::optional<Reply> Api::refuse_alert(const std::string& id) const {
  if (!view_) return std::nullopt;
  const auto& theirs = view_->theirs();
  const auto* alert = find_alert(theirs.everything(), id);
  if (alert == nullptr || !theirs.narrowed(*alert))
    return problem(404, "not found", "no alert of that id fires");
  if (theirs.is_all_theirs(*alert)) return std::nullopt;
  return problem(403, "refused", "it is not about your domains alone");
}

Reply Api::take_back(const Call& call) const {
  Deed deed{.what = "take-back", .subject_kind = "alert", .subject = call.name};
  if (auto refusal = refuse_alert(call.name))
    return noted(call, std::move(deed), *std::move(refusal));
  return noted(call, std::move(deed),
               done_or_not_found(backend_.actions->acknowledge(call.name, std::nullopt)));
}

Reply Api::silences(const Call& /*call*/) const {
  const auto snapshot = backend_.snapshot();
  Json items = Json::array();
  for (const auto& silence : snapshot->silences) {
    if (view_ && !view_->theirs().is_touched_by(silence)) continue;
    items.push_back(
        agent::to_json(view_ ? view_->theirs().narrowed(silence) : silence, snapshot->now));
  }
  return json({{"items", items}, {"next", nullptr}});
}

Reply Api::preview(const Call& call) const {
  const auto snapshot = backend_.snapshot();
  auto wanted = agent::silence_from_json(call.request.body, snapshot->now);
  if (!wanted) return problem(400, "bad silence", wanted.error());
  if (view_) wanted = view_->theirs().bound(*std::move(wanted));
  return json({{"items", preview_json(*snapshot, std::move(*wanted))}, {"next", nullptr}});
}

Reply Api::silence(const Call& call) const {
  const auto now = backend_.snapshot()->now;
  auto wanted = agent::silence_from_json(call.request.body, now);
  if (!wanted) return problem(400, "bad silence", wanted.error());
  if (view_) {
    wanted = view_->theirs().bound(*std::move(wanted));
    if (const auto fault = fault_of(*wanted)) return problem(400, "bad silence", *fault);
  }
  wanted->created_by = call.by(wanted->created_by);
  Deed deed{.what = wanted->expected_key ? "plan" : "silence",
            .subject_kind = "silence",
            .called = wanted->created_by,
            .comment = wanted->comment};
  const auto made = backend_.actions->silence(std::move(*wanted));
  if (!made) return noted(call, std::move(deed), not_done(409, "not silenced", made.error()));
  deed.subject = made->id;
  return noted(call, std::move(deed), json(agent::to_json(*made, now), 201));
}

std::optional<Reply> Api::refuse_silence(const std::string& id) const {
  if (!view_) return std::nullopt;
  const auto& theirs = view_->theirs();
  const auto& silences = theirs.everything().silences;
  const auto found = std::ranges::find(silences, id, &agent::Silence::id);
  if (found == silences.end() || !theirs.is_touched_by(*found))
    return problem(404, "not found", "no silence of that id is to come or active");
  if (theirs.is_bound(*found)) return std::nullopt;
  return problem(403, "refused", "it does not hold for your domains alone");
}

Reply Api::end_silence(const Call& call) const {
  Deed deed{.what = "end-silence", .subject_kind = "silence", .subject = call.name};
  if (auto refusal = refuse_silence(call.name))
    return noted(call, std::move(deed), *std::move(refusal));
  return noted(call, std::move(deed), done_or_not_found(backend_.actions->end_silence(call.name)));
}

}  // namespace web

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "agent/log.h"
#include "probes/explain.h"
#include "web/routes/act_words.h"
#include "web/routes/api.h"
#include "web/routes/csv.h"
#include "web/routes/current.h"
#include "web/routes/own_acts.h"
#include "web/routes/parts.h"
#include "web/routes/query.h"

// Who asks, and who did what.
namespace web {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostOfComment = 1000;

std::optional<std::string> act_from(const std::string& name) {
  return is_act(name) ? std::optional{name} : std::nullopt;
}

constexpr Column kActColumns[] = {{"at", "/at"},
                                  {"by", "/by"},
                                  {"login", "/login"},
                                  {"act", "/act"},
                                  {"subject", "/subject/name"},
                                  {"title", "/subject/title"},
                                  {"comment", "/comment"},
                                  {"fault", "/fault"}};

// What acts are about as people know it, where its name is one that danelaw made up: an alert's
// title, what a silence is for. Each is asked for once.
class ActTitles {
 public:
  // All outlive it. `view`: whose acts are read; null: everybody's.
  ActTitles(const agent::Snapshot& snapshot, const View* view, storage::Queries& queries)
      : snapshot_(snapshot), view_(view), queries_(queries) {}

  // Null where the name says it, and where it is not known any more.
  std::optional<std::string> of(const storage::Act& act) {
    if (act.subject_kind == "silence") return of_silence(act.subject);
    if (act.subject_kind != "alert") return std::nullopt;
    const auto [entry, is_new] = alerts_.try_emplace(act.subject);
    if (is_new) entry->second = of_alert(act.subject);
    return entry->second;
  }

 private:
  std::optional<std::string> of_alert(const std::string& id) const {
    if (const auto* known = find_alert(snapshot_, id)) return probes::explain(known->finding).title;
    const auto found = queries_.alert(id);
    if (!found || !*found) return std::nullopt;
    const auto shown =
        view_ != nullptr ? view_->theirs().narrowed((*found)->alert) : (*found)->alert;
    return shown ? std::optional{probes::explain(shown->finding).title} : std::nullopt;
  }

  std::optional<std::string> of_silence(const std::string& id) const {
    const auto found = std::ranges::find(snapshot_.silences, id, &agent::Silence::id);
    if (found == snapshot_.silences.end()) return std::nullopt;
    std::string out;
    for (const auto& one : found->matchers)
      out += fmt::format("{}{} {}{}", out.empty() ? "" : ", ", one.name, one.is_equal ? "" : "not ",
                         probes::printable(one.value));
    return out;
  }

  const agent::Snapshot& snapshot_;
  const View* view_;
  storage::Queries& queries_;
  std::map<std::string, std::optional<std::string>> alerts_;
};

Json act_json(const storage::Act& act, const std::optional<std::string>& title) {
  return {{"at", config::rfc3339(act.at)},
          {"by", act.by.empty() ? Json(nullptr) : Json(act.by)},
          {"login", act.login},
          {"act", act.what},
          {"subject",
           {{"kind", act.subject_kind}, {"name", act.subject}, {"title", text_or_null(title)}}},
          {"comment", act.comment},
          {"fault", text_or_null(act.fault)}};
}

}  // namespace

Reply Api::whoami(const Call& call) const {
  const auto& client = call.client;
  return json({{"name", client.login == Auth::Login::none ? Json(nullptr) : Json(client.name)},
               {"right", client.right == config::Right::operate ? "operate" : "read"},
               {"login", wire_name(client.login)},
               {"groups", client.groups ? Json(*client.groups) : Json(nullptr)}});
}

Reply Api::acts(const Call& call) const {
  Query query(call.request);
  storage::ActFilter filter;
  filter.by = query.text("by");
  filter.what = query.word("act", act_from);
  filter.from = query.moment("from").value_or(filter.from);
  filter.until = query.moment("to").value_or(filter.until);
  const auto part = query.part(kMostItems);
  filter.limit = part.limit;
  if (const auto before = query.number("cursor", 0, std::numeric_limits<std::int64_t>::max()))
    filter.before = static_cast<std::int64_t>(*before);
  if (auto fault = query.fault()) return *std::move(fault);
  OwnActs own(view_.get(), *backend_.queries, call.client);
  const auto snapshot = view_ ? view_->snapshot() : backend_.snapshot();
  ActTitles titles(*snapshot, view_.get(), *backend_.queries);
  const auto wanted = filter.limit;
  if (view_) filter.limit = kMostItems;  // of everybody's
  Json items = Json::array();
  Json next = nullptr;
  for (bool is_more = true; is_more;) {
    const auto found = backend_.queries->acts(filter);
    if (!found) return storage_failed(found.error());
    is_more = found->size() == filter.limit;
    for (const auto& act : *found) {
      filter.before = act.id;
      if (own.has(act)) items.push_back(act_json(own.as_told(act), titles.of(act)));
      if (items.size() == wanted) break;
    }
    if (items.size() < wanted) continue;
    const bool is_last = !is_more && found->back().id == *filter.before;
    next = is_last ? Json(nullptr) : Json(std::to_string(*filter.before));
    break;
  }
  if (part.is_table) return csv("acts", kActColumns, items);
  return json({{"items", items}, {"next", next}});
}

// Through one notifier, or all that tell people of alerts.
Reply Api::test_notifiers(const Call& call) const {
  std::optional<std::string> notifier;
  if (!call.request.body.empty()) {
    const auto sent = nlohmann::json::parse(call.request.body, nullptr, false);
    const bool is_empty = sent.is_object() && sent.empty();
    const bool is_named = sent.is_object() && sent.size() == 1 && sent.contains("notifier") &&
                          sent["notifier"].is_string();
    if (!is_empty && !is_named)
      return problem(400, "bad test", R"(send {"notifier": "its name"}, or {} for all)");
    if (is_named) notifier = sent["notifier"].get<std::string>();
  }
  const auto known = backend_.notifiers();
  const auto is_meant = [&](const agent::NotifierHealth& one) {
    return one.tells_people && (!notifier || one.name == *notifier);
  };
  if (std::ranges::none_of(known, is_meant)) {
    return notifier ? problem(404, "not found", "no notifier of that name sends people alerts")
                    : problem(409, "nobody is notified",
                              "no notifier is configured: see `notify` in the configuration");
  }
  const auto tested =
      backend_.test_notifiers(notifier, call.by(Query(call.request).text("by").value_or("")));
  if (!tested) return problem(409, "not tested", "another test is under way");
  Json items = Json::array();
  for (const auto& one : *tested) {
    items.push_back({{"notifier", one.name},
                     {"ok", !one.fault},
                     {"fault", one.fault ? Json(probes::printable(*one.fault)) : Json(nullptr)}});
  }
  return noted(
      call,
      {.what = "test-notification", .subject_kind = "notifier", .subject = notifier.value_or("")},
      json({{"items", items}, {"next", nullptr}}));
}

// What was refused is put down, too: who tries what cannot be is worth knowing.
Reply Api::noted(const Call& call, Deed deed, Reply reply) const {
  if (deed.called.empty()) deed.called = Query(call.request).text("by").value_or("");
  storage::Act act{.at = backend_.snapshot()->now,
                   .by = probes::printable(call.by(std::move(deed.called)), 200),
                   .login = std::string(wire_name(call.client.login)),
                   .what = std::move(deed.what),
                   .subject_kind = std::move(deed.subject_kind),
                   .subject = probes::printable(deed.subject, 300),
                   .comment = probes::printable(deed.comment, kMostOfComment)};
  if (reply.content_type == kProblemType) {
    const auto why = Json::parse(reply.body, nullptr, false);
    act.fault = why.is_object() ? why.value("detail", "") : std::string();
  }
  agent::log::info("act", {{"act", act.what},
                           {"subject", act.subject},
                           {"by", act.by},
                           {"login", act.login},
                           {"fault", act.fault.value_or("")}});
  if (backend_.acts != nullptr) {
    if (const auto done = backend_.acts->record(act); !done)
      agent::log::warn("act-unrecorded", {{"act", act.what}, {"detail", done.error()}});
  }
  if (backend_.feed != nullptr) {
    const auto told = std::make_shared<const storage::Act>(act);
    backend_.feed->publish("act", act.what, told);
  }
  return reply;
}

}  // namespace web

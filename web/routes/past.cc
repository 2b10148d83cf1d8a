#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

#include "probes/explain.h"
#include "web/days.h"
#include "web/routes/api.h"
#include "web/routes/csv.h"
#include "web/routes/current.h"
#include "web/routes/event_words.h"
#include "web/routes/mail.h"
#include "web/routes/narrow_log.h"
#include "web/routes/parts.h"
#include "web/routes/query.h"

// What was: days, shares, and events of all that is watched.
namespace web {
namespace {

using Json = nlohmann::ordered_json;
using storage::LogEvent;

constexpr std::size_t kMostDays = 400;
constexpr std::size_t kMostEvents = 10'000;  // in a table, about
constexpr Column kEventColumns[] = {{"at", "/at"},
                                    {"kind", "/kind"},
                                    {"subject", "/subject/name"},
                                    {"event", "/title"},
                                    {"domains", "/domains_count"},
                                    {"severity", "/severity"},
                                    {"alert", "/alert"},
                                    {"by", "/by"}};
constexpr config::Seconds kDay = std::chrono::hours{24};

storage::SpanQuery spans_of(const agent::Snapshot& snapshot, std::size_t days) {
  // Shares are of ninety days, whatever is shown.
  const auto back = static_cast<std::int64_t>(std::max<std::size_t>(days, 90) + 1) * kDay;
  return {.domains = {},
          .from = snapshot.now - back,
          .until = snapshot.now,
          .longest_silence = storage::longest_silence(snapshot.schedule.interval)};
}

// "12.3.4"
std::optional<storage::LogPlace> place_from(const std::string& cursor) {
  std::array<std::int64_t, 3> ids{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto end = i + 1 < ids.size() ? cursor.find('.', at) : cursor.size();
    if (end == std::string::npos) return std::nullopt;
    const auto id = number(cursor.substr(at, end - at));
    if (!id || *id > static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max()))
      return std::nullopt;
    ids[i] = static_cast<std::int64_t>(*id);
    at = end + 1;
  }
  return storage::LogPlace{.version = ids[0], .transition = ids[1], .act = ids[2]};
}

Json text_or_json(const std::optional<std::string>& text, LogEvent::Kind kind) {
  if (!text) return nullptr;
  if (kind != LogEvent::Kind::records && kind != LogEvent::Kind::ours) return *text;
  auto json = Json::parse(*text, nullptr, false);
  return json.is_discarded() ? Json(nullptr) : json;
}

Json subject_json(std::string_view kind, const std::string& name) {
  return {{"kind", kind}, {"name", probes::printable(name)}};
}

Json event_json(const LogEvent& event,
                const std::map<std::string, std::vector<std::string>>& domains_of_hosts) {
  Json out{{"at", config::rfc3339(event.at)}, {"kind", kind_name(event.kind)}};
  std::vector<std::string> domains;
  Json before = text_or_json(event.before, event.kind);
  Json now = event.now.empty() ? Json(nullptr) : text_or_json(event.now, event.kind);
  Json by = nullptr;
  switch (event.kind) {
    case LogEvent::Kind::verdict:
      out["subject"] = subject_json("domain", event.subject);
      domains = {event.subject};
      break;
    case LogEvent::Kind::key:
    case LogEvent::Kind::records:
      out["subject"] = subject_json("host", event.subject);
      if (const auto known = domains_of_hosts.find(event.subject); known != domains_of_hosts.end())
        domains = known->second;
      break;
    case LogEvent::Kind::alert:
      out["subject"] = subject_json(wire_name(event.alert->cause.kind), event.alert->cause.name);
      domains = event.alert->domains;
      now = event.what;
      break;
    case LogEvent::Kind::act:
      out["subject"] = subject_json(event.act->subject_kind, event.act->subject);
      if (event.act->subject_kind == "domain") domains = {event.act->subject};
      if (!event.act->by.empty()) by = event.act->by;
      now = event.act->what;
      break;
    case LogEvent::Kind::ours:
      out["subject"] = subject_json("monitor", event.subject);
      break;
  }
  const auto count = domains.size();
  if (count > kMostNames) domains.resize(kMostNames);
  out["domains"] = domains;
  out["domains_count"] = count;
  out["title"] = title_of(event);
  out["alert"] = event.alert                                       ? Json(event.alert->id)
                 : event.act && event.act->subject_kind == "alert" ? Json(event.act->subject)
                                                                   : Json(nullptr);
  out["severity"] = event.alert ? Json(wire_name(event.alert->finding.severity)) : Json(nullptr);
  out["by"] = by;
  out["from"] = before;
  out["to"] = now;
  return out;
}

}  // namespace

Reply Api::domain_days(const Call& call) const {
  Query query(call.request);
  const auto days = query.number("days", 1, kMostDays).value_or(90);
  if (auto fault = query.fault()) return *std::move(fault);
  const auto state = backend_.domain(call.name);
  if (!state) return problem(404, "not found", fmt::format("{} is not watched", call.name));
  const auto snapshot = backend_.snapshot();
  auto wanted = spans_of(*snapshot, days);
  wanted.domains = {state->configured->name};
  const auto spans = backend_.queries->delivery_spans(wanted);
  if (!spans) return storage_failed(spans.error());
  return json(days_json(*spans, 1, static_cast<int>(days), snapshot->now));
}

Reply Api::host_days(const Call& call) const {
  Query query(call.request);
  const auto days = query.number("days", 1, kMostDays).value_or(90);
  if (auto fault = query.fault()) return *std::move(fault);
  const auto snapshot = backend_.snapshot();
  const auto name = probes::dns::Name::parse(call.name);
  if (!name || (host_seen(*snapshot, call.name) == nullptr && !remembered(*snapshot, call.name)))
    return no_such_host(call.name);
  auto wanted = spans_of(*snapshot, days);
  wanted.of = storage::Whose::hosts;
  wanted.domains = {name->text()};
  const auto spans = backend_.queries->delivery_spans(wanted);
  if (!spans) return storage_failed(spans.error());
  auto out = days_json(*spans, 1, static_cast<int>(days), snapshot->now);
  for (auto& episode : out["episodes"]) episode.erase("domain");  // all are this host's
  return json(out);
}

Reply Api::days(const Call& call) const {
  Query query(call.request);
  const auto days = query.number("days", 1, kMostDays).value_or(90);
  const auto wanted_by = whom(query);
  if (auto fault = query.fault()) return *std::move(fault);
  const auto snapshot = backend_.snapshot();
  const auto all = remembered_->spans.of(spans_of(*snapshot, days), *backend_.queries);
  if (!all) return storage_failed(all.error());
  const auto& [until, spans] = **all;
  DeliverySpans wanted;
  std::size_t domains = 0;
  for (const auto& state : snapshot->domains) {
    if (!wanted_by.fits(*state.configured)) continue;
    ++domains;
    const auto mine = spans.find(state.configured->name);
    if (mine != spans.end()) wanted.insert(*mine);
  }
  return json(days_json(wanted, domains, static_cast<int>(days), until));
}

// `shares=no`: nobody reads the history, which takes long among many domains.
Reply Api::groups(const Call& call) const {
  Query query(call.request);
  const bool is_brief = query
                            .word("shares",
                                  [](const std::string& word) {
                                    return word == "no" ? std::optional{true} : std::nullopt;
                                  })
                            .value_or(false);
  if (auto fault = query.fault()) return *std::move(fault);
  const auto snapshot = backend_.snapshot();
  auto known = std::make_shared<const SpansOfAll::Known>();
  if (!is_brief) {
    auto read = remembered_->spans.of(spans_of(*snapshot, 90), *backend_.queries);
    if (!read) return storage_failed(read.error());
    known = std::move(*read);
  }
  struct Group {
    std::size_t domains = 0;
    DeliverySpans spans;
  };
  std::map<std::string, Group> groups;
  for (const auto& state : snapshot->domains) {
    auto& group = groups[state.configured->group];
    ++group.domains;
    const auto mine = known->spans.find(state.configured->name);
    if (mine != known->spans.end()) group.spans.insert(*mine);
  }
  const auto counts = counts_by_group(*snapshot, *recorded_briefs(*snapshot));
  Json items = Json::array();
  for (const auto& [name, group] : groups) {
    Json shares = Json::array();
    for (const int length : {30, 90}) {
      if (!is_brief)
        shares.push_back(to_json(share_of(group.spans, group.domains, length, known->until)));
    }
    items.push_back({{"group", name},
                     {"domains", group.domains},
                     {"delivery", delivery_json(counts.at(name))},
                     {"shares", shares}});
  }
  return json({{"items", items}, {"next", nullptr}});
}

Reply Api::event_log(const Call& call) const {
  Query query(call.request);
  const auto wanted_by = whom(query);
  const auto kinds = query.words("kind", kind_from);
  const auto verdicts = query.words("verdict", probes::verdict_from);
  const auto codes = query.words("code", probes::code_from);
  // Where a verdict or a finding is asked for, only what has one can be meant.
  const auto is_meant = [&](LogEvent::Kind kind) {
    if (!verdicts && !codes) return true;
    return (verdicts && kind == LogEvent::Kind::verdict) ||
           (codes && (kind == LogEvent::Kind::alert || kind == LogEvent::Kind::act));
  };
  storage::LogQuery wanted{
      .has_kind =
          [&](LogEvent::Kind kind) { return (!kinds || kinds->contains(kind)) && is_meant(kind); },
      .from = query.moment("from").value_or(config::Time::min()),
      .until = query.moment("to").value_or(config::Time::max()),
      .after = query.word("cursor", place_from),
      .limit = query.number("limit", 1, kMostItems).value_or(100)};
  if (verdicts) {
    wanted.has_verdict = [&](const std::string& word) {
      const auto verdict = probes::verdict_from(word);
      return verdict && verdicts->contains(*verdict);
    };
  }
  if (codes) wanted.has_code = [&](probes::Code code) { return codes->contains(code); };
  const bool is_table = query.is_table();
  if (is_table) wanted.limit = kMostItems;
  if (auto fault = query.fault()) return *std::move(fault);
  const auto snapshot = backend_.snapshot();
  std::set<std::string, std::less<>> domains;
  std::map<std::string, std::vector<std::string>> hosts;  // with the domains that use them
  for (const auto& state : snapshot->domains) {
    if (!wanted_by.fits(*state.configured)) continue;
    domains.insert(state.configured->name);
    if (!state.judged) continue;
    for (const auto& host : state.judged->hosts)
      hosts[host.seen->host.text()].push_back(state.configured->name);
  }
  if (!wanted_by.is_everybody()) {
    wanted.has_domain = [&](const std::string& name) { return domains.contains(name); };
    wanted.has_host = [&](const std::string& name) { return hosts.contains(name); };
  }
  if (view_) narrow(wanted, view_->theirs());
  Json items = Json::array();
  auto page = backend_.queries->event_log(wanted);
  for (;; page = backend_.queries->event_log(wanted)) {
    if (!page) return storage_failed(page.error());
    if (view_) narrow(page->events, view_->theirs());
    for (const auto& event : page->events) items.push_back(event_json(event, hosts));
    if (!is_table || !page->next || items.size() >= kMostEvents) break;
    wanted.after = page->next;
  }
  if (is_table) return csv("history", kEventColumns, items);
  return json({{"items", items},
               {"next", page->next ? Json(fmt::format("{}.{}.{}", page->next->version,
                                                      page->next->transition, page->next->act))
                                   : Json(nullptr)}});
}

}  // namespace web

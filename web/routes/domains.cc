#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "agent/alerts/alert_json.h"
#include "agent/watch/configured.h"
#include "probes/explain.h"
#include "probes/report.h"
#include "storage/facts.h"
#include "web/rollover.h"
#include "web/routes/api.h"
#include "web/routes/csv.h"
#include "web/routes/current.h"
#include "web/routes/deadlines.h"
#include "web/routes/evidence.h"
#include "web/routes/own_words.h"
#include "web/routes/parts.h"
#include "web/routes/query.h"

namespace web {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kAny = std::numeric_limits<std::size_t>::max();

// No hosts are as good as none seen where their names could not be learned: not "0 of 0 have DANE".
bool is_counted(const storage::DomainRow& row) {
  return row.verdict &&
         (row.mx_hosts > 0 || (row.verdict != wire_name(probes::Verdict::unknown) &&
                               row.verdict != wire_name(probes::Verdict::lookup_failed)));
}

Json domain_json(const storage::DomainRow& row, const Json& since, std::size_t alerts) {
  Json worst = nullptr;
  if (row.worst_code) {
    worst = {{"code", *row.worst_code},
             {"severity", *row.worst_severity},
             {"title", text_or_null(row.worst_title)}};
  }
  return {{"domain", row.name},
          {"role", row.role},
          {"group", row.group},
          {"verdict", text_or_null(row.verdict)},
          {"weakest", text_or_null(row.weakest)},
          {"severity", row.severity},
          {"status", wire_name(row.status)},
          {"delivery", wire_name(row.delivery)},
          {"delivery_since", since},
          {"worst_finding", worst},
          {"mx_hosts", is_counted(row) ? Json(row.mx_hosts) : Json(nullptr)},
          {"dane_mx_hosts", is_counted(row) ? Json(row.dane_mx_hosts) : Json(nullptr)},
          {"observed_at", time_or_null(row.observed_at)},
          {"next_check_at", time_or_null(row.next_check_at)},
          {"alerts", alerts}};
}

// The check object of a domain that has not been looked at.
Json unseen(const std::string& name) {
  return {{"schema", "danelaw.check/1"},
          {"domain", name},
          {"observed_at", nullptr},
          {"verdict", nullptr},
          {"weakest", nullptr},
          {"severity", "info"},
          {"status", "unknown"},
          {"delivery", "unknown"},
          {"delivery_since", nullptr},
          {"splits", Json::array()},
          {"mx", nullptr},
          {"mta_sts", nullptr},
          {"hosts", Json::array()},
          {"findings", Json::array()}};
}

// What happened to mail when that was known last, of a domain of which nothing is known now.
Json last_known_json(const storage::DomainRow& row, const LastLooks& looks) {
  const auto found = looks.find(row.name);
  if (row.delivery != probes::Delivery::unknown || found == looks.end()) return nullptr;
  return {{"delivery", wire_name(found->second->delivery)},
          {"observed_at", config::rfc3339(found->second->at)}};
}

// What was known last of a domain of which nothing is known now: the check object of then.
Json last_known_json(const storage::DomainRow& recorded) {
  if (!recorded.known) return nullptr;
  const auto& report = recorded.known->report ? recorded.known->report : recorded.report;
  auto out = report ? Json::parse(*report, nullptr, false) : Json();
  if (!out.is_object()) return nullptr;
  out["stale"] = true;
  out["status"] = wire_name(recorded.known->status);
  out["delivery"] = wire_name(recorded.known->delivery);
  out["observed_at"] = config::rfc3339(recorded.known->at);
  return out;
}

std::vector<const agent::Snapshot::Followed*> followed_of(const agent::Snapshot& snapshot,
                                                          const std::string& domain) {
  std::vector<const agent::Snapshot::Followed*> out;
  const auto place = snapshot.domains.place_of(domain);
  if (!place || !snapshot.domains[*place].judged) return out;
  for (const auto& host : snapshot.domains[*place].judged->hosts) {
    if (const auto* followed = find_host(snapshot, host.seen->host.text())) out.push_back(followed);
  }
  return out;
}

// The letter to the postmaster, with the evidence of the alerts that it is about.
std::string with_evidence(std::string letter, const Backend& backend, const View* view,
                          const agent::Snapshot& snapshot, const std::string& domain) {
  for (const auto& alert : snapshot.alerts) {
    if (alert.state != agent::AlertState::firing ||
        std::ranges::find(alert.domains, domain) == alert.domains.end())
      continue;
    if (const auto argument = argument_of(backend, view, alert))
      letter += "\nWhy we say so, step by step:\n\n" + *argument;
  }
  return letter;
}

// What there is to do about a partner's trouble.
Json partner_json(const Backend& backend, const View* view, const agent::Snapshot& snapshot,
                  const std::string& domain) {
  Json out{{"postmaster_text", nullptr}, {"proposed_exception", nullptr}, {"exception", nullptr}};
  for (const auto& made : snapshot.exceptions) {
    if (made.domain == domain) out["exception"] = agent::to_json(made);
  }
  const auto place = snapshot.domains.place_of(domain);
  if (!place || !snapshot.domains[*place].judged) return out;
  const auto& judged = *snapshot.domains[*place].judged;
  if (auto letter = agent::postmaster_text(judged))
    out["postmaster_text"] = with_evidence(*std::move(letter), backend, view, snapshot, domain);
  if (const auto proposed = agent::exception_for(judged, snapshot.now))
    out["proposed_exception"] = agent::to_json(*proposed);
  return out;
}

std::optional<DomainFilter::Sort> sort_from(std::string_view name) {
  using Sort = DomainFilter::Sort;
  constexpr std::array<std::pair<std::string_view, Sort>, 4> kSorts{
      {{"name", Sort::name},
       {"status", Sort::status},
       {"observed_at", Sort::observed_at},
       {"delivery", Sort::delivery}}};
  const auto* const found =
      std::ranges::find(kSorts, name, &std::pair<std::string_view, Sort>::first);
  return found == kSorts.end() ? std::nullopt : std::optional{found->second};
}

constexpr Column kDomainColumns[] = {{"domain", "/domain"},
                                     {"role", "/role"},
                                     {"group", "/group"},
                                     {"delivery", "/delivery"},
                                     {"delivery_since", "/delivery_since"},
                                     {"verdict", "/verdict"},
                                     {"weakest", "/weakest"},
                                     {"status", "/status"},
                                     {"severity", "/severity"},
                                     {"worst_finding", "/worst_finding/code"},
                                     {"title", "/worst_finding/title"},
                                     {"mx_hosts", "/mx_hosts"},
                                     {"dane_mx_hosts", "/dane_mx_hosts"},
                                     {"observed_at", "/observed_at"},
                                     {"next_check_at", "/next_check_at"},
                                     {"alerts", "/alerts"},
                                     {"last_known", "/last_known/delivery"},
                                     {"last_known_at", "/last_known/observed_at"}};

}  // namespace

// Without a history to read nothing.
std::map<std::string, config::Time> Api::since_of(
    const std::map<std::string, probes::Delivery>& now, storage::Whose whose) const {
  return backend_.queries->delivery_since(now, whose)
      .value_or(std::map<std::string, config::Time>{});
}

LastLooks Api::last_looks(const agent::Snapshot& snapshot) const {
  if (agent::can_see(snapshot.vantage)) {
    remembered_->looks.forget();
    return {};
  }
  return remembered_->looks.of(snapshot, *backend_.queries);
}

std::shared_ptr<const RecordedBriefs> Api::recorded_briefs(const agent::Snapshot& snapshot) const {
  auto& queries = *backend_.queries;
  return view_ ? std::make_shared<const RecordedBriefs>(snapshot.domains, queries)
               : remembered_->recorded.of(snapshot.domains, queries);
}

Reply Api::domains(const Call& call) const {
  Query query(call.request);
  DomainFilter filter;
  filter.substring = query.text("q").value_or("");
  filter.status = query.word("status", probes::status_from);
  filter.delivery = query.word("delivery", probes::delivery_from);
  filter.whom = whom(query);
  filter.sort = query.word("sort", sort_from).value_or(filter.sort);
  filter.verdict = query.word("verdict", probes::verdict_from);
  filter.codes = query.words("code", probes::code_from).value_or(filter.codes);
  filter.host =
      query.word("mx", [](const std::string& name) { return probes::dns::Name::parse(name); });
  const auto part = query.part(kMostItems);
  filter.limit = part.limit;
  filter.offset = part.offset;
  if (auto fault = query.fault()) return *std::move(fault);
  const auto snapshot = backend_.snapshot();
  auto looks = last_looks(*snapshot);
  const auto page =
      current_domains(*snapshot, *backend_.queries, *recorded_briefs(*snapshot), filter, looks);
  if (agent::can_see(snapshot->vantage)) {
    std::vector<std::string> unknown;
    for (const auto& row : page.rows) {
      if (row.delivery == probes::Delivery::unknown) unknown.push_back(row.name);
    }
    looks = read_last_looks(unknown, *backend_.queries);
  }
  std::map<std::string, std::size_t> open;
  for (const auto& alert : snapshot->alerts) {
    if (alert.state != agent::AlertState::firing) continue;
    for (const auto& name : alert.domains) ++open[name];
  }
  Json items = Json::array();
  std::map<std::string, probes::Delivery> shown;
  for (const auto& row : page.rows) shown.emplace(row.name, row.delivery);
  const auto since = since_of(shown);
  for (const auto& row : page.rows) {
    items.push_back(domain_json(row, since_json(since, row.name), open[row.name]));
    items.back()["last_known"] = last_known_json(row, looks);
  }
  if (part.is_table) return csv("domains", kDomainColumns, items);
  return page_of(std::move(items), part.offset, page.total);
}

Reply Api::domain(const Call& call) const {
  const auto& name = call.name;
  const auto state = backend_.domain(name);
  if (!state) return problem(404, "not found", fmt::format("{} is not watched", name));
  const auto found = current_row(*state, *backend_.queries);
  auto out = state->judged  ? Json(probes::to_json(*state->judged))
             : found.report ? Json::parse(*found.report)
                            : unseen(found.name);
  out["status"] = wire_name(found.status);
  const auto delivery = found.delivery;
  out["delivery"] = wire_name(delivery);
  out["delivery_since"] = since_json(since_of({{found.name, delivery}}), found.name);
  out["last_known"] = nullptr;
  if (delivery == probes::Delivery::unknown) {
    const auto recorded = backend_.queries->domain(found.name);
    if (recorded && *recorded) out["last_known"] = last_known_json(**recorded);
  }
  if (view_) take_out_others(out, view_->theirs());
  out["role"] = found.role;
  out["group"] = found.group;
  out["observed_at"] = time_or_null(found.observed_at);
  Json list = Json::array();
  const auto snapshot = backend_.snapshot();
  const auto known = configured(*snapshot);
  out["rollover"] = rollover_json(followed_of(*snapshot, found.name), snapshot->now);
  for (const auto& alert : snapshot->alerts) {
    if (std::ranges::find(alert.domains, found.name) != alert.domains.end())
      list.push_back(short_alert_json(alert, *snapshot, known));
  }
  out["alerts"] = list;
  out["partner"] = found.role == "outbound"
                       ? partner_json(backend_, view_.get(), *snapshot, found.name)
                       : Json(nullptr);
  out["next_check_at"] = time_or_null(found.next_check_at);
  return json(out);
}

Reply Api::history(const Call& call) const {
  const auto& name = call.name;
  const auto state = backend_.domain(name);
  if (!state) return problem(404, "not found", fmt::format("{} is not watched", name));
  const auto& domain = state->configured->name;
  storage::EventFilter filter;
  Query query(call.request);
  filter.from = query.moment("from").value_or(filter.from);
  filter.until = query.moment("to").value_or(filter.until);
  filter.limit = query.number("limit", 1, kMostItems).value_or(filter.limit);
  if (const auto before = query.number("cursor", 0, kAny))
    filter.before = static_cast<std::int64_t>(*before);
  if (auto fault = query.fault()) return *std::move(fault);
  const auto hosts = backend_.queries->hosts_between(domain, filter.from, filter.until);
  if (!hosts) return storage_failed(hosts.error());
  filter.names = *hosts;
  filter.names.push_back(domain);
  filter.names.emplace_back(storage::kOurselves);
  const auto found = backend_.queries->history(filter);
  if (!found) return storage_failed(found.error());
  Json items = Json::array();
  for (const auto& event : *found) {
    items.push_back({{"at", config::rfc3339(event.at)},
                     {"kind", event.kind},
                     {"subject", probes::printable(event.subject)},
                     {"last_seen_at", config::rfc3339(event.last_seen)},
                     {"current", event.is_open},
                     {"content", Json::parse(event.content)}});
  }
  const auto summed = backend_.queries->summed(filter.names);
  if (!summed) return storage_failed(summed.error());
  Json restless = Json::array();
  for (const auto& sum : *summed) {
    restless.push_back({{"kind", sum.kind},
                        {"subject", probes::printable(sum.subject)},
                        {"versions", sum.versions},
                        {"from", config::rfc3339(sum.from)},
                        {"until", config::rfc3339(sum.until)}});
  }
  const bool is_full = found->size() == filter.limit;
  return json({{"items", items},
               {"next", is_full ? Json(std::to_string(found->back().id)) : Json(nullptr)},
               {"summed", restless}});
}

// The soonest of each kind.
Reply Api::deadlines(const Call& call) const {
  Query query(call.request);
  const auto most = query.number("limit", 1, kMostItems).value_or(3);
  if (auto fault = query.fault()) return *std::move(fault);
  return json({{"items", deadlines_json(*backend_.snapshot(), most)}, {"next", nullptr}});
}

Reply Api::check_now(const Call& call) const {
  auto reply = backend_.check_now(call.name)
                   ? json({{"domain", probes::printable(call.name)}}, 202)
                   : problem(404, "not found", "no domain of that name is watched");
  return noted(call, {.what = "check", .subject_kind = "domain", .subject = call.name},
               std::move(reply));
}

Reply Api::make_exception(const Call& call) const {
  if (view_ && !backend_.domain(call.name))
    return noted(call, {.what = "exception", .subject_kind = "domain", .subject = call.name},
                 problem(404, "not found", "no domain of that name is watched"));
  const auto made = backend_.actions->make_exception(call.name);
  if (backend_.postfix != nullptr) backend_.postfix->refresh_exceptions();
  return noted(
      call, {.what = "exception", .subject_kind = "domain", .subject = call.name},
      made ? json(agent::to_json(*made), 201) : not_done(409, "no exception", made.error()));
}

Reply Api::end_exception(const Call& call) const {
  if (view_ && !backend_.domain(call.name))
    return noted(call, {.what = "end-exception", .subject_kind = "domain", .subject = call.name},
                 problem(404, "not found", "no domain of that name is watched"));
  const auto done = backend_.actions->end_exception(call.name);
  if (backend_.postfix != nullptr) backend_.postfix->refresh_exceptions();
  return noted(call, {.what = "end-exception", .subject_kind = "domain", .subject = call.name},
               done_or_not_found(done));
}

}  // namespace web

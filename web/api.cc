#include "web/api.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/alerts/alert_json.h"
#include "agent/history/recorded_past.h"
#include "agent/rollover/gate_decision.h"
#include "agent/self/progress.h"
#include "probes/explain.h"
#include "probes/report.h"
#include "storage/facts.h"
#include "web/acts.h"
#include "web/badge.h"
#include "web/current.h"
#include "web/deadlines.h"
#include "web/finding_page.h"
#include "web/mail.h"
#include "web/page.h"
#include "web/plans.h"
#include "web/public_page.h"
#include "web/rollover.h"

namespace web {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostItems = 500;
constexpr std::string_view kDomainPrefix = "/api/v1/domains/";
constexpr std::string_view kHostPrefix = "/api/v1/mx/";
constexpr std::string_view kAlertPrefix = "/api/v1/alerts/";

Reply page_file(std::string_view body, std::string type, std::string handler) {
  return {
      .content_type = std::move(type), .body = std::string(body), .handler = std::move(handler)};
}

Json text_or_null(const std::optional<std::string>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// Since when it is so; of what is not known in the history null.
Json since_json(const std::map<std::string, config::Time>& since, const std::string& domain) {
  const auto entry = since.find(domain);
  return entry == since.end() ? Json(nullptr) : Json(config::rfc3339(entry->second));
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
          {"delivery", wire_name(delivery_of(row))},
          {"delivery_since", since},
          {"worst_finding", worst},
          {"mx_hosts", row.mx_hosts},
          {"dane_mx_hosts", row.dane_mx_hosts},
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

Reply storage_failed(const std::string& detail) {
  return problem(500, "the history cannot be read", detail);
}

std::string host_of(const std::string& host_header) {
  const auto host = lower_case(host_header);
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

// Whether it is one of our names that the client used. A page that has its own name lead to our
// address cannot do so with an address.
bool is_called_rightly(const Guard& guard, const Request& request) {
  const auto host = host_of(request.header("host"));
  const bool is_address =
      host.starts_with('[') ||
      (!host.empty() && host.find_first_not_of("0123456789.") == std::string::npos);
  return std::ranges::find(guard.hosts, host) != guard.hosts.end() ||
         (guard.takes_any_address && is_address);
}

Reply log_in(const std::string& challenge) {
  auto reply = problem(401, "log in", "a user of web.config_file, or one of web.tokens");
  reply.headers["WWW-Authenticate"] = challenge;
  return reply;
}

Reply come_again() {
  auto reply = problem(429, "password not tried", "who may come in has just changed; come again");
  reply.headers["Retry-After"] = "1";
  return reply;
}

// Whether a request that changes something may come from a page of another site (Fetch Metadata,
// else Origin).
bool is_same_site(const Request& request) {
  const auto site = request.header("sec-fetch-site");
  if (!site.empty()) return site == "same-origin" || site == "none";
  const auto origin = request.header("origin");
  if (origin.empty()) return true;
  const auto scheme = origin.find("://");
  return scheme != std::string::npos && origin.substr(scheme + 3) == request.header("host");
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

// A moment as RFC 3339, or as milliseconds since 1970, which Grafana's links carry.
std::optional<config::Time> moment(const std::string& text) {
  if (auto time = config::parse_rfc3339(text)) return time;
  const auto milliseconds = number(text);
  constexpr std::size_t kMost = 253402300799999;  // the end of the year 9999
  if (!milliseconds || *milliseconds > kMost) return std::nullopt;
  return config::Time{config::Seconds{static_cast<std::int64_t>(*milliseconds / 1000)}};
}

// The host as followed; null when it is not.
const agent::Snapshot::Followed* find_host(const agent::Snapshot& snapshot,
                                           const std::string& name) {
  const auto wanted = probes::dns::Name::parse(name);
  if (!wanted) return nullptr;
  for (const auto& followed : snapshot.rollovers) {
    if (followed.host->host == *wanted) return &followed;
  }
  return nullptr;
}

// An MX host of a watched domain as it was last seen, or null.
const probes::HostObservation* host_seen(const agent::Snapshot& snapshot, const std::string& name) {
  const auto wanted = probes::dns::Name::parse(name);
  for (const auto& [host, seen] : snapshot.hosts) {
    if (wanted && host == *wanted) return seen.get();
  }
  return nullptr;
}

// The times of which nothing was recorded, in order.
storage::Queries::Answer<Json> gaps_between(storage::Queries& queries, config::Time from,
                                            config::Time until) {
  auto events = queries.history({.names = {storage::kOurselves}, .until = until, .limit = 1000});
  if (!events) return config::Failure<std::string>(events.error());
  std::ranges::reverse(*events);
  Json out = Json::array();
  for (const auto& event : *events) {
    if (event.kind == "gap" && event.last_seen >= from)
      out.push_back(
          {{"from", config::rfc3339(event.at)}, {"until", config::rfc3339(event.last_seen)}});
  }
  return out;
}

Reply no_such_host(const std::string& name) {
  return problem(404, "not found", fmt::format("no watched domain uses the MX host {}", name));
}

std::vector<const agent::Snapshot::Followed*> followed_of(const agent::Snapshot& snapshot,
                                                          const std::string& domain) {
  std::vector<const agent::Snapshot::Followed*> out;
  for (const auto& state : snapshot.domains) {
    if (state.configured.name != domain || !state.judged) continue;
    for (const auto& host : state.judged->hosts) {
      if (const auto* followed = find_host(snapshot, host.seen->host.text()))
        out.push_back(followed);
    }
  }
  return out;
}

Json notifiers_json(const std::vector<agent::NotifierHealth>& notifiers) {
  Json out = Json::array();
  for (const auto& one : notifiers) {
    out.push_back({{"name", one.name},
                   {"waiting", one.waiting},
                   {"delivered", one.delivered},
                   {"failed", one.failed},
                   {"last_success_at", time_or_null(one.last_success_at)},
                   {"fault", text_or_null(one.fault)}});
  }
  return out;
}

Json alert_json(const agent::Alert& alert, const agent::Snapshot& snapshot,
                const agent::Domains& domains) {
  auto out = agent::to_json(alert);
  const bool is_open =
      alert.state == agent::AlertState::pending || alert.state == agent::AlertState::firing;
  out["silenced"] = is_open && is_muted(alert, snapshot.silences, domains, snapshot.now);
  return out;
}

// What there is to do about a partner's trouble.
Json partner_json(const agent::Snapshot& snapshot, const std::string& domain) {
  Json out{{"postmaster_text", nullptr}, {"proposed_exception", nullptr}, {"exception", nullptr}};
  for (const auto& made : snapshot.exceptions) {
    if (made.domain == domain) out["exception"] = agent::to_json(made);
  }
  for (const auto& state : snapshot.domains) {
    if (state.configured.name != domain || !state.judged) continue;
    out["postmaster_text"] = text_or_null(agent::postmaster_text(*state.judged));
    if (const auto proposed = agent::exception_for(*state.judged, snapshot.now))
      out["proposed_exception"] = agent::to_json(*proposed);
  }
  return out;
}

Reply style() {
  return page_file(page_style(), "text/css; charset=utf-8", "/assets");
}

bool is_page_path(const std::string& path) {
  static const std::set<std::string> fixed{"/",         "/domains", "/alerts", "/silences", "/plan",
                                           "/findings", "/history", "/diff",   "/status"};
  if (fixed.contains(path)) return true;
  const auto is_one_below = [&](std::string_view folder) {
    return path.starts_with(folder) && path.find('/', folder.size()) == std::string::npos;
  };
  return is_one_below("/domains/") || is_one_below("/mx/");
}

}  // namespace

Reply Api::answer(const Request& request) const {
  Reply reply = route(request);
  auto& headers = reply.headers;  // what the route says itself holds
  headers["Content-Security-Policy"] =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src "
      "'self'; "
      "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
  headers["X-Content-Type-Options"] = "nosniff";
  headers["Referrer-Policy"] = "no-referrer";
  headers["Cross-Origin-Opener-Policy"] = "same-origin";
  headers.emplace("Cross-Origin-Resource-Policy", "same-origin");
  headers.emplace("Cache-Control", request.path.starts_with("/assets/") ? "no-cache" : "no-store");
  for (const auto& [name, value] : guard_.headers) headers[name] = value;
  if (request.method == "HEAD") reply.body.clear();
  return reply;
}

Reply Api::route(const Request& request) const {
  if (!is_called_rightly(guard_, request)) {
    return problem(421, "unknown host",
                   "set web.external_url or web.hosts to what users call this machine");
  }
  if (auto reply = open_to_all(request)) return *std::move(reply);
  const bool looks = request.method == "GET" || request.method == "HEAD";
  const bool changes = request.method == "POST" || request.method == "DELETE";
  if (guard_.access) {
    const auto asked = guard_.access->judge(request.header("authorization"), request.attempt);
    if (asked.is_untried) return come_again();
    if (!asked.right) return log_in(guard_.access->challenge());
    if (changes && asked.right != config::Right::operate)
      return problem(403, "refused",
                     "you may look; changes are for web.operators and for tokens "
                     "whose role is operate");
  }
  if (looks) return get(request);
  if (changes) return change(request);
  auto reply = problem(405, "method not allowed", "GET, HEAD, POST and DELETE are");
  reply.headers["Allow"] = "GET, HEAD, POST, DELETE";
  return reply;
}

std::optional<Reply> Api::open_to_all(const Request& request) const {
  if (request.method != "GET" && request.method != "HEAD") return std::nullopt;
  const auto& path = request.path;
  if (path == "/-/healthy") {
    const auto stall = sources_.health().stall;
    return stall ? text(fmt::format("not healthy: {}\n", *stall), path, 503)
                 : text("healthy\n", path);
  }
  if (path == "/-/ready") return ready(path);
  if (const auto domain = between(path, kDomainPrefix, "/badge.svg")) return badge(*domain, true);
  if (const auto domain = between(path, kDomainPrefix, "/badge.json")) return badge(*domain, false);
  if (guard_.badges.empty()) return std::nullopt;
  if (path == "/public" || path == "/public.json") return public_status(path == "/public");
  if (path == "/assets/app.css") return style();  // which the public page wears
  return std::nullopt;
}

// Ready is who looks and remembers what was seen.
Reply Api::ready(const std::string& path) const {
  if (!sources_.is_ready()) return text("not ready\n", path, 503);
  const auto health = sources_.health();
  if (health.stall) return text(fmt::format("not ready: {}\n", *health.stall), path, 503);
  // Who may ask this may be anybody: why is told under /api/v1/status.
  if (health.unrecorded) return text("not ready: nothing is recorded\n", path, 503);
  return text("ready\n", path);
}

// Of what is not to be seen by everybody nobody sees whether it is there.
Reply Api::badge(const std::string& domain, bool is_picture) const {
  const auto none = [] {
    return problem(404, "not found", "no public badge; web.public_badges names those there are");
  };
  if (!guard_.badges.contains(domain)) return none();
  const auto state = sources_.domain(domain);
  if (!state) return none();
  const auto row = current_row(*state, *sources_.queries);
  const auto made = badge_of(row.status, row.verdict);
  return is_picture ? badge_svg(made) : badge_json(made);
}

Reply Api::public_status(bool is_page) const {
  std::vector<storage::DomainRow> rows;
  for (const auto& domain : guard_.badges) {
    if (const auto state = sources_.domain(domain))
      rows.push_back(current_row(*state, *sources_.queries));
  }
  return is_page ? public_page(rows) : public_json(rows);
}

Vitals Api::vitals() const {
  const auto size = sources_.queries->size_bytes();
  const auto rows = sources_.queries->row_counts();
  Vitals out{.build = sources_.build,
             .notifiers = sources_.notifiers(),
             .reload = sources_.last_reload(),
             .storage_bytes = size ? *size : 0,
             .storage_rows = rows ? *rows : std::map<std::string, std::int64_t>{}};
  if (sources_.traffic == nullptr) return out;
  out.requests = sources_.traffic->answered();
  out.streams = sources_.traffic->streams();
  return out;
}

Reply Api::get(const Request& request) const {
  const auto& path = request.path;
  if (path == "/metrics") {
    auto body = metrics_text(*sources_.snapshot(), vitals());
    sources_.on_scrape(series_in(body));
    return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = std::move(body),
            .handler = path};
  }
  if (path == "/api/v1/status") return status();
  if (path == "/api/v1/domains") return domains(request);
  if (path == "/api/v1/alerts") return alerts(request);
  if (path.starts_with(kAlertPrefix)) return alert(path.substr(kAlertPrefix.size()));
  if (path == "/api/v1/silences") return silences();
  if (path == "/api/v1/findings") return findings(request);
  if (path == "/api/v1/deadlines") return deadlines(request);
  if (path == "/api/v1/events") return events(request);
  if (path == "/api/v1/openapi.json")
    return page_file(api_document(), "application/json; charset=utf-8", path);
  if (const auto name = between(path, kDomainPrefix, "/history")) return history(*name, request);
  if (const auto name = between(path, kHostPrefix, "/timeline")) return timeline(*name, request);
  if (path.starts_with(kDomainPrefix)) return domain(path.substr(kDomainPrefix.size()));
  if (path.starts_with(kHostPrefix)) return host(path.substr(kHostPrefix.size()));
  if (path == "/assets/app.js")
    return page_file(page_script(), "text/javascript; charset=utf-8", "/assets");
  if (path == "/assets/app.css") return style();
  if (path.starts_with("/findings/")) return finding_page(path.substr(10));
  if (is_page_path(path)) return page_file(page_html(), "text/html; charset=utf-8", "page");
  if (path.starts_with("/api/")) return problem(404, "not found", "no such resource");
  return text("not found\n", "none", 404);
}

Reply Api::change(const Request& request) const {
  if (!is_same_site(request))
    return problem(403, "refused", "this request comes from another site");
  // No form of another site can send JSON; a reload has nothing to say.
  const bool is_reload = request.path == "/-/reload" && request.method == "POST";
  const auto type = request.header("content-type");
  const bool is_json = type == "application/json" || type.starts_with("application/json;");
  if (request.method == "POST" && !is_json && !(is_reload && type.empty()))
    return problem(415, "unsupported media type", "send Content-Type: application/json");
  if (is_reload) {
    const auto done = sources_.reload();
    return done ? text("reloaded\n", request.path)
                : problem(500, "the old configuration stays", done.error());
  }
  if (const auto checked = between(request.path, kDomainPrefix, "/check");
      checked && request.method == "POST") {
    if (!sources_.check_now(*checked))
      return problem(404, "not found", "no domain of that name is watched");
    return json({{"domain", probes::printable(*checked)}}, "/api/v1/domains/{name}/check", 202);
  }
  if (request.path == "/api/v1/silences/preview" && request.method == "POST")
    return preview(request);
  if (request.path == "/api/v1/tlsa" && request.method == "POST") {
    const auto chain = chain_from_json(request.body);
    return chain ? json({{"items", fitting_records(*chain)}, {"next", nullptr}}, request.path)
                 : problem(400, "no certificate", chain.error());
  }
  if (const auto host = between(request.path, kHostPrefix, "/gate");
      host && request.method == "POST")
    return gate(*host, request);
  return act(*sources_.actions, request, sources_.snapshot()->now);
}

// At how many domains mail began to be held up in the last hour; null when that cannot be read.
Json Api::held_up_lately(const Counts& counts, config::Time now) const {
  const auto begin = now - std::chrono::hours{1};
  const auto changed = sources_.queries->changed_domains(begin);
  if (!changed) return nullptr;
  std::map<std::string, probes::Delivery> candidates;
  for (const auto& name : *changed) {
    if (counts.held_up.contains(name)) candidates.emplace(name, probes::Delivery::held_up);
  }
  const auto since = sources_.queries->delivery_since(candidates);
  if (!since) return nullptr;
  return std::ranges::count_if(*since, [&](const auto& one) { return one.second >= begin; });
}

Reply Api::status() const {
  const auto snapshot = sources_.snapshot();
  const auto size = sources_.queries->size_bytes();
  const auto counts = current_counts(*snapshot, *sources_.queries);
  const auto stall = why_stalled(snapshot->progress);
  Json vantage = Json::array();
  for (const auto& check : snapshot->vantage) {
    vantage.push_back(
        {{"check", check.check},
         {"up", check.is_up},
         {"detail", check.detail ? Json(probes::printable(*check.detail)) : Json(nullptr)},
         {"checked_at", config::rfc3339(check.checked_at)}});
  }
  Json resolvers = Json::array();
  for (const auto& sight : snapshot->resolvers)
    resolvers.push_back(
        {{"resolver", sight.resolver},
         {"validating", sight.is_validating ? Json(*sight.is_validating) : Json(nullptr)}});
  const auto reload = sources_.last_reload();
  const auto open =
      std::ranges::count(snapshot->alerts, agent::AlertState::firing, &agent::Alert::state);
  const auto under_way = std::ranges::count_if(
      snapshot->rollovers, [](const auto& followed) { return followed.rolling_since.has_value(); });
  return json(
      {{"version", sources_.build.version},
       {"started_at", config::rfc3339(snapshot->started_at)},
       {"now", config::rfc3339(snapshot->now)},
       {"config",
        {{"domains", snapshot->domains.size()},
         {"mx_hosts", snapshot->hosts.size()},
         {"interval", snapshot->schedule.interval.count()}}},
       {"scheduler",
        {{"queue_length", snapshot->queue_length},
         {"in_flight", snapshot->in_flight},
         {"lag_seconds", snapshot->lag.count()},
         {"rounds", snapshot->rounds},
         {"last_round_at", time_or_null(snapshot->last_round_at)},
         {"stall", text_or_null(stall)}}},
       {"vantage", vantage},
       {"resolvers", resolvers},
       {"reload",
        {{"successful", reload.is_good}, {"succeeded_at", config::rfc3339(reload.succeeded_at)}}},
       {"storage",
        {{"size_bytes", size ? Json(*size) : Json(nullptr)},
         {"errors", snapshot->record_errors},
         {"fault", snapshot->storage_fault ? Json(probes::printable(*snapshot->storage_fault))
                                           : Json(nullptr)},
         {"unrecorded_rounds", snapshot->unrecorded_rounds},
         {"lost_rounds", snapshot->lost_rounds}}},
       {"notifiers", notifiers_json(sources_.notifiers())},
       {"counts", status_json(counts)},
       {"delivery", delivery_json(counts)},
       {"held_up_lately", held_up_lately(counts, snapshot->now)},
       {"open_alerts", open},
       {"rollovers_under_way", under_way}},
      "/api/v1/status");
}

// Without a history to read nothing.
std::map<std::string, config::Time> Api::since_of(
    const std::map<std::string, probes::Delivery>& now) const {
  return sources_.queries->delivery_since(now).value_or(std::map<std::string, config::Time>{});
}

Reply Api::domains(const Request& request) const {
  DomainFilter filter;
  for (const auto& [name, value] : request.query) {
    if (name == "q") {
      filter.substring = value;
    } else if (const auto status = probes::status_from(value); name == "status" && status) {
      filter.status = status;
    } else if (const auto delivery = probes::delivery_from(value); name == "delivery" && delivery) {
      filter.delivery = delivery;
    } else if (name == "role" && (value == "inbound" || value == "outbound")) {
      filter.role = value == "inbound" ? config::Role::inbound : config::Role::outbound;
    } else if ((name == "status" || name == "delivery" || name == "role") && value.empty()) {
      continue;
    } else if (name == "group") {
      filter.group = value.empty() ? std::nullopt : std::optional{value};
    } else if (const auto sort = sort_from(value); name == "sort" && sort) {
      filter.sort = *sort;
    } else if (const auto count = number(value);
               name == "limit" && count && *count >= 1 && *count <= kMostItems) {
      filter.limit = *count;
    } else if (name == "cursor" && count) {
      filter.offset = *count;
    } else {
      return problem(400, "bad parameter", fmt::format("{}={}", name, value));
    }
  }
  const auto snapshot = sources_.snapshot();
  const auto page = current_domains(*snapshot, *sources_.queries, filter);
  std::map<std::string, std::size_t> open;
  for (const auto& alert : snapshot->alerts) {
    if (alert.state != agent::AlertState::firing) continue;
    for (const auto& name : alert.domains) ++open[name];
  }
  Json items = Json::array();
  std::map<std::string, probes::Delivery> shown;
  for (const auto& row : page.rows) shown.emplace(row.name, delivery_of(row));
  const auto since = since_of(shown);
  for (const auto& row : page.rows)
    items.push_back(domain_json(row, since_json(since, row.name), open[row.name]));
  const auto end = filter.offset + page.rows.size();
  return json({{"items", items},
               {"next", end < page.total ? Json(std::to_string(end)) : Json(nullptr)},
               {"total", page.total}},
              "/api/v1/domains");
}

Reply Api::domain(const std::string& name) const {
  const auto state = sources_.domain(name);
  if (!state) return problem(404, "not found", fmt::format("{} is not watched", name));
  const auto found = current_row(*state, *sources_.queries);
  auto out = state->judged  ? Json(probes::to_json(*state->judged))
             : found.report ? Json::parse(*found.report)
                            : unseen(found.name);
  out["status"] = wire_name(found.status);
  const auto delivery = delivery_of(found);
  out["delivery"] = wire_name(delivery);
  out["delivery_since"] = since_json(since_of({{found.name, delivery}}), found.name);
  out["role"] = found.role;
  out["group"] = found.group;
  out["observed_at"] = time_or_null(found.observed_at);
  Json list = Json::array();
  const auto snapshot = sources_.snapshot();
  const auto known = configured(*snapshot);
  out["rollover"] = rollover_json(followed_of(*snapshot, found.name), snapshot->now);
  for (const auto& alert : snapshot->alerts) {
    if (std::ranges::find(alert.domains, found.name) != alert.domains.end())
      list.push_back(alert_json(alert, *snapshot, known));
  }
  out["alerts"] = list;
  out["partner"] = found.role == "outbound" ? partner_json(*snapshot, found.name) : Json(nullptr);
  out["next_check_at"] = time_or_null(found.next_check_at);
  return json(out, "/api/v1/domains/{name}");
}

Reply Api::history(const std::string& name, const Request& request) const {
  const auto state = sources_.domain(name);
  if (!state) return problem(404, "not found", fmt::format("{} is not watched", name));
  const auto& domain = state->configured.name;
  storage::EventFilter filter;
  for (const auto& [key, value] : request.query) {
    const auto time = moment(value);
    const auto count = number(value);
    if (key == "from" && time) {
      filter.from = *time;
    } else if (key == "to" && time) {
      filter.until = *time;
    } else if (key == "limit" && count && *count >= 1 && *count <= kMostItems) {
      filter.limit = *count;
    } else if (key == "cursor" && count) {
      filter.before = static_cast<std::int64_t>(*count);
    } else {
      return problem(400, "bad parameter", fmt::format("{}={}", key, value));
    }
  }
  const auto hosts = sources_.queries->hosts_between(domain, filter.from, filter.until);
  if (!hosts) return storage_failed(hosts.error());
  filter.names = *hosts;
  filter.names.push_back(domain);
  filter.names.emplace_back(storage::kOurselves);
  const auto found = sources_.queries->history(filter);
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
  const auto summed = sources_.queries->summed(filter.names);
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
               {"summed", restless}},
              "/api/v1/domains/{name}/history");
}

// A host has no verdict in the history, which is its domains': what holds for it holds since it
// held for the first of those that fare alike, or since the first alert about it.
std::optional<config::Time> Api::host_since(const agent::Snapshot& snapshot, const HostMail& mail,
                                            const std::string& host) const {
  constexpr std::size_t kEnough = 100;  // they share its fate
  std::optional<config::Time> out;
  const auto take = [&](config::Time time) { out = std::min(out.value_or(time), time); };
  std::map<std::string, probes::Delivery> alike;
  for (const auto& state : snapshot.domains) {
    if (alike.size() == kEnough) break;
    if (!state.judged || probes::delivery_of(*state.judged) != mail.delivery) continue;
    if (std::ranges::binary_search(mail.domains, state.configured.name))
      alike.emplace(state.configured.name, mail.delivery);
  }
  for (const auto& [domain, time] : since_of(alike)) take(time);
  if (mail.delivery == probes::Delivery::held_up) {
    for (const auto* alert : alerts_of(snapshot, host)) take(alert->first_seen_at);
  }
  return out;
}

Reply Api::host(const std::string& name) const {
  const auto snapshot = sources_.snapshot();
  const auto* seen = host_seen(*snapshot, name);
  if (seen == nullptr) return no_such_host(name);
  const bool has_records = seen->tlsa.outcome == probes::dns::Outcome::answer;
  const auto mail = mail_through(*snapshot, *seen);
  Json alerts = Json::array();
  const auto known = configured(*snapshot);
  for (const auto* alert : alerts_of(*snapshot, seen->host.text()))
    alerts.push_back(alert_json(*alert, *snapshot, known));
  return json({{"host", seen->host.text()},
               {"verdict", mail.verdict ? Json(wire_name(*mail.verdict)) : Json(nullptr)},
               {"delivery", wire_name(mail.delivery)},
               {"delivery_since", time_or_null(host_since(*snapshot, mail, seen->host.text()))},
               {"held_up", mail.held_up.size()},
               {"certificate_seen", mail.has_shown_certificate},
               {"alerts", alerts},
               {"observed_at", config::rfc3339(seen->observed_at)},
               {"addresses", seen->addresses},
               {"tlsa",
                {{"owner", tlsa_owner_of(*seen)},
                 {"ttl", has_records ? Json(seen->tlsa.ttl.count()) : Json(nullptr)}}},
               {"domains", mail.domains},
               {"rollover", rollover_json(find_host(*snapshot, name), snapshot->now)}},
              "/api/v1/mx/{host}");
}

Reply Api::gate(const std::string& name, const Request& request) const {
  const auto chain = chain_from_json(request.body);
  if (!chain) return problem(400, "no certificate", chain.error());
  const auto snapshot = sources_.snapshot();
  const auto* seen = host_seen(*snapshot, name);
  if (seen == nullptr) return no_such_host(name);
  auto past = sources_.queries->chronicle(seen->host, snapshot->now - agent::kClearanceLookBack);
  if (!past) return storage_failed(past.error());
  end_by(*past, snapshot->now);
  return json(gate_json(*past, *chain, *seen, snapshot->now), "/api/v1/mx/{host}/gate");
}

Reply Api::timeline(const std::string& name, const Request& request) const {
  constexpr config::Seconds kBefore = std::chrono::hours{24 * 7};
  constexpr config::Seconds kLookBack = std::chrono::hours{24 * 400};
  const auto snapshot = sources_.snapshot();
  const auto* followed = find_host(*snapshot, name);
  if (followed == nullptr)
    return problem(404, "not found", fmt::format("{} has no TLSA records to follow", name));
  auto past = sources_.queries->chronicle(followed->host->host, snapshot->now - kLookBack);
  if (!past) return storage_failed(past.error());
  end_by(*past, snapshot->now);
  auto from = snapshot->now - kBefore;
  auto until = snapshot->now + kBefore;
  for (const auto& [key, value] : request.query) {
    const auto time = moment(value);
    if (!time || (key != "from" && key != "to"))
      return problem(400, "bad parameter", fmt::format("{}={}", key, value));
    (key == "from" ? from : until) = *time;
  }
  auto out = timeline_json(*followed, past->signatures, snapshot->now, from, until);
  const auto gaps = gaps_between(*sources_.queries, from, until);
  if (!gaps) return storage_failed(gaps.error());
  out["gaps"] = *gaps;
  return json(out, "/api/v1/mx/{host}/timeline");
}

Reply Api::alerts(const Request& request) const {
  std::optional<agent::AlertState> state;
  for (const auto& [name, value] : request.query) {
    if (name == "state" && value.empty()) continue;
    state = name == "state" ? agent::alert_state_from(value) : std::nullopt;
    if (!state) return problem(400, "bad parameter", fmt::format("{}={}", name, value));
  }
  const auto snapshot = sources_.snapshot();
  const auto found = current_alerts(*snapshot, *sources_.queries, state, kMostItems);
  const auto domains = configured(*snapshot);
  Json items = Json::array();
  for (const auto& alert : found) items.push_back(alert_json(alert, *snapshot, domains));
  return json({{"items", items}, {"next", nullptr}}, "/api/v1/alerts");
}

Reply Api::alert(const std::string& id) const {
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
  return json(out, "/api/v1/alerts/{id}");
}

Reply Api::silences() const {
  const auto snapshot = sources_.snapshot();
  Json items = Json::array();
  for (const auto& silence : snapshot->silences)
    items.push_back(agent::to_json(silence, snapshot->now));
  return json({{"items", items}, {"next", nullptr}}, "/api/v1/silences");
}

Reply Api::preview(const Request& request) const {
  const auto snapshot = sources_.snapshot();
  auto wanted = agent::silence_from_json(request.body, snapshot->now);
  if (!wanted) return problem(400, "bad silence", wanted.error());
  return json({{"items", preview_json(*snapshot, std::move(*wanted))}, {"next", nullptr}},
              "/api/v1/silences/preview");
}

// The soonest of each kind.
Reply Api::deadlines(const Request& request) const {
  std::size_t most = 3;
  for (const auto& [key, value] : request.query) {
    const auto count = number(value);
    if (key != "limit" || !count || *count < 1 || *count > kMostItems)
      return problem(400, "bad parameter", fmt::format("{}={}", key, value));
    most = *count;
  }
  return json({{"items", deadlines_json(*sources_.snapshot(), most)}, {"next", nullptr}},
              "/api/v1/deadlines");
}

// All that is open now, by domain in the order of the configuration, worst first in each.
Reply Api::findings(const Request& request) const {
  std::size_t limit = 100, offset = 0;
  std::map<std::string, std::string> wanted;
  for (const auto& [key, value] : request.query) {
    const auto count = number(value);
    if (key == "limit" && count && *count >= 1 && *count <= kMostItems) {
      limit = *count;
    } else if (key == "cursor" && count) {
      offset = *count;
    } else if (key == "code" || key == "severity" || key == "domain") {
      if (!value.empty()) wanted[key] = value;
    } else {
      return problem(400, "bad parameter", fmt::format("{}={}", key, value));
    }
  }
  const auto is_wanted = [&](const char* key, std::string_view value) {
    const auto entry = wanted.find(key);
    return entry == wanted.end() || entry->second == value;
  };
  const auto snapshot = sources_.snapshot();
  Json items = Json::array();
  std::size_t at = 0;
  for (const auto& state : snapshot->domains) {
    if (!state.judged || !is_wanted("domain", state.configured.name)) continue;
    for (const auto& finding : state.judged->findings) {
      if (!is_wanted("code", wire_name(finding.code)) ||
          !is_wanted("severity", wire_name(finding.severity)))
        continue;
      if (at++ < offset || items.size() >= limit) continue;
      Json item{{"domain", state.configured.name}};
      item.update(probes::to_json(finding));
      items.push_back(item);
    }
  }
  const auto end = offset + items.size();
  return json({{"items", items},
               {"next", end < at ? Json(std::to_string(end)) : Json(nullptr)},
               {"total", at}},
              "/api/v1/findings");
}

// Server-sent events: what changed; the client asks for the rest.
Reply Api::events(const Request& request) const {
  constexpr int kPing = 15;  // waits of a second without news
  if (!request.query.empty()) return problem(400, "bad parameter", "events takes none");
  // A page of another site cannot read them, but it could take all the places.
  if (!is_same_site(request))
    return problem(403, "refused", "this request comes from another site");
  const auto resumed = number(request.header("last-event-id"));
  auto after = resumed ? std::uint64_t{*resumed} : sources_.feed->last_id();
  Reply reply{.content_type = "text/event-stream", .handler = "/api/v1/events"};
  reply.headers["X-Accel-Buffering"] = "no";
  reply.stream = [feed = sources_.feed, after, quiet = 0,
                  is_begun = false]() mutable -> std::optional<std::string> {
    if (!std::exchange(is_begun, true)) return "retry: 5000\n\n";
    std::string out;
    for (const auto& event : feed->wait(after)) {
      out += to_stream(event);
      after = event.id;
    }
    if (feed->is_closed()) return std::nullopt;
    quiet = out.empty() ? quiet + 1 : 0;
    if (quiet < kPing) return out;
    quiet = 0;
    return ": still here\n\n";
  };
  return reply;
}

}  // namespace web

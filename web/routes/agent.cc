#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "agent/self/progress.h"
#include "config/service.h"
#include "probes/explain.h"
#include "web/routes/api.h"
#include "web/routes/own_news.h"
#include "web/routes/page.h"
#include "web/routes/parts.h"

namespace web {
namespace {

using Json = nlohmann::ordered_json;

Json notifiers_json(const std::vector<agent::NotifierHealth>& notifiers) {
  Json out = Json::array();
  for (const auto& one : notifiers) {
    out.push_back({{"name", one.name},
                   {"tells_people", one.tells_people},
                   {"waiting", one.waiting},
                   {"delivered", one.delivered},
                   {"failed", one.failed},
                   {"last_success_at", time_or_null(one.last_success_at)},
                   {"fault", text_or_null(one.fault)}});
  }
  return out;
}

Json lists_json(const std::vector<agent::ListHealth>& lists) {
  constexpr std::size_t kMostLost = 100;
  Json out = Json::array();
  for (const auto& one : lists) {
    Json refused = nullptr;
    if (one.refusal) {
      Json lost = Json::array();
      for (const auto& name : one.refusal->lost) {
        if (lost.size() < kMostLost) lost.push_back(name);
      }
      refused = {{"since", config::rfc3339(one.refusal->since)},
                 {"lost", one.refusal->lost.size()},
                 {"of", one.refusal->of},
                 {"names", lost}};
    }
    out.push_back({{"name", one.name},
                   {"source", one.source},
                   {"domains", one.domains},
                   {"missing", one.missing},
                   {"read_at", time_or_null(one.read_at)},
                   {"fault", one.fault ? Json(probes::printable(*one.fault)) : Json(nullptr)},
                   {"failures", one.failures},
                   {"refused", refused}});
  }
  return out;
}

// Since when the check fails: as the alert about it has it.
std::optional<config::Time> failing_since(const agent::Snapshot& snapshot,
                                          const agent::SelfCheck& check) {
  if (check.is_up) return std::nullopt;
  const auto name = check.check.starts_with("smtp_") ? std::string("smtp") : check.check;
  for (const auto& alert : snapshot.alerts) {
    if (alert.finding.code == probes::Code::monitor_fault && alert.cause.name == name)
      return alert.first_seen_at;
  }
  return check.checked_at;
}

Json blind_json(const agent::Snapshot& snapshot, const std::optional<std::string>& stall) {
  const auto checks = agent::blinding(snapshot.vantage);
  if (checks.empty() && !stall) return nullptr;
  Json causes = Json::array();
  std::optional<config::Time> since;
  const auto add = [&](std::string_view check, const std::string& detail, config::Time at) {
    causes.push_back(
        {{"check", check}, {"detail", probes::printable(detail)}, {"since", config::rfc3339(at)}});
    since = std::min(since.value_or(at), at);
  };
  for (const auto* check : checks)
    add(check->check, check->detail.value_or(""), *failing_since(snapshot, *check));
  if (stall) add("scheduler", *stall, snapshot.last_round_at.value_or(snapshot.started_at));
  // Those that gave no answer, if any did: else nobody knows which of them it is.
  Json resolvers = Json::array();
  const bool is_any_dumb =
      std::ranges::any_of(snapshot.resolvers, [](const auto& one) { return !one.is_validating; });
  for (const auto& one : snapshot.resolvers) {
    if (!is_any_dumb || !one.is_validating) resolvers.push_back(one.resolver);
  }
  return {{"since", config::rfc3339(*since)}, {"causes", causes}, {"resolvers", resolvers}};
}

}  // namespace

Reply Api::healthy(const Call& /*call*/) const {
  const auto stall = backend_.health().stall;
  return stall ? text(fmt::format("not healthy: {}\n", *stall), 503) : text("healthy\n");
}

// Ready is who looks and remembers what was seen.
Reply Api::ready(const Call& /*call*/) const {
  if (!backend_.is_ready()) return text("not ready\n", 503);
  const auto health = backend_.health();
  if (health.stall) return text(fmt::format("not ready: {}\n", *health.stall), 503);
  // Who may ask this may be anybody: why is told under /api/v1/status.
  if (health.unrecorded) return text("not ready: nothing is recorded\n", 503);
  return text("ready\n");
}

Reply Api::reload(const Call& call) const {
  const auto done = backend_.reload();
  if (backend_.leader)  // the list of acts is the leader's
    return done ? text("reloaded\n") : problem(500, "the old configuration stays", done.error());
  return noted(
      call, {.what = "reload", .subject_kind = "agent"},
      done ? text("reloaded\n") : problem(500, "the old configuration stays", done.error()));
}

Vitals Api::vitals() const {
  const auto size = backend_.queries->size_bytes();
  const auto rows = backend_.queries->row_counts();
  Vitals out{.build = backend_.build,
             .notifiers = backend_.notifiers(),
             .reload = backend_.last_reload(),
             .storage_bytes = size ? *size : 0,
             .storage_rows = rows ? *rows : std::map<std::string, std::int64_t>{}};
  if (backend_.postfix != nullptr) out.postfix = backend_.postfix->view();
  if (backend_.traffic == nullptr) return out;
  out.requests = backend_.traffic->answered();
  out.streams = backend_.traffic->streams();
  return out;
}

Reply Api::metrics(const Call& /*call*/) const {
  auto body = backend_.leader ? standby_metrics_text(backend_.build)
                              : metrics_text(*backend_.snapshot(), vitals());
  if (backend_.on_scrape) backend_.on_scrape(series_in(body));
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = std::move(body)};
}

Reply Api::document(const Call& /*call*/) const {
  return {.content_type = "application/json; charset=utf-8", .body = std::string(api_document())};
}

// At how many domains mail began to be held up in the last hour; null when that cannot be read.
nlohmann::ordered_json Api::held_up_lately(config::Time now) const {
  const auto delivery = [&](const std::string& name) -> std::optional<probes::Delivery> {
    const auto state = (view_ ? view_->everything() : backend_).domain(name);
    if (!state) return std::nullopt;
    return state->judged ? storage::delivery_of(*state)
                         : current_row(*state, *backend_.queries).delivery;
  };
  const auto count = remembered_->held_up.count(
      now - std::chrono::hours{1}, delivery, *backend_.queries,
      [&](const std::string& name) { return !view_ || view_->theirs().has_domain(name); });
  return count ? Json(*count) : Json(nullptr);
}

Reply Api::status(const Call& /*call*/) const {
  const auto snapshot = backend_.snapshot();
  const auto size = backend_.queries->size_bytes();
  const auto counts = all_counts(*snapshot, *recorded_briefs(*snapshot));
  const auto stall = why_stalled(snapshot->progress);
  Json vantage = Json::array();
  for (const auto& check : snapshot->vantage) {
    vantage.push_back(
        {{"check", check.check},
         {"up", check.is_up},
         {"limit", check.is_limit},
         {"detail", check.detail ? Json(probes::printable(*check.detail)) : Json(nullptr)},
         {"checked_at", config::rfc3339(check.checked_at)},
         {"since", time_or_null(failing_since(*snapshot, check))}});
  }
  const auto blind = blind_json(*snapshot, stall);
  const bool has_checked = agent::is_sight_known(snapshot->vantage);
  Json known = nullptr;
  if (const auto last =
          blind.is_null() && has_checked ? std::nullopt : last_known(*snapshot, *backend_.queries))
    known = {{"at", config::rfc3339(last->at)}, {"delivery", delivery_json(last->counts)}};
  auto notifiers = backend_.notifiers();
  for (auto& one : notifiers) {
    if (one.fault && view_) one.fault = view_->theirs().without_others(*one.fault);
  }
  Json resolvers = Json::array();
  for (const auto& sight : snapshot->resolvers)
    resolvers.push_back(
        {{"resolver", sight.resolver},
         {"validating", sight.is_validating ? Json(*sight.is_validating) : Json(nullptr)}});
  Json spared = Json::array();
  for (const auto& one : snapshot->spared)
    spared.push_back({{"provider", one.provider},
                      {"until", config::rfc3339(one.until)},
                      {"refusals", one.times}});
  const auto reload = backend_.last_reload();
  const auto folder_fault =
      backend_.report_folder_fault ? backend_.report_folder_fault() : std::nullopt;
  const auto open =
      std::ranges::count(snapshot->alerts, agent::AlertState::firing, &agent::Alert::state);
  const auto under_way = std::ranges::count_if(
      snapshot->rollovers, [](const auto& followed) { return followed.rolling_since.has_value(); });
  const auto services = std::ranges::count_if(snapshot->domains, [](const auto& one) {
    return config::service_called(one.configured->name).has_value();
  });
  return json(
      {{"version", backend_.build.version},
       {"started_at", config::rfc3339(snapshot->started_at)},
       {"now", config::rfc3339(snapshot->now)},
       {"config",
        {{"domains", snapshot->domains.size()},
         {"services", services},
         {"mx_hosts", snapshot->hosts.size()},
         {"interval", snapshot->schedule.interval.count()}}},
       {"scheduler",
        {{"queue_length", snapshot->queue_length},
         {"in_flight", snapshot->in_flight},
         {"lag_seconds", snapshot->lag.count()},
         {"rounds", snapshot->rounds},
         {"last_round_at", time_or_null(snapshot->last_round_at)},
         {"stall", text_or_null(stall)}}},
       {"self_checked", has_checked},
       {"vantage", vantage},
       {"resolvers", resolvers},
       {"spared", spared},
       {"domain_lists", lists_json(snapshot->lists)},
       {"reload",
        {{"successful", reload.is_good}, {"succeeded_at", config::rfc3339(reload.succeeded_at)}}},
       {"storage",
        {{"size_bytes", size ? Json(*size) : Json(nullptr)},
         {"errors", snapshot->record_errors},
         {"fault", snapshot->storage_fault ? Json(probes::printable(*snapshot->storage_fault))
                                           : Json(nullptr)},
         {"unrecorded_rounds", snapshot->unrecorded_rounds},
         {"lost_rounds", snapshot->lost_rounds}}},
       {"tlsrpt", {{"folder_fault", text_or_null(folder_fault)}}},
       {"blind", blind},
       {"last_known", known},
       {"notifiers", notifiers_json(notifiers)},
       {"notifiers_configured",
        std::ranges::any_of(notifiers, &agent::NotifierHealth::tells_people)},
       {"counts", status_json(counts)},
       {"delivery", delivery_json(counts)},
       {"held_up_lately", held_up_lately(snapshot->now)},
       {"open_alerts", open},
       {"rollovers_under_way", under_way}});
}

Reply Api::agents(const Call& /*call*/) const {
  Json items = Json::array();
  for (auto& one : backend_.agents()) {
    if (view_) one.fault = view_->theirs().without_others(one.fault);
    items.push_back({{"name", one.name},
                     {"vantage", one.vantage},
                     {"is_leader", one.is_leader},
                     {"last_seen_at", time_or_null(one.last_seen_at)},
                     {"looks", one.looks},
                     {"fault", one.fault.empty() ? Json(nullptr) : Json(one.fault)}});
  }
  return json({{"items", std::move(items)}, {"next", nullptr}});
}

// Server-sent events: what changed; the client asks for the rest.
Reply Api::events(const Call& call) const {
  static constexpr std::chrono::seconds kPing{15};  // without a word
  // A page of another site cannot read them, but it could take all the places.
  if (!is_same_site(call.request))
    return problem(403, "refused", "this request comes from another site");
  const auto resumed = number(call.request.header("last-event-id"));
  auto after = resumed ? std::uint64_t{*resumed} : backend_.feed->last_id();
  Reply reply{.content_type = "text/event-stream"};
  reply.headers["X-Accel-Buffering"] = "no";
  std::shared_ptr<OwnNews> own;  // null: everything
  if (view_) own = std::make_shared<OwnNews>(view_->everything(), call.client);
  using Clock = std::chrono::steady_clock;
  reply.stream = [feed = backend_.feed, after, own, spoke_at = Clock::now(),
                  is_begun = false]() mutable -> std::optional<std::string> {
    if (!std::exchange(is_begun, true)) return "retry: 5000\n\n";
    std::string out;
    for (const auto& event : feed->wait(after)) {
      if (!own || own->has(event)) out += to_stream(event);
      after = event.id;
    }
    if (feed->is_closed()) return std::nullopt;
    if (out.empty() && Clock::now() - spoke_at >= kPing) out = ": still here\n\n";
    if (!out.empty()) spoke_at = Clock::now();
    return out;
  };
  return reply;
}

}  // namespace web

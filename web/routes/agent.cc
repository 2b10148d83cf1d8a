#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agent/self/progress.h"
#include "probes/explain.h"
#include "web/routes/api.h"
#include "web/routes/page.h"
#include "web/routes/parts.h"

namespace web {
namespace {

using Json = nlohmann::ordered_json;

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

}  // namespace

Reply Api::healthy(const Call& /*call*/) const {
  const auto stall = sources_.health().stall;
  return stall ? text(fmt::format("not healthy: {}\n", *stall), 503) : text("healthy\n");
}

// Ready is who looks and remembers what was seen.
Reply Api::ready(const Call& /*call*/) const {
  if (!sources_.is_ready()) return text("not ready\n", 503);
  const auto health = sources_.health();
  if (health.stall) return text(fmt::format("not ready: {}\n", *health.stall), 503);
  // Who may ask this may be anybody: why is told under /api/v1/status.
  if (health.unrecorded) return text("not ready: nothing is recorded\n", 503);
  return text("ready\n");
}

Reply Api::reload(const Call& /*call*/) const {
  const auto done = sources_.reload();
  return done ? text("reloaded\n") : problem(500, "the old configuration stays", done.error());
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

Reply Api::metrics(const Call& /*call*/) const {
  auto body = metrics_text(*sources_.snapshot(), vitals());
  sources_.on_scrape(series_in(body));
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = std::move(body)};
}

Reply Api::document(const Call& /*call*/) const {
  return {.content_type = "application/json; charset=utf-8", .body = std::string(api_document())};
}

// At how many domains mail began to be held up in the last hour; null when that cannot be read.
nlohmann::ordered_json Api::held_up_lately(const Counts& counts, config::Time now) const {
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

Reply Api::status(const Call& /*call*/) const {
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
       {"rollovers_under_way", under_way}});
}

// Server-sent events: what changed; the client asks for the rest.
Reply Api::events(const Call& call) const {
  constexpr int kPing = 15;  // waits of a second without news
  // A page of another site cannot read them, but it could take all the places.
  if (!is_same_site(call.request))
    return problem(403, "refused", "this request comes from another site");
  const auto resumed = number(call.request.header("last-event-id"));
  auto after = resumed ? std::uint64_t{*resumed} : sources_.feed->last_id();
  Reply reply{.content_type = "text/event-stream"};
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

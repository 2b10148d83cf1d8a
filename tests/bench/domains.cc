// How long the server takes for its lists while one shared MX host is broken: many domains, all of
// which it holds up; without the network.
//
//   build/release/tests/bench/domains_bench [DOMAINS]     10,000 by default

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <iostream>

#include <fmt/format.h>
#include <unistd.h>

#include "storage/recorder.h"
#include "tests/support/finish.h"
#include "tests/support/scene.h"
#include "web/routes/api.h"

namespace {

constexpr double kMost = 200;  // milliseconds
constexpr int kTimes = 20;
constexpr config::Seconds kMinute{60};

// What the agent holds then, recorded as it would.
agent::Snapshot scene_of(std::size_t count, storage::DatabaseRecorder& recorder) {
  support::Scene scene;
  const auto& pki = support::Pki::get();
  scene.serve({pki.old_leaf.certificate, pki.inter.certificate});
  const auto judged = std::make_shared<const probes::DomainJudgement>(scene.judge());
  agent::Snapshot out{.now = support::kNow + kMinute, .started_at = support::kNow};
  agent::Alert alert{
      .id = "f-1",
      .state = agent::AlertState::firing,
      .finding = {.code = probes::Code::tlsa_mismatch,
                  .severity = probes::Severity::critical,
                  .subject = {.kind = probes::Subject::Kind::host, .name = "mx.example.test"}},
      .first_seen_at = support::kNow,
      .last_seen_at = support::kNow,
      .opened_at = support::kNow};
  std::vector<config::Domain> configured;
  agent::Round round{.at = support::kNow};
  for (std::size_t i = 0; i < count; ++i) {
    const agent::DomainState state{
        .configured =
            config::Domain{.name = fmt::format("domain-{:05}.example.org", i),
                           .role = i % 3 == 0 ? config::Role::inbound : config::Role::outbound,
                           .group = fmt::format("group-{}", i % 20)},
        .judged = judged,
        .next_check_at = support::kNow + 15 * kMinute};
    configured.push_back(*state.configured);
    alert.domains.push_back(state.configured->name);
    round.judged.push_back(state);
    out.domains.push_back(state);
  }
  alert.cause = alert.finding.subject;
  alert.hits = {
      {.subject = alert.cause, .domains = alert.domains, .severity = probes::Severity::critical}};
  round.alerts = {alert};
  round.transitions = {{.what = agent::Transition::What::opened, .alert_id = alert.id}};
  out.alerts = {alert};
  const auto host = std::make_shared<const probes::HostObservation>(scene.mx());
  out.hosts.push_back({host->host, host});
  if (!support::finish(recorder.keep_only(configured)) || !recorder.record(round))
    throw std::runtime_error("cannot record");
  return out;
}

double milliseconds_for(const web::Api& api, const web::Request& request) {
  const auto began = std::chrono::steady_clock::now();
  const auto reply = api.answer(request);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  if (reply.status != 200) throw std::runtime_error(reply.body);
  return took.count();
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 10'000;
  if (argc > 1) {
    const std::string_view text = argv[1];
    std::from_chars(text.data(), text.data() + text.size(), count);
  }
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("danelaw-domains-{}", getpid());
  std::filesystem::create_directory(folder);
  const auto file = folder / "danelaw.db";
  auto recorder = storage::DatabaseRecorder::open(file);
  if (!recorder) return 2;
  const auto snapshot = std::make_shared<const agent::Snapshot>(scene_of(count, **recorder));
  auto queries = storage::Queries::open(file);
  if (!queries) return 2;
  web::Backend backend;
  backend.snapshot = [snapshot] { return snapshot; };
  backend.domain = [snapshot](std::string_view) {
    return std::optional<agent::DomainState>(snapshot->domains[0]);
  };
  backend.queries = queries->get();
  backend.notifiers = [] { return std::vector<agent::NotifierHealth>{}; };
  backend.last_reload = [] { return web::Reload{}; };
  backend.agents = [] { return std::vector<web::Member>{}; };
  const web::Api api{std::move(backend), {.hosts = {"localhost"}}};
  const auto last = std::to_string(count - std::min<std::size_t>(count, 100));
  const std::pair<const char*, std::map<std::string, std::string>> asked[] = {
      {"/api/v1/status", {}},
      {"/api/v1/domains", {}},
      {"/api/v1/domains", {{"cursor", last}}},
      {"/api/v1/domains", {{"limit", "500"}}},
      {"/api/v1/domains", {{"q", "ain-77"}}},
      {"/api/v1/domains", {{"q", "nowhere"}}},
      {"/api/v1/domains", {{"delivery", "held-up"}, {"sort", "delivery"}}},
      {"/api/v1/domains", {{"group", "group-7"}, {"code", "tlsa-mismatch"}}},
      {"/api/v1/domains", {{"mx", "mx.example.test"}}},
      {"/api/v1/domains", {{"sort", "observed_at"}, {"cursor", last}}},
      {"/api/v1/domains/domain-00000.example.org", {}},
      {"/api/v1/mx", {}},
      {"/api/v1/mx/mx.example.test", {}},
      {"/api/v1/findings", {{"limit", "500"}}},
      {"/api/v1/findings", {{"group_by", "cause"}}},
      {"/api/v1/alerts", {}},
      {"/api/v1/alerts", {{"group", "group-7"}}},
      {"/api/v1/history", {{"limit", "500"}}},
      {"/api/v1/history", {{"group", "group-7"}}},
      {"/api/v1/days", {}},
      {"/api/v1/groups", {}},
      {"/api/v1/deadlines", {}},
  };
  double worst = 0;
  std::cout << fmt::format("{} domains, milliseconds of {} times each\n", count, kTimes);
  for (const auto& [path, query] : asked) {
    std::vector<double> took;
    for (int i = 0; i < kTimes; ++i)
      took.push_back(milliseconds_for(
          api,
          {.method = "GET", .path = path, .query = query, .headers = {{"host", "localhost"}}}));
    std::ranges::sort(took);
    worst = std::max(worst, took[kTimes / 2]);
    std::string what = path;
    for (const auto& [name, value] : query) what += fmt::format(" {}={}", name, value);
    std::cout << fmt::format("{:<64} {:8.1f} median {:8.1f} worst\n", what, took[kTimes / 2],
                             took.back());
  }
  std::filesystem::remove_all(folder);
  std::cout << (worst < kMost ? "kept" : "NOT KEPT")
            << fmt::format(": every median under {:.0f} ms\n", kMost);
  return worst < kMost ? 0 : 1;
}

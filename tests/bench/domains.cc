// How long the server takes to list, search and sort many domains, without the network.
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
#include "storage/sqlite.h"
#include "web/routes/api.h"

namespace {

constexpr double kMost = 200;  // milliseconds
constexpr int kTimes = 50;

void fill(const std::filesystem::path& file, std::size_t count) {
  std::vector<config::Domain> domains;
  for (std::size_t i = 0; i < count; ++i)
    domains.push_back({.name = fmt::format("domain-{}.example.org", i),
                       .group = fmt::format("group-{}", i % 20)});
  auto recorder = storage::SqliteRecorder::open(file);
  if (!recorder || !(*recorder)->keep_only(domains)) throw std::runtime_error("cannot record");
  // As looks leave them, with reports as long as those of two hosts.
  storage::Database db{file, storage::Database::Mode::create};
  db.execute(
      "UPDATE domain SET verdict = 'authenticated', weakest = 'authenticated', severity = 'low', "
      "status = CASE abs(random()) % 10 WHEN 0 THEN 'critical' WHEN 1 THEN 'warning' ELSE 'ok' "
      "END, "
      "worst_code = 'tlsrpt-missing', worst_severity = 'low', worst_title = 'a title', mx_hosts = "
      "2, "
      "dane_mx_hosts = 2, observed_at = 1800000000 + abs(random()) % 900, "
      "next_check_at = 1800001000, report = hex(randomblob(4000))");
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
  fill(file, count);
  auto queries = storage::Queries::open(file);
  if (!queries) return 2;
  web::Sources sources;
  const auto snapshot = std::make_shared<const agent::Snapshot>();
  sources.snapshot = [snapshot] { return snapshot; };
  sources.queries = queries->get();
  const web::Api api{std::move(sources), {.hosts = {"localhost"}}};
  const std::pair<const char*, std::map<std::string, std::string>> asked[] = {
      {"first page", {}},
      {"last page", {{"cursor", std::to_string(count - 100)}}},
      {"five hundred at once", {{"limit", "500"}}},
      {"search", {{"q", "ain-77"}}},
      {"search that finds nothing", {{"q", "nowhere"}}},
      {"by status", {{"status", "critical"}}},
      {"by group", {{"group", "group-7"}}},
      {"sorted by status", {{"sort", "status"}}},
      {"sorted by last look", {{"sort", "observed_at"}}},
      {"sorted by last look, last page",
       {{"sort", "observed_at"}, {"cursor", std::to_string(count - 100)}}},
  };
  double worst = 0;
  std::cout << fmt::format("{} domains, milliseconds of {} times each\n", count, kTimes);
  for (const auto& [what, query] : asked) {
    std::vector<double> took;
    for (int i = 0; i < kTimes; ++i)
      took.push_back(milliseconds_for(api, {.method = "GET",
                                            .path = "/api/v1/domains",
                                            .query = query,
                                            .headers = {{"host", "localhost"}}}));
    std::ranges::sort(took);
    worst = std::max(worst, took.back());
    std::cout << fmt::format("{:<32} {:8.1f} median {:8.1f} worst\n", what, took[kTimes / 2],
                             took.back());
  }
  std::filesystem::remove_all(folder);
  std::cout << (worst < kMost ? "kept" : "NOT KEPT") << fmt::format(": under {:.0f} ms\n", kMost);
  return worst < kMost ? 0 : 1;
}

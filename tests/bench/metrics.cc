// What a scrape of /metrics costs: series, size, time of one core, and memory, at every level of
// detail.
// Generated from the test world; prints a table and ends with 1 when a promise is not kept: 10,000
// domains that share 50 MX hosts take under 0.5 s and 150 MB.
//
// metrics_bench [domains [hosts]]

#include "web/metrics.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iostream>

#include <fmt/format.h>
#include <time.h>

#include "agent/rollover/rollover.h"
#include "tests/support/past.h"
#include "tests/support/scene.h"

namespace {

constexpr double kMegabyte = 1e6;
constexpr double kMostSeconds = 0.5;
constexpr double kMostMegabytes = 150;
constexpr std::size_t kHostsADomain = 2;

// That this process computed; other work on the machine does not lengthen it.
double seconds_spent() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

// Of this process now, or the most there was.
double megabytes(std::string_view what) {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != what) continue;
    double kilobytes = 0;
    status >> kilobytes;
    return kilobytes * 1024 / kMegabyte;
  }
  return 0;
}

// A year in which the key changed every 60 days, the last time an hour ago and too early.
std::shared_ptr<const agent::Rollovers> year() {
  using support::Past;
  constexpr config::Seconds kDay = std::chrono::hours{24};
  const auto& pki = support::Pki::get();
  const std::array leaves{&pki.leaf, &pki.old_leaf};
  Past past;
  const auto record_of = [&](std::size_t key) {
    return support::record(3, 1, 1, *leaves[key % 2]->certificate);
  };
  const auto chain_of = [&](std::size_t key) {
    return agent::Chain{leaves[key % 2]->certificate, pki.inter.certificate};
  };
  for (std::size_t key = 0; key < 6; ++key) {
    const auto at = support::kNow - std::chrono::hours{1} - (5 - key) * 60 * kDay;
    if (key == 5) {
      past.look(at, Past::give({record_of(key)}), chain_of(key));
      break;
    }
    past.look(at, Past::give({record_of(key)}), chain_of(key));
    past.look(at + 57 * kDay, Past::give({record_of(key), record_of(key + 1)}), chain_of(key));
    past.look(at + 58 * kDay, Past::give({record_of(key), record_of(key + 1)}), chain_of(key + 1));
  }
  return std::make_shared<const agent::Rollovers>(
      agent::history_of(past.host_history, {"mx.example.test"}));
}

// Every domain has two of the hosts, and every host two addresses and a change of key under way.
agent::Snapshot crowd(std::size_t domains, std::size_t hosts) {
  const support::Scene pattern;
  std::vector<probes::HostSeen> all;
  for (std::size_t i = 0; i < hosts; ++i) {
    auto seen = pattern.hosts.at("mx.example.test");
    seen.host = support::name(fmt::format("mx{:05}.provider.example", i));
    all.push_back(std::make_shared<const probes::HostObservation>(seen));
  }
  agent::Snapshot out{.now = support::kNow};
  const auto rollovers = year();
  for (const auto& host : all) {
    out.hosts.push_back({host->host, host});
    out.rollovers.push_back(agent::Snapshot::Followed{host, rollovers, support::kNow});
  }
  for (std::size_t i = 0; i < domains; ++i) {
    auto domain = pattern.domain;
    domain.domain = support::name(fmt::format("customer{:05}.example", i));
    domain.hosts.clear();
    std::map<probes::dns::Name, probes::HostSeen> seen;
    for (std::size_t mine = 0; mine < kHostsADomain; ++mine) {
      const auto& host = all[(kHostsADomain * i + mine) % hosts];
      domain.hosts.push_back({.name = host->host, .preference = 10});
      seen.emplace(host->host, host);
    }
    const auto observed = std::make_shared<const probes::DomainObservation>(domain);
    out.domains.push_back(
        {.configured = config::Domain{.name = domain.domain.text(), .group = "customers"},
         .judged = std::make_shared<const probes::DomainJudgement>(
             probes::judge(observed, seen, support::kNow))});
  }
  return out;
}

std::size_t argument(int argc, char** argv, int place, std::size_t otherwise) {
  std::size_t out = otherwise;
  if (argc > place)
    std::from_chars(argv[place], argv[place] + std::string_view(argv[place]).size(), out);
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const auto domains = argument(argc, argv, 1, 10'000);
  const auto hosts = argument(argc, argv, 2, 50);
  auto snapshot = crowd(domains, hosts);
  const auto before = megabytes("VmRSS:");
  std::cout << fmt::format("{} domains, {} MX hosts with two addresses each\n", domains, hosts)
            << fmt::format("{:<10} {:>9} {:>8} {:>9}\n", "detail", "series", "MB", "seconds");
  double worst = 0;
  // From little to much: memory is never given back.
  for (const auto& [name, detail] : {std::pair{"summary", config::Detail::summary},
                                     {"domain", config::Detail::domain},
                                     {"mx", config::Detail::mx},
                                     {"address", config::Detail::address}}) {
    snapshot.metrics.detail = detail;
    const auto began = seconds_spent();
    const auto text = web::metrics_text(snapshot, {.build = {.version = "bench"}});
    const auto series = web::series_in(text);
    const double seconds = seconds_spent() - began;
    worst = std::max(worst, seconds);
    std::cout << fmt::format("{:<10} {:>9} {:>8.1f} {:>9.3f}\n", name, series,
                             static_cast<double>(text.size()) / kMegabyte, seconds);
  }
  const double grown = megabytes("VmHWM:") - before;
  std::cout << fmt::format("memory for a scrape: {:.0f} MB\n", grown);
  const bool is_shared = domains <= 10'000 && hosts <= 50;
  return is_shared && (worst > kMostSeconds || grown > kMostMegabytes) ? 1 : 0;
}

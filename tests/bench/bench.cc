// What a look costs, beside a bare STARTTLS handshake with the same server and beside
// posttls-finger, in one run. Runs inside the lab (script/bench); prints a table. Ratios matter,
// absolute figures move with the machine.

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <vector>

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/watch/network_prober.h"
#include "config/load.h"
#include "probes/net/socket.h"
#include "probes/report.h"
#include "storage/recorder.h"

namespace {

using Clock = std::chrono::steady_clock;

double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Cost {
  double cpu_us = 0;
  double wall_us = 0;
};

// What is measured: `calls` of it at a time, by this process or by its children (getrusage).
struct Work {
  std::string_view says;
  int calls;
  int who;
  std::function<void()> call;
};

Cost cost_of(const Work& work) {
  const auto wall = Clock::now();
  const double cpu = cpu_seconds(work.who);
  for (int i = 0; i < work.calls; ++i) work.call();
  const double spent = cpu_seconds(work.who) - cpu;
  const std::chrono::duration<double> passed = Clock::now() - wall;
  return {.cpu_us = spent / work.calls * 1e6, .wall_us = passed.count() / work.calls * 1e6};
}

double median(std::vector<double> of) {
  std::ranges::sort(of);
  return of[of.size() / 2];
}

// A line for each, with the cost of one call, and how many times that of the first it is. All take
// turns, and a ratio is of two in the same turn: a machine that is slower for a while is so for
// both. Gives the median over `rounds` turns of the cost of each.
std::vector<Cost> compare(std::string_view title, int rounds, const std::vector<Work>& works) {
  for (const auto& work : works) work.call();
  std::vector<std::vector<Cost>> costs(works.size());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < works.size(); ++i) costs[i].push_back(cost_of(works[i]));
  }
  std::cout << fmt::format("{:<58} {:>9} {:>9} {:>7}\n", title, "CPU us", "wall us", "ratio");
  std::vector<Cost> out;
  for (std::size_t i = 0; i < works.size(); ++i) {
    std::vector<double> cpu, wall, ratios;
    for (std::size_t round = 0; round < costs[i].size(); ++round) {
      cpu.push_back(costs[i][round].cpu_us);
      wall.push_back(costs[i][round].wall_us);
      ratios.push_back(costs[i][round].cpu_us / costs[0][round].cpu_us);
    }
    out.push_back({.cpu_us = median(cpu), .wall_us = median(wall)});
    std::cout << fmt::format("{:<58} {:9.0f} {:9.0f} {:7.2f}\n", works[i].says, out[i].cpu_us,
                             out[i].wall_us, median(ratios));
  }
  return out;
}

// The least a client can do to see the certificate: connect, EHLO, STARTTLS, handshake, QUIT;
// nothing parsed or kept.
void bare_handshake(SSL_CTX* context, const std::string& address, const std::string& name) {
  const auto deadline = Clock::now() + std::chrono::seconds{10};
  auto socket = probes::net::Socket::connect(address, 25, deadline);
  if (!socket) throw std::runtime_error("connect");
  std::array<char, 4096> buffer{};
  const auto say = [&](std::string_view line) {
    if (!line.empty() && !(*socket)->write_all(line, deadline)) throw std::runtime_error("write");
    if (!(*socket)->read_some(buffer, deadline)) throw std::runtime_error("read");
  };
  say("");
  say("EHLO bench.test\r\n");
  say("STARTTLS\r\n");
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, (*socket)->descriptor());
  SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
           const_cast<char*>(name.c_str()));
  for (int result = SSL_connect(ssl); result != 1; result = SSL_connect(ssl)) {
    const int error = SSL_get_error(ssl, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
      throw std::runtime_error("handshake");
    if (!probes::net::wait_for(SSL_get_fd(ssl), error == SSL_ERROR_WANT_WRITE, deadline))
      throw std::runtime_error("slow");
  }
  for (const std::string_view line : {"EHLO bench.test\r\n", "QUIT\r\n"}) {
    SSL_write(ssl, line.data(), static_cast<int>(line.size()));
    while (SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size())) <= 0) {
      if (!probes::net::wait_for(SSL_get_fd(ssl), false, deadline))
        throw std::runtime_error("slow");
    }
  }
  SSL_free(ssl);
}

void posttls_finger(const std::string& domain) {
  const pid_t child = fork();
  if (child == 0) {
    if (freopen("/dev/null", "w", stdout) == nullptr) _exit(1);
    execlp("posttls-finger", "posttls-finger", "-c", "-l", "dane", "-Lsummary", domain.c_str(),
           nullptr);
    _exit(1);
  }
  int status = 0;
  waitpid(child, &status, 0);
}

config::Time now() {
  return std::chrono::floor<config::Seconds>(std::chrono::system_clock::now());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string domain = "rolling.test";  // one address, one key
  auto config = config::load(argv[1]);
  if (!config) return 1;
  auto everything = *config;
  config->smtp.every_key_type = false;
  config->dns.every_server = false;
  config->mta_sts.enabled = false;
  auto context = agent::ProbeContext::make(*config);
  auto prober = agent::NetworkProber::make(*context);
  const auto name = *probes::dns::Name::parse(domain);
  const auto host = *probes::dns::Name::parse("mx." + domain);
  const auto first = (*prober)->probe_host(host, now());
  if (first.sessions.empty() || first.sessions[0].stage != probes::smtp::Stage::done) return 1;
  const auto address = first.addresses.at(0);

  SSL_CTX* tls = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_options(tls, SSL_OP_NO_TICKET);
  const auto file =
      std::filesystem::temp_directory_path() / fmt::format("danelaw-bench-{}.db", getpid());
  auto recorder = storage::DatabaseRecorder::open(file);
  if (!recorder) return 1;
  const auto seen =
      std::make_shared<const probes::DomainObservation>((*prober)->probe_domain(name, now()));
  // What piled up is recorded in one transaction, as the agent's journal does.
  constexpr std::size_t kTogether = 20;
  std::vector<agent::Round> rounds;
  const auto record = [&] {
    std::vector<const agent::Round*> all;
    for (const auto& one : rounds) all.push_back(&one);
    if (!(*recorder)->record_all(all)) throw std::runtime_error("record");
    rounds.clear();
  };
  const auto judge = [&](const probes::HostSeen& of) {
    return std::make_shared<const probes::DomainJudgement>(
        probes::judge(seen, {{host, of}}, of->observed_at));
  };
  using Judged = std::shared_ptr<const probes::DomainJudgement>;
  const auto keep = [&](const probes::HostSeen& of, const Judged& judged) {
    const auto at = now();
    agent::Round round{.target = {.kind = agent::Target::Kind::host, .name = host}, .at = at};
    round.host = of;
    round.judged.push_back(
        {.configured = config::Domain{.name = domain}, .judged = judged, .next_check_at = at});
    rounds.push_back(std::move(round));
    if (rounds.size() == kTogether) record();
  };
  const auto look = [&](agent::NetworkProber& with) {
    return std::make_shared<const probes::HostObservation>(with.probe_host(host, now()));
  };
  const auto look_through = [&](agent::NetworkProber& with) {
    const auto of = look(with);
    keep(of, judge(of));
  };
  const auto last = look(**prober);
  auto full_prober = agent::NetworkProber::make(*agent::ProbeContext::make(everything));
  const auto costs = compare(
      "one address checked", 21,
      {{"bare STARTTLS handshake", 40, RUSAGE_SELF,
        [&] { bare_handshake(tls, address, host.text()); }},
       {"danelaw: DNS validated, session, judged, JSON, recorded", 40, RUSAGE_SELF,
        [&] { look_through(**prober); }},
       {"  of that: DNS validated, session", 40, RUSAGE_SELF, [&] { (void)look(**prober); }},
       {"  judged", 100, RUSAGE_SELF, [&] { (void)judge(last); }},
       {"  judged, JSON, recorded", 100, RUSAGE_SELF, [&] { keep(last, judge(last)); }},
       {"the same with every name server, both key types, Web PKI", 10, RUSAGE_SELF,
        [&] { look_through(**full_prober); }},
       {"posttls-finger -c -l dane", 3, RUSAGE_CHILDREN, [&] { posttls_finger(domain); }}});
  std::cout << fmt::format("posttls-finger / danelaw: {:.1f}\n\n",
                           costs.back().cpu_us / costs[1].cpu_us);

  probes::dns::QueryCounts counts;
  auto client =
      probes::dns::GetdnsClient::make((*context)->resolvers, counts, (*context)->standings);
  const auto owner = *probes::dns::tlsa_owner(host, 25);
  probes::dns::Lookup lookup{**client, (*context)->chain, config::Seconds{5}};
  const auto deadline = [] { return Clock::now() + std::chrono::seconds{5}; };
  const auto lookups = compare(
      "one TLSA lookup, warm resolver", 21,
      {{"getdns alone, not validated", 100, RUSAGE_SELF,
        [&] {
          (void)(*client)->ask({.name = owner, .type = probes::dns::type::tlsa}, deadline());
        }},
       {"validated, signatures seen before", 100, RUSAGE_SELF,
        [&] { (void)lookup.ask(owner, probes::dns::type::tlsa, now(), deadline()); }},
       {"validated from the trust anchor down, nothing kept", 5, RUSAGE_SELF, [&] {
          auto fresh = agent::ProbeContext::make(*config);
          probes::dns::Lookup unread{**client, (*fresh)->chain, config::Seconds{5}};
          (void)unread.ask(owner, probes::dns::type::tlsa, now(), deadline());
        }}});
  std::cout << fmt::format("lookups a second, one thread: {:.0f}\n", 1e6 / lookups[1].wall_us);
  std::filesystem::remove(file);
}

// What a fleet gets done, and what it costs: a leader, a database of PostgreSQL, and 1, 2 and 4
// agents that look for it, each a process of its own whose probes take 50 ms of "network" (they
// sleep). fleet_bench prints a line for each: looks followed a second, CPU a look of the leader
// (of that what queue, decoding and judgement take; the rest is history), of PostgreSQL and of an
// agent; and how many looks a second those three get done on one core. It needs
// DANELAW_TEST_POSTGRESQL (tests/support/postgresql.py). `fleet_bench prober NAME` is one of them.
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "agent/fleet/dispatcher.h"
#include "agent/fleet/remote_prober.h"
#include "storage/database.h"
#include "storage/leadership.h"
#include "storage/recorder.h"
#include "storage/schema.h"
#include "storage/task_board.h"
#include "tests/bench/crowd.h"

namespace {

using config::Seconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kDomains = 20'000;
constexpr std::size_t kHosts = 2'000;
constexpr unsigned kWorkers = 128;  // of each agent
constexpr std::chrono::milliseconds kNetwork{50};
constexpr std::chrono::seconds kMeasured{20};
constexpr const char* kVantage = "here";

void must(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

storage::Place place() {
  const char* connection = std::getenv("DANELAW_TEST_POSTGRESQL");
  must(connection != nullptr, "DANELAW_TEST_POSTGRESQL names no server");
  return storage::Place::postgresql(connection);
}

config::Config settings(const std::string& name, unsigned workers) {
  config::Config out;
  out.schedule = {.interval = Seconds{10},
                  .confirm_after = Seconds{10},
                  .retry_after = Seconds{10},
                  .fastest = Seconds{10},
                  .workers = workers};
  out.politeness.per_minute = 60'000;  // all hosts are of one operator
  out.mta_sts.enabled = false;
  out.agent = {.name = name, .vantage = kVantage};
  return out;
}

// A runner's world, whose probes take their time.
struct Looking {
  explicit Looking(config::Config of) : config(std::move(of)) {
    context = support::fake_context(config);
  }
  agent::Runner::MakeProber make() {
    return [this](const std::shared_ptr<agent::ProbeContext>&)
               -> config::Result<std::unique_ptr<agent::Prober>, std::string> {
      return std::make_unique<bench::Crowd>(world, pattern, kHosts,
                                            [] { std::this_thread::sleep_for(kNetwork); });
    };
  }
  config::Config config;
  support::FakeWorld world;
  support::Scene pattern;
  std::shared_ptr<agent::ProbeContext> context;
};

int look_for(const std::string& name) {
  Looking looking(settings(name, kWorkers));
  const auto board = [&] {
    auto opened = storage::DatabaseTaskBoard::open(place(), name, kVantage);
    must(opened.has_value(), opened ? "" : opened.error());
    return std::move(*opened);
  };
  const agent::RemoteProber prober(
      looking.config, looking.context, board(), board(),
      {.on_fault = [](const std::string& fault) { std::cerr << fault << '\n'; }},
      agent::system_clocks(), looking.make());
  const auto parent = getppid();
  while (getppid() == parent) std::this_thread::sleep_for(std::chrono::milliseconds{200});
  return 0;
}

// Of a file like /proc/PID/stat, from the third on (proc(5)).
std::vector<std::string> fields_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::istringstream rest(line.substr(std::min(line.size(), line.rfind(')') + 2)));
  std::vector<std::string> out;
  for (std::string field; rest >> field;) out.push_back(field);
  return out;
}

std::filesystem::path stat_of(pid_t process) {
  return "/proc/" + std::to_string(process) + "/stat";
}

// CPU seconds of a process, its threads, and children that have ended; or of one thread.
double cpu_of(const std::filesystem::path& stat) {
  const auto fields = fields_of(stat);
  double out = 0;
  for (std::size_t at = 11; at < 15 && at < fields.size(); ++at) out += std::stod(fields[at]);
  return out / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// Of our own threads that are called so; of all of them by name.
double cpu_of_threads(std::string_view name) {
  double out = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string called;
    std::getline(std::ifstream(entry.path() / "comm"), called);
    if (called == name) out += cpu_of(entry.path() / "stat");
  }
  return out;
}

pid_t parent_of(pid_t process) {
  const auto fields = fields_of(stat_of(process));
  return fields.size() < 2 ? 0 : static_cast<pid_t>(std::stol(fields[1]));
}

// Of the server and its sessions.
double cpu_of_postgresql() {
  const std::string connection = std::getenv("DANELAW_TEST_POSTGRESQL");
  const auto begin = connection.find("host=") + 5;
  const auto folder = connection.substr(begin, connection.find(' ', begin) - begin);
  std::ifstream file(folder + "/data/postmaster.pid");
  pid_t server = 0;
  file >> server;
  double out = cpu_of(stat_of(server));
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto process = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
    if (process > 0 && parent_of(process) == server) out += cpu_of(stat_of(process));
  }
  return out;
}

class Fleet {
 public:
  Fleet() : leading_(settings("leader", 1)) {
    for (std::size_t i = 0; i < kDomains; ++i)
      leading_.config.domains.push_back(
          {.name = fmt::format("d{:07}.example", i), .role = config::Role::outbound});
    auto lead = storage::Candidacy(place(), {.name = "leader", .vantage = kVantage}, Seconds{60})
                    .try_to_lead({.on_lost = [](const std::string& words) { must(false, words); },
                                  .is_well = [] { return true; }});
    must(lead.has_value(), lead ? "" : lead.error().words);
    lead_ = std::move(*lead);
    auto opened = storage::DatabaseRecorder::open(place().led_in(lead_->epoch()));
    must(opened.has_value(), opened ? "" : opened.error().detail);
    recorder_ = std::move(*opened);
    agent::Events events;
    events.on_round = [this](const agent::Round& round) {
      if (round.recorded && round.recorded->agent != "leader") ++followed_;
    };
    runner_ = std::make_unique<agent::Runner>(leading_.config, leading_.context, *recorder_,
                                              agent::Recorder::RestoredState{}, events,
                                              agent::system_clocks(), leading_.make());
    runner_->start();
    auto board =
        storage::DatabaseTaskBoard::open(place().led_in(lead_->epoch()), "leader", kVantage);
    must(board.has_value(), board ? "" : board.error());
    dispatcher_ = std::make_unique<agent::Dispatcher>(
        *runner_, std::move(*board), kVantage,
        agent::Dispatcher::Calls{
            .lookers =
                [this] {
                  return std::optional{agent::Lookers{{kVantage, agents_}}};
                },
            .on_fault = [](const std::string& fault) { std::cerr << fault << '\n'; },
            .on_recovery = [] {}},
        agent::system_clocks());
  }
  ~Fleet() {
    dispatcher_.reset();
    runner_->stop();
  }

  void measure(unsigned agents, const char* self) {
    agents_ = agents;
    std::vector<pid_t> processes;
    for (unsigned i = 0; i < agents; ++i) {
      const auto name = "agent" + std::to_string(i);
      const pid_t process = fork();
      if (process == 0) {
        execl(self, self, "prober", name.c_str(), nullptr);
        _exit(127);
      }
      processes.push_back(process);
    }
    std::this_thread::sleep_for(std::chrono::seconds{10});  // until all is warm
    const auto cpu = [&] {
      double theirs = 0;
      for (const auto one : processes) theirs += cpu_of(stat_of(one));
      return std::array{cpu_of(stat_of(getpid())), cpu_of_postgresql(), theirs,
                        cpu_of_threads("follow")};
    };
    const auto before = cpu();
    const auto first = followed_.load();
    const auto began = Clock::now();
    std::this_thread::sleep_for(kMeasured);
    const auto looks = static_cast<double>(followed_.load() - first);
    const auto seconds = std::chrono::duration<double>(Clock::now() - began).count();
    const auto after = cpu();
    for (const auto one : processes) kill(one, SIGKILL);
    for (const auto one : processes) waitpid(one, nullptr, 0);
    const auto a_look = [&](std::size_t of) { return (after[of] - before[of]) / looks * 1e6; };
    std::cout << fmt::format("{:>7} {:>9.0f} {:>8.0f} {:>8.0f} {:>12.0f} {:>7.0f} {:>18.0f}\n",
                             agents, looks / seconds, a_look(0), a_look(3), a_look(1), a_look(2),
                             1e6 / a_look(3))
              << std::flush;
  }

 private:
  Looking leading_;
  std::unique_ptr<storage::Leadership> lead_;
  std::unique_ptr<storage::DatabaseRecorder> recorder_;
  std::atomic<std::uint64_t> followed_{0};
  std::atomic<unsigned> agents_{0};
  std::unique_ptr<agent::Runner> runner_;
  std::unique_ptr<agent::Dispatcher> dispatcher_;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc == 3 && std::string_view(argv[1]) == "prober") return look_for(argv[2]);
  must(argc == 1, "usage: fleet_bench");
  std::cout << fmt::format(
      "{} domains on {} hosts; probes of {} ms, {} at once an agent; us of CPU a look\n"
      " agents   looks/s   leader   follow   PostgreSQL   agent   follow on one core\n",
      kDomains, kHosts, kNetwork.count(), kWorkers);
  Fleet fleet;
  for (const unsigned agents : {1U, 2U, 4U}) fleet.measure(agents, "/proc/self/exe");
  return 0;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 2;
}

// What the agent itself costs as the number of domains grows, without network: real runner, real
// database, targets that are made up. scale_bench DOMAINS… prints a line for each number, in one
// run: CPU a probe, probes a second with the disk's part, memory, the time to start on the database
// that it has filled, a summary scrape, the slowest of some pages of the list, right after that
// start its first page and the slowest of those after it, and the longest that nothing could be
// recorded because history was forgotten or domains were taken up. Exits 1 when a probe among the
// most costs more than kMostGrowth times one among the fewest.
#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/watch/runner.h"
#include "agent/watch/threads.h"
#include "storage/queries.h"
#include "storage/recorder.h"
#include "tests/bench/crowd.h"
#include "web/metrics.h"
#include "web/routes/current.h"
#include "web/routes/remembered.h"

namespace {

using bench::kHostsADomain;
using config::Seconds;
using Clock = std::chrono::steady_clock;

constexpr double kMostGrowth = 1.3;
constexpr std::size_t kHosts = 20'000;
constexpr std::size_t kVeryMany = 300'000;  // domains, of whom one round tells enough
constexpr Seconds kInterval = std::chrono::hours{1};
constexpr std::size_t kMostBehind = 300;  // rounds that wait for the disk, so that none is lost

void must(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

double cpu_seconds() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

double since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

double resident_megabytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

// How many probes there were, and how far the disk is behind.
class Progress {
 public:
  void probed() {
    std::unique_lock lock(mutex_);
    turned_.wait(lock, [&] { return probed_ - std::min(recorded_, probed_) < kMostBehind; });
    ++probed_;
  }
  void recorded(std::size_t rounds) {
    {
      const std::scoped_lock lock(mutex_);
      recorded_ += rounds;
    }
    turned_.notify_all();
  }
  [[nodiscard]] std::size_t probes() const {
    const std::scoped_lock lock(mutex_);
    return probed_;
  }
  void begin_chore() {
    const std::scoped_lock lock(mutex_);
    ++chores_;
  }
  void did_part(double seconds, bool is_last) {
    {
      const std::scoped_lock lock(mutex_);
      longest_part_ = std::max(longest_part_, seconds);
      if (is_last) --chores_;
    }
    turned_.notify_all();
  }
  // Seconds for which nothing else could be recorded, once all chores are done.
  [[nodiscard]] double longest_part() {
    std::unique_lock lock(mutex_);
    turned_.wait(lock, [&] { return chores_ == 0; });
    return longest_part_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable turned_;
  std::size_t probed_ = 0, recorded_ = 0, chores_ = 0;
  double longest_part_ = 0;
};

class TimedChore final : public agent::Chore {
 public:
  TimedChore(std::unique_ptr<agent::Chore> what, Progress& progress)
      : what_(std::move(what)), progress_(progress) {
    progress_.begin_chore();
  }
  config::Result<bool, agent::RecordFault> go_on() override {
    const auto began = Clock::now();
    auto more = what_->go_on();
    must(more.has_value(), more ? "" : more.error().detail);
    progress_.did_part(since(began), !*more);
    return more;
  }

 private:
  std::unique_ptr<agent::Chore> what_;
  Progress& progress_;
};

// A database, and word of what it has taken.
class CountingRecorder final : public agent::Recorder {
 public:
  CountingRecorder(agent::Recorder& to, Progress& progress) : to_(to), progress_(progress) {}
  template <class T>
  using Answer = config::Result<T, agent::RecordFault>;

  Answer<void> record_all(const std::vector<const agent::Round*>& rounds) override {
    auto out = to_.record_all(rounds);
    must(out.has_value(), out ? "" : out.error().detail);
    progress_.recorded(rounds.size());
    return out;
  }
  Answer<RestoredState> restore(config::Time since) override { return to_.restore(since); }
  Answer<std::map<std::string, config::Time>> protected_domains(config::Time since) override {
    return to_.protected_domains(since);
  }
  Answer<agent::HostHistory> host_history(const probes::dns::Name& host,
                                          config::Time since) override {
    return to_.host_history(host, since);
  }
  Answer<agent::Signatures> mx_signatures(const probes::dns::Name& domain,
                                          config::Time since) override {
    return to_.mx_signatures(domain, since);
  }
  Answer<agent::ZonePast> zone_past(const probes::dns::Name& zone, config::Time since) override {
    return to_.zone_past(zone, since);
  }
  std::unique_ptr<agent::Chore> forget(config::Time before) override {
    return std::make_unique<TimedChore>(to_.forget(before), progress_);
  }
  std::unique_ptr<agent::Chore> keep_only(std::vector<config::Domain> domains) override {
    return std::make_unique<TimedChore>(to_.keep_only(std::move(domains)), progress_);
  }

 private:
  agent::Recorder& to_;
  Progress& progress_;
};

struct Measured {
  double cpu_a_probe = 0;  // microseconds, steady
};

class Run {
 public:
  Run(const std::filesystem::path& file, std::size_t domains)
      : file_(file), domains_(domains), hosts_(std::min(kHosts, kHostsADomain * domains)) {
    config_.schedule = {.interval = kInterval,
                        .confirm_after = Seconds{60},
                        .retry_after = Seconds{60},
                        .fastest = kInterval,
                        .workers = 2};
    config_.politeness.per_minute = 60'000;  // all hosts are of one operator
    config_.mta_sts.enabled = false;
    for (std::size_t i = 0; i < domains; ++i)
      config_.domains.push_back({.name = fmt::format("d{:07}.example", i),
                                 .role = config::Role::outbound,
                                 .group = "customers"});
    context_ = support::fake_context(config_);
  }

  Measured measure() {
    const auto before = resident_megabytes();
    const auto targets = domains_ + hosts_;
    const auto none =
        progress_.probes();  // before the first begins, which may outlast the interval
    start();
    probe_until(none + targets);  // everybody for the first time
    const auto first = cpu_seconds();
    const auto began = Clock::now();
    const std::size_t rounds = domains_ < kVeryMany ? 2 : 1;
    for (std::size_t i = 0; i < rounds; ++i) probe_until(progress_.probes() + targets);
    const auto probes = static_cast<double>(rounds * targets);
    const Measured out{.cpu_a_probe = (cpu_seconds() - first) / probes * 1e6};
    const auto rate = probes / since(began);
    const auto memory = resident_megabytes() - before;
    const auto seen = views();
    runner_->forget(clocks_.now());
    (void)progress_.longest_part();
    stop();
    const auto restart = Clock::now();
    start();
    const auto started = since(restart);
    const auto held = progress_.longest_part();
    const auto again = views();
    stop();
    std::cout
        << fmt::format(
               "{:>9} {:>9.0f} {:>9.0f} {:>9.0f} {:>10.2f} {:>9.1f} {:>9.3f} {:>9.3f} {:>9.3f} "
               "{:>9.3f} {:>9.3f} {:>10}",
               domains_, out.cpu_a_probe, rate, memory,
               memory * 1e3 / static_cast<double>(domains_), started, seen.scrape, seen.slowest,
               again.first, again.slowest, held, std::filesystem::file_size(file_) / 1'000'000)
        << std::endl;
    return out;
  }

 private:
  void start() {
    auto opened = storage::DatabaseRecorder::open(file_);
    must(opened.has_value(), opened ? "" : opened.error().detail);
    database_ = std::move(*opened);
    recorder_ = std::make_unique<CountingRecorder>(*database_, progress_);
    auto restored = recorder_->restore(clocks_.now() - Seconds{3600});
    must(restored.has_value(), "the desk");
    runner_ = std::make_unique<agent::Runner>(
        config_, context_, *recorder_, std::move(*restored), agent::Events{}, clocks_.clocks(),
        [this](const std::shared_ptr<agent::ProbeContext>&)
            -> config::Result<std::unique_ptr<agent::Prober>, std::string> {
          return std::make_unique<bench::Crowd>(world_, pattern_, hosts_,
                                                [this] { progress_.probed(); });
        });
    runner_->start();
  }
  void stop() {
    runner_->stop();
    runner_.reset();
    recorder_.reset();
    database_.reset();
  }

  // Lets an interval go by, until there were so many probes and that is on disk.
  void probe_until(std::size_t wanted) {
    clocks_.pass(kInterval + kInterval / 4);
    while (progress_.probes() < wanted) std::this_thread::sleep_for(std::chrono::milliseconds{20});
    while (true) {
      const auto now = runner_->snapshot();
      must(now->lost_rounds == 0, "rounds were lost");
      if (now->in_flight == 0 && now->queue_length == 0 && now->unrecorded_rounds == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
  }

  // Seconds for a scrape of the summary, for the first page of the list and for the slowest of
  // those after it.
  struct Views {
    double scrape = 0, first = 0, slowest = 0;
  };
  Views views() {
    auto opened = storage::Queries::open(file_);
    must(opened.has_value(), "the queries");
    auto began = Clock::now();
    auto snapshot = std::make_shared<agent::Snapshot>(*runner_->snapshot());
    snapshot->metrics.detail = config::Detail::summary;
    must(!web::metrics_text(*snapshot, {}).empty(), "a scrape");
    Views out{.scrape = since(began)};
    web::RecordedReader recorded;
    const auto time_of = [&](const web::DomainFilter& filter) {
      began = Clock::now();
      const auto now = runner_->snapshot();
      const auto briefs = recorded.of(now->domains, **opened);
      const auto page = web::current_domains(*now, **opened, *briefs, filter);
      must(page.total > 0 || !filter.codes.empty() || filter.host, "a page");
      return since(began);
    };
    using Sort = web::DomainFilter::Sort;
    out.first = time_of({});
    for (const auto& filter : std::vector<web::DomainFilter>{
             {.offset = domains_ / 2},
             {.substring = "9", .offset = domains_ / 10},
             {.whom = {.group = "customers"}, .sort = Sort::delivery, .offset = domains_ / 2},
             {.codes = {probes::Code::tlsa_mismatch}, .sort = Sort::status},
             {.host = bench::Crowd::host_name(0)}})
      out.slowest = std::max(out.slowest, time_of(filter));
    return out;
  }

  std::filesystem::path file_;
  std::size_t domains_, hosts_;
  config::Config config_;
  support::FakeWorld world_;  // of which only our own checks are taken
  support::Scene pattern_;
  support::FakeClocks clocks_;
  Progress progress_;
  std::shared_ptr<agent::ProbeContext> context_;
  std::unique_ptr<storage::DatabaseRecorder> database_;
  std::unique_ptr<CountingRecorder> recorder_;
  std::unique_ptr<agent::Runner> runner_;
};

}  // namespace

int main(int argc, char** argv) try {
  agent::share_heaps();  // as the agent does
  std::vector<std::size_t> sizes;
  for (int i = 1; i < argc; ++i) {
    const std::string_view text = argv[i];
    std::size_t size = 0;
    std::from_chars(text.data(), text.data() + text.size(), size);
    must(size > 0, "usage: scale_bench DOMAINS…");
    sizes.push_back(size);
  }
  if (sizes.empty()) sizes = {1'000, 10'000, 100'000};
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("danelaw-scale-{}", getpid());
  std::filesystem::create_directory(folder);
  std::cout << fmt::format("up to {} hosts, {} a domain\n", kHosts, kHostsADomain)
            << "  domains  us/probe  probes/s    MB RSS  kB/domain   start s  scrape s    list s   "
               "first s    then s    held s MB on disk"
            << std::endl;
  std::vector<Measured> all;
  for (const auto size : sizes) {
    all.push_back(Run{folder / fmt::format("{}.db", size), size}.measure());
  }
  std::filesystem::remove_all(folder);
  const auto growth = all.back().cpu_a_probe / all.front().cpu_a_probe;
  const bool is_kept = growth <= kMostGrowth;
  std::cout << fmt::format("a probe among the most costs {:.2f} x one among the fewest: {}\n",
                           growth, is_kept ? "kept" : "NOT KEPT");
  return is_kept ? 0 : 1;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 2;
}

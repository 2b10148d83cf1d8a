#include "agent/fleet/remote_prober.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace agent {
namespace {

constexpr std::chrono::milliseconds kEvery{1000};  // where no bell is heard
// A task is another's when it was not done by then, and nobody says that it is still at it.
constexpr config::Seconds kLentFor{60};
constexpr std::size_t kBatch = 256;
// What could not be laid down is looked at by others in the end.
constexpr std::size_t kMostDone = 4096;

// Of the one that leads are who is watched, what is told and what is served.
config::Config only_to_look(config::Config config) {
  config.domains.clear();
  config.notify = {};
  config.postfix = {};
  return config;
}

}  // namespace

// Remembers nothing.
class RemoteProber::Nowhere final : public Recorder {
 public:
  using Fault = RecordFault;
  config::Result<void, Fault> record_all(const std::vector<const Round*>& /*rounds*/) override {
    return {};
  }
  config::Result<RestoredState, Fault> restore(config::Time /*since*/) override {
    return RestoredState{};
  }
  config::Result<std::map<std::string, config::Time>, Fault> protected_domains(
      config::Time /*since*/) override {
    return std::map<std::string, config::Time>{};
  }
  config::Result<HostHistory, Fault> host_history(const probes::dns::Name& /*host*/,
                                                  config::Time /*since*/) override {
    return HostHistory{};
  }
  config::Result<Signatures, Fault> mx_signatures(const probes::dns::Name& /*domain*/,
                                                  config::Time /*since*/) override {
    return Signatures{};
  }
  config::Result<ZonePast, Fault> zone_past(const probes::dns::Name& /*zone*/,
                                            config::Time /*since*/) override {
    return ZonePast{};
  }
  std::unique_ptr<Chore> forget(config::Time /*before*/) override { return nullptr; }
  std::unique_ptr<Chore> keep_only(std::vector<config::Domain> /*domains*/) override {
    return nullptr;
  }
};

RemoteProber::RemoteProber(config::Config config, std::shared_ptr<ProbeContext> context,
                           std::unique_ptr<TaskBoard> tasks, std::unique_ptr<TaskBoard> looks,
                           Calls calls, Clocks clocks, Runner::MakeProber make_prober)
    : tasks_(std::move(tasks)),
      looks_(std::move(looks)),
      calls_(std::move(calls)),
      clocks_(clocks),
      nowhere_(std::make_unique<Nowhere>()),
      capacity_(std::size_t{2} * std::max(1U, config.schedule.workers)) {
  Events events{
      .on_fault = calls_.on_fault,
      .on_errand = [this](const Target& target, const std::optional<probes::Recorded>& look) {
        take(target, look);
      }};
  runner_ = std::make_unique<Runner>(only_to_look(std::move(config)), std::move(context), *nowhere_,
                                     Recorder::RestoredState{}, std::move(events),
                                     std::move(clocks), std::move(make_prober));
  runner_->start();
  fetching_ = std::jthread([this](const std::stop_token& stop) { fetch(stop); });
  sending_ = std::jthread([this](const std::stop_token& stop) { send(stop); });
}

RemoteProber::~RemoteProber() {
  fetching_.request_stop();
  sending_.request_stop();
  runner_->stop();
}

void RemoteProber::reconfigure(config::Config config, std::shared_ptr<ProbeContext> context) {
  {
    const config::Lock lock(mutex_);
    capacity_ = std::size_t{2} * std::max(1U, config.schedule.workers);
  }
  runner_->reconfigure(only_to_look(std::move(config)), std::move(context));
}

std::string RemoteProber::fault() const {
  const auto snapshot = runner_->snapshot();
  if (snapshot->vantage.empty()) return "has not checked itself yet";
  const auto faults = blinding(snapshot->vantage);
  if (faults.empty()) return {};
  return fmt::format("{}: {}", faults.front()->check, faults.front()->detail.value_or("fails"));
}

void RemoteProber::fetch(const std::stop_token& stop) {
  std::string told;
  const auto is_done = [&](const std::string& fault) {
    if (!fault.empty() && fault != told) calls_.on_fault(fault);
    told = fault;
    return fault.empty();
  };
  bool is_released = false;
  auto renewed_at = clocks_.ticks();
  while (!stop.stop_requested()) {
    std::size_t room = 0;
    try {
      if (!is_released) {
        is_released = is_done(TaskBoard::words_of(tasks_->release()));
      }
      if (clocks_.ticks() - renewed_at >= kLentFor / 3) {
        renewed_at = clocks_.ticks();
        is_done(TaskBoard::words_of(tasks_->renew(kLentFor)));
      }
      {
        const config::Lock lock(mutex_);
        room = std::min(kBatch, capacity_ - std::min(capacity_, under_way_ + done_.size()));
      }
      if (is_released && room > 0 && fault().empty()) {
        const auto targets = tasks_->lease(room, kLentFor);
        if (is_done(TaskBoard::words_of(targets)) && !targets->empty()) {
          for (const auto& target : *targets) begin(target);
          continue;
        }
      }
    } catch (const std::exception& e) {
      is_done(e.what());
    }
    // By a bell, or when there is room again.
    if (room > 0) {
      tasks_->wait(kEvery);
    } else {
      config::Lock lock(mutex_);
      wake_.wait_for(lock, stop, kEvery,
                     [&]() REQUIRES(mutex_) { return under_way_ + done_.size() < capacity_; });
    }
  }
}

void RemoteProber::begin(const Target& target) {
  {
    const config::Lock lock(mutex_);
    ++under_way_;
  }
  if (runner_->run_errand(target)) return;
  const config::Lock lock(mutex_);
  --under_way_;  // it is on its way already, from when it was lent to us before
}

void RemoteProber::take(const Target& target, const std::optional<probes::Recorded>& look) {
  SentLook done;
  done.target = target;
  if (look) done.body = probes::encode(*look);
  const config::Lock lock(mutex_);
  under_way_ -= std::min<std::size_t>(under_way_, 1);
  if (look) ++count_;
  if (done_.size() < kMostDone) done_.push_back(std::move(done));
  wake_.notify_all();
}

bool RemoteProber::is_sent(const std::vector<SentLook>& batch) {
  try {
    return looks_->send(batch, clocks_.wall()).has_value();
  } catch (const std::exception&) {
    return false;  // memory is short
  }
}

void RemoteProber::send(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<SentLook> batch;
    {
      config::Lock lock(mutex_);
      wake_.wait(lock, stop, [&]() REQUIRES(mutex_) { return !done_.empty(); });
      const auto end = done_.begin() + static_cast<std::ptrdiff_t>(std::min(done_.size(), kBatch));
      batch.assign(std::make_move_iterator(done_.begin()), std::make_move_iterator(end));
      done_.erase(done_.begin(), end);
    }
    if (batch.empty()) continue;
    while (!is_sent(batch)) {
      config::Lock lock(mutex_);
      wake_.wait_for(lock, stop, kEvery, [] { return false; });
      if (stop.stop_requested()) return;
    }
  }
}

}  // namespace agent

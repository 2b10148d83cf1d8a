#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>

#include "agent/alerts/ports.h"
#include "agent/self/clock.h"
#include "agent/watch/network_prober.h"
#include "agent/watch/prober.h"
#include "tests/support/scene.h"

// A world without network, disk and time, for the runner: what probers see, what a recorder keeps,
// and both clocks, which go only when they are told to. Any thread may call.
namespace support {

// Waits for other threads, up to half a minute.
template <class Condition>
bool soon(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return true;
}

// To look with, by the root's key of 2017; no fake looks with any of it.
inline std::shared_ptr<agent::ProbeContext> fake_context(const config::Config& config) {
  auto anchors = probes::dns::parse_trust_anchors(
      ". IN DS 20326 8 2 "
      "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D");
  if (!anchors) throw std::runtime_error("the trust anchor");
  return std::make_shared<agent::ProbeContext>(config, std::vector<config::ResolverAddress>{},
                                               std::move(*anchors));
}

// A runner that watches example.test, as the tests of runners have it.
inline config::Config fake_settings() {
  config::Config out;
  out.domains = {{.name = "example.test"}};
  out.schedule = {.interval = config::Seconds{900},
                  .confirm_after = config::Seconds{60},
                  .retry_after = config::Seconds{60},
                  .workers = 2};
  out.mta_sts.enabled = false;
  out.notify.webhooks = {{.name = "chat"}};
  return out;
}

// Wall time and monotonic time, apart.
class FakeClocks {
 public:
  void pass(config::Seconds time) {
    const std::scoped_lock lock(mutex_);
    ticks_ += time;
    wall_ += time;
  }
  void set(config::Seconds by) {
    const std::scoped_lock lock(mutex_);
    wall_ += by;
  }
  [[nodiscard]] config::Time now() const {
    const std::scoped_lock lock(mutex_);
    return wall_;
  }
  [[nodiscard]] agent::Clocks clocks() const {
    return {.wall = [this] { return now(); },
            .ticks =
                [this] {
                  const std::scoped_lock lock(mutex_);
                  return ticks_;
                },
            .asked_every = std::chrono::milliseconds{2}};
  }

 private:
  mutable std::mutex mutex_;
  config::Time wall_{kNow};
  agent::Ticks ticks_{config::Seconds{1000}};
};

// example.test of the scene, as it is now.
class FakeWorld {
 public:
  void change(const std::function<void(Scene&)>& how) {
    const std::scoped_lock lock(mutex_);
    how(scene_);
  }
  [[nodiscard]] Scene scene() const {
    const std::scoped_lock lock(mutex_);
    return scene_;
  }
  [[nodiscard]] int looks(const std::string& name) const {
    const std::scoped_lock lock(mutex_);
    const auto found = looks_.find(name);
    return found == looks_.end() ? 0 : found->second;
  }
  void note(const std::string& name) {
    std::unique_lock lock(mutex_);
    ++looks_[name];
    turned_.wait(lock, [&] { return !is_stuck_; });
    if (is_starved) throw std::bad_alloc();
  }
  std::atomic<bool> is_starved{false};  // no look gets the memory it needs
  // Looks begin and do not end.
  void stick(bool is_stuck) {
    {
      const std::scoped_lock lock(mutex_);
      is_stuck_ = is_stuck;
    }
    turned_.notify_all();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable turned_;
  Scene scene_;
  std::map<std::string, int> looks_;
  bool is_stuck_ = false;
};

class FakeProber : public agent::Prober {
 public:
  explicit FakeProber(FakeWorld& world) : world_(world) {}
  probes::DomainObservation probe_domain(const probes::dns::Name& domain,
                                         config::Time at) override {
    world_.note(domain.text());
    auto out = world_.scene().domain;
    out.observed_at = at;
    return out;
  }
  probes::HostObservation probe_host(const probes::dns::Name& host, config::Time at) override {
    world_.note(host.text());
    auto out = world_.scene().hosts.at(host.text());
    out.observed_at = at;
    return out;
  }
  probes::HostObservation probe_records(const probes::dns::Name& host, config::Time at) override {
    auto out = world_.scene().hosts.at(host.text());
    out.sessions.clear();
    out.observed_at = at;
    return out;
  }
  probes::smtp::SessionRecord try_address(const probes::dns::Name&,
                                          const std::string& address) override {
    return session(address, {});
  }
  std::vector<agent::SelfCheck> probe_ourselves(config::Time at) override {
    return {{.check = "dns", .checked_at = at}, {.check = "clock", .checked_at = at}};
  }
  std::vector<agent::ResolverCheck> probe_resolvers(const agent::Controls&, config::Time) override {
    return {};
  }
  std::size_t count_failing(const std::vector<probes::dns::Question>&, config::Time) override {
    return 0;
  }
  std::vector<probes::dns::ZoneSerials> ask_serials(const std::set<probes::dns::Name>&,
                                                    config::Time) override {
    return {};
  }

 private:
  FakeWorld& world_;
};

// Keeps rounds in memory; fails when it is told to.
class FakeRecorder final : public agent::Recorder {
 public:
  std::atomic<bool> is_full{false};
  std::atomic<bool> is_unreadable{false};
  std::atomic<bool> is_damaged{false};

  [[nodiscard]] std::vector<agent::Round> rounds() const {
    const std::scoped_lock lock(mutex_);
    return rounds_;
  }
  template <class T>
  using Answer = config::Result<T, agent::RecordFault>;
  Answer<void> record_all(const std::vector<const agent::Round*>& rounds) override {
    if (is_full) return fault();
    const std::scoped_lock lock(mutex_);
    for (const auto* round : rounds) rounds_.push_back(*round);
    return {};
  }
  Answer<RestoredState> restore(config::Time) override { return RestoredState{}; }
  Answer<std::map<std::string, config::Time>> protected_domains(config::Time) override {
    return std::map<std::string, config::Time>{};
  }
  Answer<agent::HostHistory> host_history(const probes::dns::Name&, config::Time) override {
    if (is_unreadable) return fault();
    return agent::HostHistory{};
  }
  Answer<agent::Signatures> mx_signatures(const probes::dns::Name&, config::Time) override {
    return agent::Signatures{};
  }
  Answer<agent::ZonePast> zone_past(const probes::dns::Name&, config::Time) override {
    return agent::ZonePast{};
  }
  std::unique_ptr<agent::Chore> forget(config::Time before) override {
    forgot_before = before.time_since_epoch().count();
    return nullptr;
  }
  std::unique_ptr<agent::Chore> keep_only(std::vector<config::Domain>) override { return nullptr; }

  [[nodiscard]] std::optional<std::string> damage() const override {
    return is_damaged ? std::optional<std::string>{"page 7 is damaged"} : std::nullopt;
  }

  std::atomic<std::int64_t> forgot_before{0};

 private:
  static config::Failure<agent::RecordFault> fault() {
    return config::Failure<agent::RecordFault>(agent::RecordFault{.detail = "disk full"});
  }
  mutable std::mutex mutex_;
  std::vector<agent::Round> rounds_;
};

}  // namespace support

#include "agent/foresight/renewal_watch.h"

#include <chrono>
#include <system_error>
#include <utility>

namespace agent {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds kEvery{5};
constexpr std::chrono::minutes kInUseAnew{1};  // what hosts present is asked for anew
constexpr config::Seconds kPatience{10};       // for one answer
// Then what was learned is handed on, before more is asked.
constexpr int kQuestionsAtOnce = 20;

}  // namespace

RenewalWatch::RenewalWatch(RenewalBook known, const config::Config& settings, Calls calls)
    : calls_(std::move(calls)),
      settings_{settings.acme, settings.mta_sts.ca_file},
      agenda_(std::move(known)) {
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
  } catch (const std::system_error& error) {
    calls_.on_fault("", std::string("no CA is asked about renewals: ") + error.what());
  }
}

RenewalWatch::~RenewalWatch() = default;

void RenewalWatch::configure(const config::Config& settings) {
  {
    const config::Lock lock(mutex_);
    settings_ = {settings.acme, settings.mta_sts.ca_file};
    is_new_ = true;
  }
  wake_.notify_all();
}

void RenewalWatch::work(const std::stop_token& stop) {
  auto anew_at = Steady::now();
  bool is_any_known = false;
  while (!stop.stop_requested()) {
    Settings settings;
    bool is_new = false;
    {
      const config::Lock lock(mutex_);
      settings = settings_;
      is_new = std::exchange(is_new_, false);
    }
    try {
      if (is_new) agenda_.set_directories(settings.acme.directories);
      // Right after a start nothing has been looked at.
      if (settings.acme.enabled && (is_new || !is_any_known || Steady::now() >= anew_at)) {
        const auto in_use = calls_.in_use(settings.acme.partners);
        is_any_known = !in_use.empty();
        agenda_.set_chains(in_use);
        anew_at = Steady::now() + kInUseAnew;
      }
      if (settings.acme.enabled) ask_what_is_due(settings, stop);
    } catch (const std::exception& error) {
      calls_.on_fault("", error.what());
    }
    config::Lock lock(mutex_);
    wake_.wait_for(lock, stop, kEvery, [this]() REQUIRES(mutex_) { return is_new_; });
  }
}

void RenewalWatch::ask_what_is_due(const Settings& settings, const std::stop_token& stop) {
  std::vector<RenewalAdvice> learned;
  for (int asked = 0; asked < kQuestionsAtOnce && !stop.stop_requested(); ++asked) {
    const auto question = agenda_.next(calls_.now());
    if (!question) break;
    const auto answer = calls_.ask({.url = question->url,
                                    .ca_file = settings.ca_file,
                                    .most = probes::reports::kMostAriReply,
                                    .patience = kPatience},
                                   stop);
    if (stop.stop_requested()) break;
    if (auto advice = agenda_.take(*question, answer, calls_.now()))
      learned.push_back(std::move(*advice));
    auto fault = agenda_.fault_of(question->directory);
    auto& told = faults_[question->directory];
    if (told.empty() != fault.empty()) calls_.on_fault(question->directory, fault);
    told = std::move(fault);
  }
  if (!learned.empty()) calls_.on_advice(learned);
}

}  // namespace agent

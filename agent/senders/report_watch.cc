#include "agent/senders/report_watch.h"

#include <chrono>
#include <new>
#include <system_error>
#include <utility>

namespace agent {
namespace {

constexpr std::chrono::seconds kEvery{5};
constexpr std::chrono::hours kAnewEvery{1};

}  // namespace

ReportWatch::ReportWatch(SenderReportStore& store, std::filesystem::path folder, Calls calls)
    : store_(store), calls_(std::move(calls)), folder_(std::move(folder)) {
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
  } catch (const std::system_error& error) {
    calls_.on_fault(std::string("reports of senders are not waited for: ") + error.what());
  }
}

ReportWatch::~ReportWatch() = default;

void ReportWatch::set_folder(std::filesystem::path folder) {
  const config::Lock lock(mutex_);
  folder_ = std::move(folder);
}

void ReportWatch::wake() {
  {
    const config::Lock lock(mutex_);
    is_woken_ = true;
  }
  wake_.notify_all();
}

void ReportWatch::work(const std::stop_token& stop) {
  using Steady = std::chrono::steady_clock;
  auto anew_at = Steady::now();
  while (!stop.stop_requested()) {
    const bool is_hour_over = Steady::now() >= anew_at;
    if (is_hour_over) anew_at = Steady::now() + kAnewEvery;
    try {
      look(is_hour_over);
    } catch (const std::bad_alloc&) {
      anew_at = Steady::now();  // the next look has it
    } catch (const std::exception& error) {
      calls_.on_fault(error.what());
    }
    config::Lock lock(mutex_);
    wake_.wait_for(lock, stop, kEvery, [this]() REQUIRES(mutex_) { return is_woken_; });
    is_woken_ = false;
  }
}

std::optional<std::string> ReportWatch::folder_fault() {
  const config::Lock lock(mutex_);
  return folder_fault_;
}

// What is wrong with it is told once, and that it is over.
void ReportWatch::look_into_folder(config::Time at) {
  {
    const config::Lock lock(mutex_);
    if (folder_.empty())
      watched_.reset();
    else if (!watched_ || watched_->path() != folder_)
      watched_.emplace(folder_);
  }
  if (watched_) watched_->take_all(store_, at, calls_.on_taken, calls_.on_fault);
  const auto fault = watched_ ? watched_->fault() : std::nullopt;
  std::optional<std::string> before;
  {
    const config::Lock lock(mutex_);
    before = std::exchange(folder_fault_, fault);
  }
  if (fault && fault != before) calls_.on_fault("tlsrpt.folder: " + *fault);
  if (!fault && before) calls_.on_folder_recovery();
}

void ReportWatch::look(bool is_hour_over) {
  const auto at = calls_.now();
  look_into_folder(at);
  const auto newest = store_.newest();
  if (newest && *newest == newest_ && !is_hour_over) return;
  const auto sessions = newest ? store_.sessions({.domain = {},
                                                  .host = {},
                                                  .from = at - kReportCounts,
                                                  .until = config::Time::max()})
                               : config::Failure<std::string>(newest.error());
  if (!sessions) {
    // Told once; what is known of senders stays as it is.
    if (!std::exchange(is_faulty_, true)) calls_.on_fault(sessions.error());
    return;
  }
  is_faulty_ = false;
  newest_ = *newest;
  calls_.on_reports(reports_by_subject(*sessions, at));
}

}  // namespace agent

#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "agent/senders/refusals.h"
#include "agent/senders/report_folder.h"
#include "config/mutex.h"

namespace agent {

// Waits for reports, on a thread of its own: those in the watched folder, and those that others put
// into the store (POST, `danelaw tlsrpt`). When there are some, and once an hour, for reports cease
// to count, what senders say is summed up and handed on.
class ReportWatch {
 public:
  struct Calls {
    std::function<config::Time()> now;
    std::function<void(ReportsBySubject)> on_reports;
    std::function<void(const std::string& file, const TakenReport&)> on_taken;  // from the folder
    std::function<void(const std::string& words)> on_fault;
    std::function<void()> on_folder_recovery;  // it can be read again
  };
  // `store` outlives it. Without memory for a thread nothing is waited for, which is told.
  ReportWatch(SenderReportStore& store, std::filesystem::path folder, Calls calls);
  ~ReportWatch();  // ends the thread
  ReportWatch(const ReportWatch&) = delete;
  ReportWatch& operator=(const ReportWatch&) = delete;

  void set_folder(std::filesystem::path folder);
  void wake();  // something was taken: no need to wait
  // Why not all that is put into the folder is taken; null: it is, or there is none.
  [[nodiscard]] std::optional<std::string> folder_fault();

 private:
  void work(const std::stop_token& stop);
  void look(bool is_hour_over);
  void look_into_folder(config::Time at);

  SenderReportStore& store_;
  const Calls calls_;
  config::Mutex mutex_;
  std::filesystem::path folder_ GUARDED_BY(mutex_);
  bool is_woken_ GUARDED_BY(mutex_) = true;
  std::optional<std::string> folder_fault_ GUARDED_BY(mutex_);
  std::condition_variable_any wake_;
  // Of the thread alone:
  std::optional<ReportFolder> watched_;
  std::int64_t newest_ = -1;
  bool is_faulty_ = false;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace agent

#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/senders/report_intake.h"

namespace agent {

// Files with reports, for the watched folder and for `danelaw tlsrpt`.

// The octets of a regular file; the error says why not. At most what a mail may have.
[[nodiscard]] config::Result<std::string, std::string> read_report_file(
    const std::filesystem::path& file);

// Regular files of the folder, and of its folders "new" and "cur" (a Maildir), by name; no hidden
// ones, no links, `most` at most.
struct ReportFiles {
  std::vector<std::filesystem::path> files;
  std::optional<std::string> fault;  // a sentence: why these are not all
};
[[nodiscard]] ReportFiles report_files(const std::filesystem::path& folder, std::size_t most);

// A folder into which others put reports and mails. What was taken is moved to its folder "taken",
// what is none to "refused": so the folder shows what is left to do, and nothing is lost. Where
// moving fails (a folder that is not ours), the file is remembered for as long as the agent runs,
// and read once more after a restart, which changes nothing: a report is taken once.
class ReportFolder {
 public:
  explicit ReportFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  using OnTaken = std::function<void(const std::string& file, const TakenReport& report)>;
  using OnFault = std::function<void(const std::string& words)>;
  // One look into the folder. A file that is no report is left alone while it is young: somebody
  // may still be writing it. True when a new report was taken.
  bool take_all(SenderReportStore& store, config::Time at, const OnTaken& on_taken,
                const OnFault& on_fault);

  [[nodiscard]] const std::filesystem::path& path() const { return folder_; }
  // Why the last look did not see all of it.
  [[nodiscard]] const std::optional<std::string>& fault() const { return fault_; }

 private:
  void put_aside(const std::filesystem::path& file, const char* where, const OnFault& on_fault);

  std::filesystem::path folder_;
  std::optional<std::string> fault_;
  // Those that could not be moved, with the moment of their last change.
  std::map<std::string, std::filesystem::file_time_type> seen_;
  bool is_fault_told_ = false;
  std::map<std::string, std::filesystem::file_time_type> young_;  // the same of those left alone
};

}  // namespace agent

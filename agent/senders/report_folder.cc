#include "agent/senders/report_folder.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "probes/explain.h"
#include "probes/reports/report_mail.h"

namespace agent {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostAtOnce = 1000;
constexpr std::size_t kMostSeen = 100'000;
constexpr std::chrono::seconds kYoung{60};

// Whoever writes the file may not have finished. What is of a time to come was written by a clock
// that is wrong.
bool is_young(const fs::path& file) {
  std::error_code fault;
  const auto written = fs::last_write_time(file, fault);
  const auto age = fs::file_time_type::clock::now() - written;
  return !fault && age < kYoung && age > -kYoung;
}

std::error_code add_files(const fs::path& folder, std::size_t most, std::vector<fs::path>& out) {
  std::error_code fault;
  for (fs::directory_iterator at(folder, fault), end; !fault && at != end; at.increment(fault)) {
    if (out.size() >= most) break;
    std::error_code unknown;
    const bool is_file = fs::is_regular_file(at->symlink_status(unknown));
    if (is_file && !at->path().filename().native().starts_with('.')) out.push_back(at->path());
  }
  return fault;
}

}  // namespace

config::Result<std::string, std::string> read_report_file(const fs::path& file) {
  using config::Failure;
  std::error_code fault;
  if (!fs::is_regular_file(file, fault)) return Failure<std::string>("not a file");
  std::ifstream stream(file, std::ios::binary);
  std::string out(probes::reports::kMostMail + 1, '\0');
  stream.read(out.data(), static_cast<std::streamsize>(out.size()));
  if (stream.bad() || (!stream.eof() && stream.fail()))
    return Failure<std::string>("it cannot be read");
  out.resize(static_cast<std::size_t>(stream.gcount()));
  if (out.size() > probes::reports::kMostMail) return Failure<std::string>("it is too long");
  return out;
}

ReportFiles report_files(const fs::path& folder, std::size_t most) {
  ReportFiles out;
  for (const auto& one : {folder, folder / "new", folder / "cur"}) {
    const auto fault = add_files(one, most, out.files);
    // Only a Maildir has those two.
    const bool is_none = one != folder && (fault == std::errc::no_such_file_or_directory ||
                                           fault == std::errc::not_a_directory);
    if (fault && !is_none && !out.fault)
      out.fault = fmt::format("the folder {} cannot be read: {}", probes::printable(one.string()),
                              fault.message());
  }
  std::ranges::sort(out.files);
  return out;
}

void ReportFolder::put_aside(const fs::path& file, const char* where, const OnFault& on_fault) {
  std::error_code fault;
  const auto folder = folder_ / where;
  fs::create_directory(folder, fault);
  auto target = folder / file.filename();
  // Two files of one name are two reports.
  for (int i = 1; i < 1000 && fs::exists(target, fault); ++i)
    target = folder / fmt::format("{}.{}", file.filename().string(), i);
  fault.clear();
  fs::rename(file, target, fault);
  if (!fault) return;
  std::error_code unknown;
  if (seen_.size() >= kMostSeen) seen_.clear();
  seen_[file.string()] = fs::last_write_time(file, unknown);
  if (std::exchange(is_fault_told_, true)) return;
  on_fault(
      fmt::format("{} cannot be moved to {}: {}; what was taken is remembered until danelaw "
                  "restarts",
                  probes::printable(file.string()), folder.string(), fault.message()));
}

bool ReportFolder::take_all(SenderReportStore& store, config::Time at, const OnTaken& on_taken,
                            const OnFault& on_fault) {
  bool has_news = false;
  std::size_t looked_into = 0;
  // With those that could not be moved away, which are passed over.
  auto found = report_files(folder_, kMostSeen + kMostAtOnce);
  fault_ = std::move(found.fault);
  for (const auto& file : found.files) {
    std::error_code unknown;
    const auto known = seen_.find(file.string());
    if (known != seen_.end() && known->second == fs::last_write_time(file, unknown)) continue;
    // Looked into once, and again when it has grown or is young no more.
    const auto young = young_.find(file.string());
    if (young != young_.end()) {
      if (is_young(file) && young->second == fs::last_write_time(file, unknown)) continue;
      young_.erase(young);
    }
    if (++looked_into > kMostAtOnce) break;
    const auto octets = read_report_file(file);
    std::vector<TakenReport> all;
    if (octets) {
      all = take_reports(store, *octets, at);
    } else {
      all.emplace_back();
      all.back().fault = octets.error();
    }
    const auto is_refused = [](const TakenReport& one) { return one.fault.has_value(); };
    const bool is_whole = std::ranges::none_of(all, is_refused);
    if (!is_whole && is_young(file)) {
      if (young_.size() >= kMostSeen) young_.clear();
      young_[file.string()] = fs::last_write_time(file, unknown);
      continue;
    }
    // The disk is full, or somebody writes for long: the file waits.
    const bool is_ours = std::ranges::any_of(all, &TakenReport::is_ours);
    for (const auto& one : all) {
      on_taken(file.filename().string(), one);
      has_news = has_news || one.is_new;
    }
    if (is_ours) return has_news;
    put_aside(file, is_whole ? "taken" : "refused", on_fault);
  }
  return has_news;
}

}  // namespace agent

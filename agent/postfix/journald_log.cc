#include "agent/postfix/journald_log.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <systemd/sd-journal.h>

#include "probes/reports/log_line.h"

namespace agent {
namespace {

// syslog(3): LOG_MAIL.
constexpr const char* kMail = "SYSLOG_FACILITY=2";

// A field's value, or nothing; good until the next call.
std::string_view field(sd_journal* journal, std::string_view name) {
  const void* data = nullptr;
  std::size_t size = 0;
  if (sd_journal_get_data(journal, std::string(name).c_str(), &data, &size) < 0) return {};
  std::string_view text(static_cast<const char*>(data), size);
  if (text.size() <= name.size()) return {};
  return text.substr(name.size() + 1);  // behind "NAME="
}

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c != '\x7f'; });
}

std::optional<std::string> line_here(sd_journal* journal) {
  std::uint64_t at = 0;
  if (sd_journal_get_realtime_usec(journal, &at) < 0) return std::nullopt;
  const std::string host(field(journal, "_HOSTNAME"));
  const std::string program(field(journal, "SYSLOG_IDENTIFIER"));
  const std::string uid(field(journal, "_UID"));
  if (!probes::reports::is_by_program(program, uid, field(journal, "_COMM"))) return std::nullopt;
  std::string pid(field(journal, "SYSLOG_PID"));
  if (pid.empty()) pid = field(journal, "_PID");
  return journald_line(at, host, program, pid, field(journal, "MESSAGE"));
}

}  // namespace

std::optional<std::string> journald_line(std::uint64_t microseconds, std::string_view host,
                                         std::string_view program, std::string_view pid,
                                         std::string_view message) {
  const bool is_pid = !pid.empty() && pid.size() <= 10 &&
                      std::ranges::all_of(pid, [](char c) { return c >= '0' && c <= '9'; });
  // As far as moments can be written with four digits of a year.
  constexpr std::uint64_t kYear10000 = 253'402'300'800'000'000U;
  if (!is_word(program) || program.find_first_of("[]") != std::string_view::npos || !is_pid ||
      microseconds >= kYear10000)
    return std::nullopt;
  const std::chrono::sys_seconds at{
      std::chrono::seconds{static_cast<std::int64_t>(microseconds / 1'000'000)}};
  auto line = fmt::format("{:%FT%T}Z {} {}[{}]: {}", at, is_word(host) ? host : "-", program, pid,
                          message.substr(0, probes::reports::kMostOfLine));
  // One entry is one line, whatever it says.
  std::ranges::replace_if(
      line, [](char c) { return c == '\n' || c == '\r' || c == '\0'; }, ' ');
  return line;
}

void JournaldLog::Close::operator()(sd_journal* journal) const {
  sd_journal_close(journal);
}

JournaldLog::JournaldLog(std::optional<std::filesystem::path> folder,
                         std::optional<std::string> position)
    : folder_(std::move(folder)), cursor_(std::move(position)) {}

JournaldLog::~JournaldLog() = default;

std::string JournaldLog::name() const {
  return folder_ ? "journald:" + folder_->string() : "journald";
}

config::Result<void, std::string> JournaldLog::open() {
  sd_journal* opened = nullptr;
  const int error = folder_ ? sd_journal_open_directory(&opened, folder_->c_str(), 0)
                            : sd_journal_open(&opened, SD_JOURNAL_LOCAL_ONLY);
  if (error < 0)
    return config::Failure<std::string>(fmt::format("{}: {}", name(), std::strerror(-error)));
  std::unique_ptr<sd_journal, Close> journal(opened);
  // What may not be read is passed over without a word.
  std::uint64_t octets = 0;
  if (sd_journal_get_usage(opened, &octets) < 0 || octets == 0)
    return config::Failure<std::string>(fmt::format(
        "{}: no journal that danelaw may read (is its user in the group systemd-journal?)",
        name()));
  (void)sd_journal_set_data_threshold(opened, 2 * probes::reports::kMostOfLine);
  (void)sd_journal_get_fd(opened);  // from now on it hears of files that come and go
  bool is_on_unread = false;
  int done = sd_journal_add_match(opened, kMail, 0);
  if (done >= 0) done = sd_journal_seek_head(opened);
  if (done >= 0 && cursor_ && sd_journal_seek_cursor(opened, cursor_->c_str()) >= 0) {
    done = sd_journal_next(opened);
    is_on_unread = done > 0 && sd_journal_test_cursor(opened, cursor_->c_str()) <= 0;
  }
  if (done < 0)
    return config::Failure<std::string>(fmt::format("{}: {}", name(), std::strerror(-done)));
  journal_ = std::move(journal);
  is_on_unread_ = is_on_unread;
  return {};
}

config::Result<bool, std::string> JournaldLog::failed(int error) {
  journal_.reset();  // the next call begins behind what was read
  return config::Failure<std::string>(fmt::format("{}: {}", name(), std::strerror(-error)));
}

config::Result<bool, std::string> JournaldLog::read(
    std::size_t most, const std::function<void(std::string_view line)>& take) {
  if (!journal_) {
    if (auto opened = open(); !opened) return config::Failure<std::string>(opened.error());
  }
  auto* const journal = journal_.get();
  if (const int done = sd_journal_process(journal); done < 0) return failed(done);
  std::size_t got = 0;
  int step = 0;
  while (got < most && (step = is_on_unread_ ? 1 : sd_journal_next(journal)) > 0) {
    is_on_unread_ = false;
    // First, so that nothing is given twice whatever fails after it.
    char* cursor = nullptr;
    if (const int done = sd_journal_get_cursor(journal, &cursor); done < 0) return failed(done);
    cursor_ = cursor;
    std::free(cursor);
    if (const auto line = line_here(journal)) {
      take(*line);
      got += line->size();
    }
    got += 64;  // what is passed over costs, too
  }
  if (step < 0) return failed(step);
  return step > 0;
}

}  // namespace agent

#include "agent/log.h"

#include <cstdlib>
#include <memory>

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#define SD_JOURNAL_SUPPRESS_LOCATION  // which would be this file's
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "probes/explain.h"

namespace agent::log {
namespace {

spdlog::logger& logger() {
  static const auto made = [] {
    auto out = spdlog::stderr_logger_mt("danelaw");
    out->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "ts=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", spdlog::pattern_time_type::utc));
    return out;
  }();
  return *made;
}

std::string line(std::string_view event, Fields fields) {
  std::string out = fmt::format("event={}", event);
  for (const auto& [name, value] : fields) {
    std::string quoted;
    for (const char c : probes::printable(value)) {
      if (c == '"') quoted += '\\';
      quoted += c;
    }
    out += fmt::format(" {}=\"{}\"", name, quoted);
  }
  return out;
}

// "name" as journald has names: "DANELAW_NAME".
std::string journal_name(std::string_view name) {
  std::string out = "DANELAW_";
  for (const char c : name) {
    const bool is_small = c >= 'a' && c <= 'z';
    const bool is_kept = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += is_small ? static_cast<char>(c - 'a' + 'A') : is_kept ? c : '_';
  }
  return out;
}

bool is_in_journal(int priority, std::string_view event, Fields fields) {
  static const bool is_journal = [] {
    const char* const stream = std::getenv("JOURNAL_STREAM");
    return stream != nullptr && leads_to(stream, STDERR_FILENO);
  }();
  if (!is_journal) return false;
  auto entry = journal_entry(priority, event, fields);
  std::vector<iovec> parts;
  parts.reserve(entry.size());
  for (auto& one : entry) parts.push_back({.iov_base = one.data(), .iov_len = one.size()});
  return sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) >= 0;
}

}  // namespace

bool leads_to(const std::string& journal_stream, int descriptor) {
  struct stat is {};
  return fstat(descriptor, &is) == 0 &&
         journal_stream == fmt::format("{}:{}", is.st_dev, is.st_ino);
}

std::vector<std::string> journal_entry(int priority, std::string_view event, Fields fields) {
  std::vector<std::string> out{fmt::format("MESSAGE={}", line(event, fields)),
                               fmt::format("PRIORITY={}", priority),
                               fmt::format("DANELAW_EVENT={}", event)};
  for (const auto& [name, value] : fields)
    out.push_back(fmt::format("{}={}", journal_name(name), probes::printable(value)));
  return out;
}

void info(std::string_view event, Fields fields) {
  if (!is_in_journal(LOG_INFO, event, fields)) logger().info("{}", line(event, fields));
}
void warn(std::string_view event, Fields fields) {
  if (!is_in_journal(LOG_WARNING, event, fields)) logger().warn("{}", line(event, fields));
}
void error(std::string_view event, Fields fields) {
  if (!is_in_journal(LOG_ERR, event, fields)) logger().error("{}", line(event, fields));
}

}  // namespace agent::log

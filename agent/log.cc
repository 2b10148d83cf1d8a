#include "agent/log.h"

#include <memory>

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

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

}  // namespace

void info(std::string_view event, Fields fields) {
  logger().info("{}", line(event, fields));
}
void warn(std::string_view event, Fields fields) {
  logger().warn("{}", line(event, fields));
}
void error(std::string_view event, Fields fields) {
  logger().error("{}", line(event, fields));
}

}  // namespace agent::log

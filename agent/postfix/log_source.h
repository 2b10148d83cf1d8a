#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/result.h"

namespace agent {

// A log that another program writes while we follow it. One thread.
class LogSource {
 public:
  LogSource() = default;
  virtual ~LogSource() = default;
  LogSource(const LogSource&) = delete;
  LogSource& operator=(const LogSource&) = delete;

  // Reads on, up to about so many octets, and gives each line once it is whole; true when there may
  // be more at once. The error is a phrase; later calls try again.
  [[nodiscard]] virtual config::Result<bool, std::string> read(
      std::size_t most, const std::function<void(std::string_view line)>& take) = 0;
  // To go on from after a restart, for the same kind of log to understand; nothing before anything
  // was read.
  [[nodiscard]] virtual std::optional<std::string> position() const = 0;
  // Which log it is, as the configuration calls it.
  [[nodiscard]] virtual std::string name() const = 0;
};

}  // namespace agent

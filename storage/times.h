#pragma once

#include <cstdint>
#include <optional>

#include "config/time.h"

// How moments lie in the database: seconds since 1970.
namespace storage {

[[nodiscard]] inline std::int64_t seconds(config::Time time) {
  return time.time_since_epoch().count();
}

// Null stays null.
[[nodiscard]] inline std::optional<std::int64_t> seconds(const std::optional<config::Time>& time) {
  return time ? std::optional{seconds(*time)} : std::nullopt;
}

[[nodiscard]] inline config::Time time_of(std::int64_t seconds) {
  return config::Time{config::Seconds{seconds}};
}

}  // namespace storage

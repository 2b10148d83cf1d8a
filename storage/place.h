#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "config/config.h"

namespace storage {

// Where a database is: a file of SQLite, or a database of PostgreSQL.
class Place {
 public:
  Place(std::filesystem::path file) : file_(std::move(file)) {}
  Place(const config::Storage& settings) : file_(settings.path), postgresql_(settings.postgresql) {}
  // As libpq takes it: key=value pairs, or a URI.
  [[nodiscard]] static Place postgresql(std::string connection) {
    Place out{std::filesystem::path{}};
    out.postgresql_ = std::move(connection);
    return out;
  }

  [[nodiscard]] bool is_postgresql() const { return !postgresql_.empty(); }
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }    // of SQLite
  [[nodiscard]] const std::string& connection() const { return postgresql_; }  // secret
  // The same, where an agent decides as long as its epoch lasts (leadership.h).
  [[nodiscard]] Place led_in(std::int64_t epoch) const {
    auto out = *this;
    out.epoch_ = epoch;
    return out;
  }
  [[nodiscard]] std::optional<std::int64_t> epoch() const { return epoch_; }
  // For logs and people: never what is secret.
  [[nodiscard]] std::string words() const;

 private:
  std::filesystem::path file_;
  std::string postgresql_;
  std::optional<std::int64_t> epoch_;
};

}  // namespace storage

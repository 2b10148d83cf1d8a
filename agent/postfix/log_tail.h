#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/result.h"

namespace agent {

// How far a log was read: which file that was, by its number and how it begins, and up to where.
struct LogPosition {
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;      // behind the last whole line read
  std::string begin;             // digest of the file's first octets…
  std::uint64_t begin_size = 0;  // …that many
  bool operator==(const LogPosition&) const = default;
};

// Follows a file that another program writes and others rotate: by renaming it and making a new one
// (what was written to the old one is read to its end first), or by copying it away and cutting it
// to nothing (copytruncate; what is written between the last read and the cut is lost, which is
// that way's own flaw). Only whole lines are given. One thread.
class LogTail {
 public:
  explicit LogTail(std::filesystem::path file, std::optional<LogPosition> position = std::nullopt);
  ~LogTail();
  LogTail(const LogTail&) = delete;
  LogTail& operator=(const LogTail&) = delete;

  // Reads on, up to about so many octets; true when there may be more at once. Without a position
  // it begins at the file's begin. When what was read last was rotated away while nobody followed,
  // it is looked for as FILE.1. The error is a phrase: there is no such file, or it cannot be read;
  // later calls try again.
  [[nodiscard]] config::Result<bool, std::string> read(
      std::size_t most, const std::function<void(std::string_view line)>& take);
  // To go on from after a restart; nothing before anything was read.
  [[nodiscard]] const std::optional<LogPosition>& position() const { return position_; }
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  [[nodiscard]] config::Result<void, std::string> open_next();
  [[nodiscard]] bool open_at(const std::filesystem::path& file, std::uint64_t offset);
  [[nodiscard]] bool is_where_we_were(int fd) const;
  void note_begin();
  void close_file();

  std::filesystem::path file_;
  std::optional<LogPosition> position_;
  int fd_ = -1;
  std::string partial_;       // a line without its end
  bool is_skipping_ = false;  // in a line that is too long
};

}  // namespace agent

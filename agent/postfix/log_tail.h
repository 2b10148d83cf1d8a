#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/postfix/log_source.h"

namespace agent {

// How far a log was read: which file that was, by its number and how it begins, and up to where.
struct LogPosition {
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;      // behind the last whole line read
  std::string begin;             // digest of the file's first octets…
  std::uint64_t begin_size = 0;  // …that many
};

// Of the names of files beside `name` those that it was rotated to after `own`, oldest first: of
// NAME.2 it is NAME.1, of NAME-20260102 it is NAME-20260103. Nothing that is compressed, and
// nothing of another way of naming than own's: which of them is older cannot be told.
[[nodiscard]] std::vector<std::string> rotated_after(std::string_view own, std::string_view name,
                                                     const std::vector<std::string>& beside);

// Follows a file that another program writes and others rotate: by renaming it and making a new one
// (what the writer puts into the old one until it opens the new one is read for a minute of reads),
// or by copying it away and cutting it to nothing (copytruncate; what is written between the copy
// and the cut is lost, which is that way's own flaw). What was rotated away unread is looked for
// beside the file, under names that begin as its own: FILE.1, FILE-20260102; from there it goes on
// through every file that was rotated away later, in their order. Only whole lines are given. One
// thread.
class LogTail : public LogSource {
 public:
  // Without a position, or with one that is none, it begins at the file's begin.
  explicit LogTail(std::filesystem::path file,
                   const std::optional<std::string>& position = std::nullopt);
  ~LogTail() override;

  [[nodiscard]] config::Result<bool, std::string> read(
      std::size_t most, const std::function<void(std::string_view line)>& take) override;
  [[nodiscard]] std::optional<std::string> position() const override;
  [[nodiscard]] std::string name() const override { return file_.string(); }

 private:
  [[nodiscard]] config::Result<void, std::string> open_next();
  [[nodiscard]] bool follow(int fd, std::uint64_t offset);
  [[nodiscard]] bool has_been_cut() const;
  [[nodiscard]] std::vector<std::filesystem::path> others() const;
  [[nodiscard]] int open_younger(std::uint64_t inode) const;
  void read_left(int fd);
  [[nodiscard]] config::Failure<std::string> failed() const;  // by errno
  void note_begin();
  void close_file();

  // Octets as they come, cut into lines.
  struct Lines {
    std::string partial;       // a line without its end
    bool is_skipping = false;  // in a line that is too long
    // How many octets more are done with: what stands in `partial` is not.
    std::uint64_t feed(std::string_view text, const std::function<void(std::string_view)>& take);
  };
  void leave();
  void drain_left(const std::function<void(std::string_view line)>& take);

  std::filesystem::path file_;
  std::optional<LogPosition> position_;
  int fd_ = -1;
  Lines lines_;
  // The file that was rotated away, while its writer may not know yet.
  std::optional<LogPosition> left_position_;
  int left_fd_ = -1;
  Lines left_lines_;
  int left_reads_ = 0;
};

}  // namespace agent

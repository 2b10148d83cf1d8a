#include "agent/postfix/log_tail.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "probes/reports/log_line.h"

namespace agent {
namespace {

constexpr std::size_t kBegin = 512;  // by which a file is known again
constexpr int kReadsOfLeft = 60;     // so often a file that was rotated away is looked at
constexpr std::size_t kChunk = 65536;

// FNV-1a: tells apart what nobody forges. Whoever can write our log needs no collision.
std::string digest(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325U;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return fmt::format("{:016x}", value);
}

std::string begin_of(int fd, std::uint64_t size) {
  std::array<char, kBegin> octets{};
  const auto count = pread(fd, octets.data(), std::min<std::size_t>(kBegin, size), 0);
  return count <= 0 ? std::string() : std::string(octets.data(), static_cast<std::size_t>(count));
}

std::optional<LogPosition> position_from(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  try {
    return LogPosition{.inode = json.at("inode").get<std::uint64_t>(),
                       .offset = json.at("offset").get<std::uint64_t>(),
                       .begin = json.at("begin").get<std::string>(),
                       .begin_size = json.at("begin_size").get<std::uint64_t>()};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

LogTail::LogTail(std::filesystem::path file, const std::optional<std::string>& position)
    : file_(std::move(file)), position_(position ? position_from(*position) : std::nullopt) {}

std::optional<std::string> LogTail::position() const {
  if (!position_) return std::nullopt;
  return nlohmann::json{{"inode", position_->inode},
                        {"offset", position_->offset},
                        {"begin", position_->begin},
                        {"begin_size", position_->begin_size}}
      .dump();
}

LogTail::~LogTail() {
  close_file();
  if (left_fd_ >= 0) close(left_fd_);
}

std::uint64_t LogTail::Lines::feed(std::string_view text,
                                   const std::function<void(std::string_view)>& take) {
  std::uint64_t done = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto part = text.substr(0, end);
    const bool is_whole = end != std::string_view::npos;
    // Of a line that is too long the end is passed over.
    if (!is_skipping) partial += part;
    if (!is_whole && partial.size() > 4 * probes::reports::kMostOfLine) {
      done += partial.size();
      partial.clear();
      is_skipping = true;
    } else if (is_skipping) {
      done += part.size() + (is_whole ? 1 : 0);
      if (is_whole) is_skipping = false;
    } else if (is_whole) {
      take(partial);
      done += partial.size() + 1;
      partial.clear();
    }
    if (!is_whole) break;
    text.remove_prefix(end + 1);
  }
  return done;
}

// Its name leads to another file by now.
void LogTail::leave() {
  if (left_fd_ >= 0) close(left_fd_);
  left_fd_ = std::exchange(fd_, -1);
  left_lines_ = std::exchange(lines_, {});
  left_reads_ = kReadsOfLeft;
}

void LogTail::drain_left(const std::function<void(std::string_view line)>& take) {
  if (left_fd_ < 0) return;
  std::array<char, kChunk> chunk{};
  ssize_t count = 0;
  while ((count = ::read(left_fd_, chunk.data(), chunk.size())) > 0)
    left_lines_.feed({chunk.data(), static_cast<std::size_t>(count)}, take);
  if (--left_reads_ > 0 && count == 0) return;
  close(left_fd_);
  left_fd_ = -1;
}

void LogTail::close_file() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  lines_ = {};
}

// The same file, and as long as it was at least.
bool LogTail::is_where_we_were(int fd) const {
  struct stat there {};
  if (!position_ || fstat(fd, &there) != 0) return false;
  const auto size = static_cast<std::uint64_t>(there.st_size);
  return there.st_ino == position_->inode && size >= position_->offset &&
         size >= position_->begin_size &&
         digest(begin_of(fd, position_->begin_size)) == position_->begin;
}

bool LogTail::open_at(const std::filesystem::path& file, std::uint64_t offset) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat there {};
  if (fd < 0) return false;
  if (fstat(fd, &there) != 0 || !S_ISREG(there.st_mode) ||
      lseek(fd, static_cast<off_t>(offset), SEEK_SET) < 0) {
    const int why = S_ISREG(there.st_mode) ? errno : EINVAL;
    close(fd);
    errno = why;
    return false;
  }
  close_file();
  fd_ = fd;
  if (offset == 0)
    position_ = LogPosition{.inode = there.st_ino, .offset = 0, .begin = {}, .begin_size = 0};
  note_begin();
  return true;
}

// What a file begins with grows until it is kBegin long.
void LogTail::note_begin() {
  if (position_->begin_size >= kBegin) return;
  const auto begin = begin_of(fd_, std::min<std::uint64_t>(kBegin, position_->offset));
  position_->begin = digest(begin);
  position_->begin_size = begin.size();
}

// After a start: where we were, or there under the name of the day before, or the file's begin.
config::Result<void, std::string> LogTail::open_next() {
  if (position_) {
    for (const auto& candidate : {file_, std::filesystem::path(file_.string() + ".1")}) {
      const int fd = open(candidate.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
      if (fd < 0) continue;
      const bool is_it = is_where_we_were(fd);
      close(fd);
      if (is_it && open_at(candidate, position_->offset)) return {};
    }
  }
  if (open_at(file_, 0)) return {};
  return config::Failure<std::string>(fmt::format("{}: {}", file_.string(), std::strerror(errno)));
}

config::Result<bool, std::string> LogTail::read(
    std::size_t most, const std::function<void(std::string_view line)>& take) {
  if (fd_ < 0) {
    if (auto opened = open_next(); !opened) return config::Failure<std::string>(opened.error());
  }
  struct stat mine {};
  drain_left(take);
  const auto consumed = position_->offset + lines_.partial.size();
  if (fstat(fd_, &mine) == 0 && static_cast<std::uint64_t>(mine.st_size) < consumed) {
    if (!open_at(std::filesystem::path(fmt::format("/proc/self/fd/{}", fd_)), 0))  // cut to nothing
      return config::Failure<std::string>(
          fmt::format("{}: {}", file_.string(), std::strerror(errno)));
  }
  std::array<char, kChunk> chunk{};
  for (std::size_t got = 0; got < most;) {
    const auto count = ::read(fd_, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      return config::Failure<std::string>(
          fmt::format("{}: {}", file_.string(), std::strerror(errno)));
    if (count == 0) {
      // Nothing more; and never again, when the name leads to another file by now.
      struct stat there {};
      const bool has_moved = fstat(fd_, &mine) == 0 && stat(file_.c_str(), &there) == 0 &&
                             (there.st_ino != mine.st_ino || there.st_dev != mine.st_dev);
      if (!has_moved) return false;
      leave();
      if (open_at(file_, 0)) return true;
      const int why = errno;
      fd_ = std::exchange(left_fd_, -1);
      lines_ = std::exchange(left_lines_, {});
      return config::Failure<std::string>(
          fmt::format("{}: {}", file_.string(), std::strerror(why)));
    }
    got += static_cast<std::size_t>(count);
    position_->offset += lines_.feed({chunk.data(), static_cast<std::size_t>(count)}, take);
    note_begin();
  }
  return true;
}

}  // namespace agent

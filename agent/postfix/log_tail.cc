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
constexpr std::size_t kTellingBegin = 64;  // a line's moment, program and process: no two are alike
constexpr std::size_t kMostBeside = 10'000;

// FNV-1a: tells apart what nobody forges. Whoever can write our log needs no collision.
std::string digest(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325U;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return fmt::format("{:016x}", value);
}

// Nothing when it cannot be read.
std::optional<std::string> begin_of(int fd, std::uint64_t size) {
  std::array<char, kBegin> octets{};
  const auto count = pread(fd, octets.data(), std::min<std::size_t>(kBegin, size), 0);
  if (count < 0) return std::nullopt;
  return std::string(octets.data(), static_cast<std::size_t>(count));
}

nlohmann::json to_json(const LogPosition& position) {
  return {{"inode", position.inode},
          {"offset", position.offset},
          {"begin", position.begin},
          {"begin_size", position.begin_size}};
}

LogPosition position_from(const nlohmann::json& json) {
  return {.inode = json.at("inode").get<std::uint64_t>(),
          .offset = json.at("offset").get<std::uint64_t>(),
          .begin = json.at("begin").get<std::string>(),
          .begin_size = json.at("begin_size").get<std::uint64_t>()};
}

// -1 and errno when it is no file that can be read.
int open_file(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat there {};
  if (fd < 0 || (fstat(fd, &there) == 0 && S_ISREG(there.st_mode))) return fd;
  close(fd);
  errno = EINVAL;
  return -1;
}

// What rotation put behind a file's name: NAME.12, where the higher number is the older file; or a
// date or time in any of logrotate's forms (-20260102, .2026-01-02, -20260102-1767312000).
struct Rotated {
  enum class Way { number, date } way;
  char separator;
  std::uint64_t number = 0;
  std::string_view date;
};

std::optional<Rotated> rotated(std::string_view file, std::string_view name) {
  constexpr std::size_t kMostDigits = 4;  // of a count; more is a year or the seconds of an epoch
  if (file.size() <= name.size() + 1 || !file.starts_with(name)) return std::nullopt;
  const char separator = file[name.size()];
  const auto mark = file.substr(name.size() + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if ((separator != '.' && separator != '-') || !is_digit(mark.front())) return std::nullopt;
  if (separator == '.' && mark.size() <= kMostDigits && std::ranges::all_of(mark, is_digit)) {
    std::uint64_t number = 0;
    for (const char c : mark) number = number * 10 + static_cast<std::uint64_t>(c - '0');
    return Rotated{
        .way = Rotated::Way::number, .separator = separator, .number = number, .date = {}};
  }
  const bool is_date = std::ranges::all_of(
      mark, [&](char c) { return is_digit(c) || c == '-' || c == '_' || c == ':' || c == 'T'; });
  if (!is_date) return std::nullopt;
  return Rotated{.way = Rotated::Way::date, .separator = separator, .date = mark};
}

bool is_older(const Rotated& a, const Rotated& b) {
  return a.way == Rotated::Way::number ? a.number > b.number : a.date < b.date;
}

enum class Likeness { none, same_begin, same_file };

// Whether the file holds what was read up to there.
Likeness likeness(int fd, const LogPosition& position) {
  struct stat there {};
  if (fstat(fd, &there) != 0) return Likeness::none;
  const auto size = static_cast<std::uint64_t>(there.st_size);
  const auto begin = begin_of(fd, position.begin_size);
  if (size < position.offset || size < position.begin_size || !begin ||
      digest(*begin) != position.begin)
    return Likeness::none;
  if (there.st_ino == position.inode) return Likeness::same_file;
  return position.begin_size >= kTellingBegin ? Likeness::same_begin : Likeness::none;
}

// The file itself, or else a copy of it (copytruncate, a machine restored from its backup), set to
// where it was read up to; -1 when there is neither.
int open_found(const std::vector<std::filesystem::path>& files, const LogPosition& position) {
  for (const auto wanted : {Likeness::same_file, Likeness::same_begin}) {
    for (const auto& file : files) {
      const int fd = open_file(file);
      if (fd < 0) continue;
      if (likeness(fd, position) == wanted &&
          lseek(fd, static_cast<off_t>(position.offset), SEEK_SET) >= 0)
        return fd;
      close(fd);
    }
  }
  return -1;
}

}  // namespace

std::vector<std::string> rotated_after(std::string_view own, std::string_view name,
                                       const std::vector<std::string>& beside) {
  const auto mine = rotated(own, name);
  if (!mine) return {};
  std::vector<std::pair<Rotated, std::string>> found;
  for (const auto& one : beside) {
    const auto theirs = rotated(one, name);
    const bool is_same_way =
        theirs && theirs->way == mine->way && theirs->separator == mine->separator;
    if (is_same_way && is_older(*mine, *theirs)) found.emplace_back(*theirs, one);
  }
  std::ranges::sort(found, [](const auto& a, const auto& b) { return is_older(a.first, b.first); });
  std::vector<std::string> out;
  for (auto& one : found) out.push_back(std::move(one.second));
  return out;
}

LogTail::LogTail(std::filesystem::path file, const std::optional<std::string>& position)
    : file_(std::move(file)) {
  if (!position) return;
  try {
    const auto json = nlohmann::json::parse(*position);
    auto read_up_to = position_from(json);
    if (json.contains("left")) left_position_ = position_from(json.at("left"));
    position_ = std::move(read_up_to);
  } catch (const nlohmann::json::exception&) {  // it is none
  }
}

std::optional<std::string> LogTail::position() const {
  if (!position_) return std::nullopt;
  auto json = to_json(*position_);
  if (left_position_) json["left"] = to_json(*left_position_);
  return json.dump();
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
  read_left(std::exchange(fd_, -1));
  left_lines_ = std::exchange(lines_, {});
}

// What was read up to where we are, and is no more what its name leads to; -1: it is not there.
void LogTail::read_left(int fd) {
  if (left_fd_ >= 0) close(left_fd_);
  left_fd_ = fd;
  left_lines_ = {};
  left_position_ = fd >= 0 ? position_ : std::nullopt;
  left_reads_ = kReadsOfLeft;
}

void LogTail::drain_left(const std::function<void(std::string_view line)>& take) {
  if (left_fd_ < 0) return;
  std::array<char, kChunk> chunk{};
  ssize_t count = 0;
  while ((count = ::read(left_fd_, chunk.data(), chunk.size())) > 0)
    left_position_->offset +=
        left_lines_.feed({chunk.data(), static_cast<std::size_t>(count)}, take);
  if (--left_reads_ > 0 && count == 0) return;
  close(left_fd_);
  left_fd_ = -1;
  left_position_.reset();
}

void LogTail::close_file() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  lines_ = {};
}

// Shorter than it was, or another begin: cut to nothing, and maybe grown again. A disk that cannot
// be read now says nothing of that.
bool LogTail::has_been_cut() const {
  struct stat mine {};
  if (fstat(fd_, &mine) != 0) return false;
  const auto size = static_cast<std::uint64_t>(mine.st_size);
  if (size < position_->offset + lines_.partial.size()) return true;
  const auto begin = begin_of(fd_, position_->begin_size);
  return begin && digest(*begin) != position_->begin;
}

// What lies beside it and may have been it.
std::vector<std::filesystem::path> LogTail::others() const {
  std::vector<std::filesystem::path> out;
  const auto name = file_.filename().string();
  std::error_code error;
  std::size_t seen = 0;
  for (std::filesystem::directory_iterator at(
           file_.parent_path().empty() ? "." : file_.parent_path(), error);
       !error && at != std::filesystem::directory_iterator() && seen < kMostBeside;
       at.increment(error), ++seen) {
    const auto other = at->path().filename().string();
    if (other.size() > name.size() + 1 && other.starts_with(name) &&
        (other[name.size()] == '.' || other[name.size()] == '-'))
      out.push_back(at->path());
  }
  std::ranges::sort(out);
  return out;
}

// The file that was rotated away next after ours, which has that number; -1 when there is none.
int LogTail::open_younger(std::uint64_t inode) const {
  const auto number_of = [](const std::filesystem::path& path) -> std::uint64_t {
    struct stat there {};
    return stat(path.c_str(), &there) == 0 ? there.st_ino : 0;
  };
  const auto beside = others();
  const auto own = std::ranges::find(beside, inode, number_of);
  if (own == beside.end()) return -1;
  std::vector<std::string> names;
  for (const auto& path : beside) names.push_back(path.filename().string());
  for (const auto& one :
       rotated_after(own->filename().string(), file_.filename().string(), names)) {
    if (const int fd = open_file(own->parent_path() / one); fd >= 0) return fd;
  }
  return -1;
}

// From there on; the file is ours then.
bool LogTail::follow(int fd, std::uint64_t offset) {
  struct stat there {};
  if (fstat(fd, &there) != 0 || lseek(fd, static_cast<off_t>(offset), SEEK_SET) < 0) {
    const int why = errno;
    close(fd);
    errno = why;
    return false;
  }
  close_file();
  fd_ = fd;
  if (offset == 0) position_ = LogPosition{};
  position_->inode = there.st_ino;
  note_begin();
  return true;
}

// What a file begins with grows until it is kBegin long.
void LogTail::note_begin() {
  if (position_->begin_size >= kBegin) return;
  const auto begin = begin_of(fd_, std::min<std::uint64_t>(kBegin, position_->offset));
  if (!begin) return;
  position_->begin = digest(*begin);
  position_->begin_size = begin->size();
}

// After a start: where we were, wherever that lies by now, or the file's begin.
config::Result<void, std::string> LogTail::open_next() {
  auto beside = others();
  if (left_position_ && left_fd_ < 0) {
    left_fd_ = open_found(beside, *left_position_);
    left_reads_ = kReadsOfLeft;
    if (left_fd_ < 0) left_position_.reset();
  }
  if (position_) {
    beside.insert(beside.begin(), file_);
    const int fd = open_found(beside, *position_);
    if (fd >= 0 && follow(fd, position_->offset)) return {};
  }
  const int fd = open_file(file_);
  if (fd >= 0 && follow(fd, 0)) return {};
  return failed();
}

config::Failure<std::string> LogTail::failed() const {
  return config::Failure<std::string>(fmt::format("{}: {}", file_.string(), std::strerror(errno)));
}

config::Result<bool, std::string> LogTail::read(
    std::size_t most, const std::function<void(std::string_view line)>& take) {
  if (fd_ < 0) {
    if (auto opened = open_next(); !opened) return config::Failure<std::string>(opened.error());
  }
  if (has_been_cut()) {
    if (const int copy = open_found(others(), *position_); copy >= 0) read_left(copy);
    const int again = fcntl(fd_, F_DUPFD_CLOEXEC, 0);
    if (again < 0 || !follow(again, 0)) return failed();
  }
  drain_left(take);
  std::array<char, kChunk> chunk{};
  for (std::size_t got = 0; got < most;) {
    const auto count = ::read(fd_, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed();
    if (count == 0) {
      // Nothing more; and never again, when the name leads to another file by now.
      struct stat mine {
      }, there{};
      const bool has_moved = fstat(fd_, &mine) == 0 && stat(file_.c_str(), &there) == 0 &&
                             (there.st_ino != mine.st_ino || there.st_dev != mine.st_dev);
      if (!has_moved) return false;
      // Opened before it is asked what lies between: what is rotated meanwhile is found there.
      int next = open_file(file_);
      if (next < 0) return failed();
      if (const int younger = open_younger(mine.st_ino); younger >= 0) {
        close(next);
        next = younger;
      }
      leave();
      return follow(next, 0) ? config::Result<bool, std::string>(true) : failed();
    }
    got += static_cast<std::size_t>(count);
    position_->offset += lines_.feed({chunk.data(), static_cast<std::size_t>(count)}, take);
    note_begin();
  }
  return true;
}

}  // namespace agent

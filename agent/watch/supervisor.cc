#include "agent/watch/supervisor.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

namespace agent {
namespace {

template <class Number>
std::optional<Number> number_in(const std::string& digits) {
  Number value = 0;
  const auto* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Supervisor::Wishes Supervisor::wishes_of_environment() {
  return {.socket = environment("NOTIFY_SOCKET"),
          .watchdog_usec = environment("WATCHDOG_USEC"),
          .watchdog_pid = environment("WATCHDOG_PID")};
}

Supervisor::Supervisor(Wishes wishes, pid_t we) : socket_(std::move(wishes.socket)) {
  const bool is_name = socket_.size() > 1 && (socket_[0] == '/' || socket_[0] == '@');
  if (!is_name || socket_.size() >= sizeof(sockaddr_un::sun_path)) socket_.clear();
  const auto patience = number_in<std::int64_t>(wishes.watchdog_usec);
  const bool is_ours = wishes.watchdog_pid.empty() || number_in<pid_t>(wishes.watchdog_pid) == we;
  if (!socket_.empty() && patience.value_or(0) > 0 && is_ours)
    patience_ = std::chrono::microseconds{*patience};
}

std::optional<std::chrono::milliseconds> Supervisor::every() const {
  if (!patience_) return std::nullopt;
  constexpr std::chrono::milliseconds kLeast{1};
  return std::max(kLeast, std::chrono::floor<std::chrono::milliseconds>(*patience_ / 3));
}

void Supervisor::ready() {
  say("READY=1\nSTATUS=" + doing_);
  is_stalled_ = false;
}

void Supervisor::reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  say(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                  static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000));
}

void Supervisor::stopping() {
  say("STOPPING=1\nSTATUS=ending");
}

void Supervisor::alive(const std::optional<std::string>& stall, const std::string& doing) {
  if (stall) {
    if (!is_stalled_) say("STATUS=not watching: " + *stall);
  } else {
    const bool is_news = is_stalled_ || doing != doing_;
    doing_ = doing;
    say(is_news ? "WATCHDOG=1\nSTATUS=" + doing_ : "WATCHDOG=1");
  }
  is_stalled_ = stall.has_value();
}

void Supervisor::say(const std::string& state) const {
  if (socket_.empty()) return;
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  constexpr timeval kPatience{.tv_sec = 1, .tv_usec = 0};  // when it does not listen just now
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  sockaddr_un to{.sun_family = AF_UNIX, .sun_path = {}};
  std::memcpy(to.sun_path, socket_.data(), socket_.size());
  if (socket_[0] == '@') to.sun_path[0] = '\0';
  // The length says where the name ends: an abstract one has no terminator.
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  (void)!sendto(fd, state.data(), state.size(), MSG_NOSIGNAL,
                reinterpret_cast<const sockaddr*>(&to), size);
  close(fd);
}

}  // namespace agent

#include "web/channel.h"

#include <cerrno>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace web {
namespace {

class PlainChannel final : public Channel {
 public:
  using Channel::Channel;

  Outcome read(std::span<char> into) override {
    return outcome(recv(fd(), into.data(), into.size(), MSG_DONTWAIT), POLLIN);
  }
  Outcome write(std::string_view octets) override {
    return outcome(send(fd(), octets.data(), octets.size(), MSG_NOSIGNAL | MSG_DONTWAIT), POLLOUT);
  }
  void finish() override { shutdown(fd(), SHUT_WR); }

 private:
  static Outcome outcome(ssize_t moved, short otherwise) {
    if (moved > 0) return {.count = static_cast<std::size_t>(moved)};
    const bool is_early = moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    return {.wants = is_early ? otherwise : short{0}};
  }
};

}  // namespace

Channel::~Channel() {
  close(fd_);
}

bool Channel::write_all(std::string_view octets, std::chrono::steady_clock::time_point deadline) {
  while (!octets.empty()) {
    const auto done = write(octets);
    octets.remove_prefix(done.count);
    if (done.count > 0) continue;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd wanted{.fd = fd_, .events = done.wants, .revents = 0};
    if (done.wants == 0 || left.count() <= 0 ||
        poll(&wanted, 1, static_cast<int>(left.count())) <= 0)
      return false;
  }
  return true;
}

std::unique_ptr<Channel> plain_channel(int fd) {
  return std::make_unique<PlainChannel>(fd);
}

}  // namespace web

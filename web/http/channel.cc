#include "web/http/channel.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>

#include <arpa/inet.h>
#include <netinet/in.h>
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

bool Channel::has_peer_left() const {
  pollfd gone{.fd = fd_, .events = POLLRDHUP, .revents = 0};
  return poll(&gone, 1, 0) > 0;
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

std::string source_of(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (peer.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer).sin_addr;
    return inet_ntop(AF_INET, &v4, text.data(), text.size());
  }
  if (peer.ss_family != AF_INET6) return {};
  auto v6 = reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr;
  constexpr std::size_t kNetwork = 8;  // octets
  if (!IN6_IS_ADDR_V4MAPPED(&v6)) std::fill(v6.s6_addr + kNetwork, std::end(v6.s6_addr), 0);
  return inet_ntop(AF_INET6, &v6, text.data(), text.size());
}

std::unique_ptr<Channel> plain_channel(int fd) {
  return std::make_unique<PlainChannel>(fd);
}

}  // namespace web

#include "probes/net/socket.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace probes::net {
namespace {

using config::Deadline;
using config::Failure;
using config::Result;

std::string words(int error) {
  return std::generic_category().message(error);
}

ConnectFault connect_fault(int error) {
  switch (error) {
    case ECONNREFUSED:
      return {.stop = ConnectStop::refused, .detail = words(error)};
    // Given by our own kernel before a packet leaves: no route, or no address of that family.
    case ENETUNREACH:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EACCES:
    case EPERM:
      return {.stop = ConnectStop::no_route, .detail = words(error)};
    case EHOSTUNREACH:
      return {.stop = ConnectStop::unreachable, .detail = words(error)};
    case ETIMEDOUT:
      return {.stop = ConnectStop::timeout, .detail = words(error)};
    default:
      return {.stop = ConnectStop::other, .detail = words(error)};
  }
}

StreamFault stream_fault(int error) {
  return {.stop = error == ETIMEDOUT ? StreamStop::timeout : StreamStop::broken,
          .detail = words(error)};
}

}  // namespace

bool wait_for(int fd, bool to_write, Deadline deadline) {
  using std::chrono::milliseconds;
  pollfd wanted{.fd = fd, .events = static_cast<short>(to_write ? POLLOUT : POLLIN), .revents = 0};
  while (true) {
    const auto left =
        std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) return false;
    const int ready = poll(&wanted, 1, static_cast<int>(std::min<long>(left, 3'600'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // let the read or write say what is wrong
  }
}

Result<std::unique_ptr<Socket>, ConnectFault> Socket::connect(const std::string& address,
                                                              std::uint16_t port,
                                                              Deadline deadline) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  const bool is_v4 = inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1;
  if (!is_v4 && inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) != 1) {
    return Failure<ConnectFault>(
        ConnectFault{.stop = ConnectStop::other, .detail = "not an address"});
  }
  v4.sin_family = AF_INET;
  v6.sin6_family = AF_INET6;
  v4.sin_port = v6.sin6_port = htons(port);
  const int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Failure<ConnectFault>(connect_fault(errno));
  std::unique_ptr<Socket> connection{new Socket(fd)};
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

  const auto* peer =
      is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  const socklen_t size = is_v4 ? sizeof v4 : sizeof v6;
  if (::connect(fd, peer, size) == 0) return connection;
  if (errno != EINPROGRESS) return Failure<ConnectFault>(connect_fault(errno));
  if (!wait_for(fd, true, deadline)) return Failure<ConnectFault>(connect_fault(ETIMEDOUT));
  int error = 0;
  socklen_t error_size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size);
  if (error != 0) return Failure<ConnectFault>(connect_fault(error));
  return connection;
}

Socket::~Socket() {
  close(fd_);
}

Result<std::size_t, StreamFault> Socket::read_some(std::span<char> into, Deadline deadline) {
  while (true) {
    const auto got = recv(fd_, into.data(), into.size(), 0);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0)
      return Failure<StreamFault>(
          StreamFault{.stop = StreamStop::closed, .detail = "closed by the peer"});
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return Failure<StreamFault>(stream_fault(errno));
    if (!wait_for(fd_, false, deadline)) return Failure<StreamFault>(stream_fault(ETIMEDOUT));
  }
}

Result<void, StreamFault> Socket::write_all(std::string_view octets, Deadline deadline) {
  while (!octets.empty()) {
    const auto put = send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (put > 0) {
      octets.remove_prefix(static_cast<std::size_t>(put));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return Failure<StreamFault>(stream_fault(errno));
    if (!wait_for(fd_, true, deadline)) return Failure<StreamFault>(stream_fault(ETIMEDOUT));
  }
  return {};
}

}  // namespace probes::net

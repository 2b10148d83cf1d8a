#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "probes/net/stream.h"

namespace probes::net {

enum class ConnectStop {
  refused,      // the peer's host said no
  unreachable,  // no way there, seen from the network
  no_route,     // this machine has no route or address of that family: our own limit
  timeout,
  other,
};

struct ConnectFault {
  ConnectStop stop = ConnectStop::other;
  std::string detail;
};

// A TCP connection, non-blocking underneath, without Nagle's delay. Closed with the object.
class Socket final : public Stream {
 public:
  // `address`: IPv4 or IPv6 text.
  [[nodiscard]] static config::Result<std::unique_ptr<Socket>, ConnectFault> connect(
      const std::string& address, std::uint16_t port, config::Deadline deadline);
  ~Socket() override;

  [[nodiscard]] config::Result<std::size_t, StreamFault> read_some(
      std::span<char> into, config::Deadline deadline) override;
  [[nodiscard]] config::Result<void, StreamFault> write_all(std::string_view octets,
                                                            config::Deadline deadline) override;
  [[nodiscard]] int descriptor() const { return fd_; }

 private:
  explicit Socket(int fd) : fd_(fd) {}
  int fd_;
};

// Waits until the descriptor is readable or writable; false when the deadline came first.
[[nodiscard]] bool wait_for(int fd, bool to_write, config::Deadline deadline);

}  // namespace probes::net

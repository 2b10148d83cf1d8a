#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace web {

// A client's connection, plain or under TLS, that never blocks. One thread at a time.
class Channel {
 public:
  // What one attempt came to: octets moved, or the event (POLLIN, POLLOUT) to wait for before the
  // next; neither when the connection is over.
  struct Outcome {
    std::size_t count = 0;
    short wants = 0;
  };

  explicit Channel(int fd) : fd_(fd) {}  // owns it
  virtual ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // One step of what precedes the first octet; `count` is above zero when that is done. It may
  // compute for long.
  [[nodiscard]] virtual Outcome greet() { return {.count = 1}; }
  [[nodiscard]] virtual bool is_greeted() const { return true; }
  virtual Outcome read(std::span<char> into) = 0;
  virtual Outcome write(std::string_view octets) = 0;
  // Says that we write no more.
  virtual void finish() = 0;
  // Whether the other end says nothing any more: it has closed, or was reset. Any thread.
  [[nodiscard]] bool has_peer_left() const;
  [[nodiscard]] int fd() const { return fd_; }

  // Writes all of it, waiting for the client until then; false when that came to nothing.
  [[nodiscard]] bool write_all(std::string_view octets,
                               std::chrono::steady_clock::time_point deadline);

 private:
  int fd_;
};

// Who is at the other end, as far as one can be told from another: its IPv4 address, or the network
// (/64) of its IPv6 address. All clients of a proxy are one source.
[[nodiscard]] std::string source_of(int fd);

// TCP as it is.
[[nodiscard]] std::unique_ptr<Channel> plain_channel(int fd);

}  // namespace web

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "config/time.h"
#include "probes/net/socket.h"
#include "probes/smtp/session.h"

// What every talk with a server has in common, whatever the protocol: how it is written down.
namespace probes::smtp {

// The record of a session with that place, which `talk` fills in.
template <class Talk>
[[nodiscard]] SessionRecord record_of(const std::string& address, std::uint16_t port,
                                      tls::KeyType key_type, Talk talk) {
  using std::chrono::steady_clock;
  const auto begin = steady_clock::now();
  SessionRecord record;
  record.address = address;
  record.port = port;
  record.key_type = key_type;
  talk(record);
  record.duration =
      std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin);
  record.transcript.shrink_to_fit();
  return record;
}

// Adds a line to the transcript, as long as there is room.
void write_down(SessionRecord& record, std::string_view line);

// The stages of a session, each begun when the one before it ends, and how long they took.
class Progress {
 public:
  explicit Progress(SessionRecord& record) : record_(record) {}
  ~Progress() { stop(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void enter(Stage stage);
  // What follows belongs to no stage.
  void stop();

 private:
  SessionRecord& record_;
  std::optional<std::chrono::steady_clock::time_point> began_ = std::chrono::steady_clock::now();
};

[[nodiscard]] SessionStop stop_of(net::ConnectStop stop);
[[nodiscard]] SessionStop stop_of(net::StreamStop stop);

// The handshake as a line of the transcript.
[[nodiscard]] std::string text_of(const tls::Handshake& handshake);

// So much longer from now on, and not after the deadline.
[[nodiscard]] config::Deadline at_most(config::Deadline deadline,
                                       std::chrono::milliseconds patience);

}  // namespace probes::smtp

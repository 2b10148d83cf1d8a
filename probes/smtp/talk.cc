#include "probes/smtp/talk.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace probes::smtp {

using std::chrono::steady_clock;

void write_down(SessionRecord& record, std::string_view line) {
  const auto octets = record.transcript.text().size();
  if (octets >= kLongestTranscript) return;
  const auto room = kLongestTranscript - octets;
  if (line.size() < room)
    record.transcript.push_back(line);
  else
    record.transcript.push_back(fmt::format("{}…", line.substr(0, room)));
}

void Progress::enter(Stage stage) {
  stop();
  record_.stage = stage;
  began_ = steady_clock::now();
}

void Progress::stop() {
  if (!began_) return;
  record_.took.at(static_cast<std::size_t>(record_.stage)) =
      std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - *began_);
  began_.reset();
}

SessionStop stop_of(net::ConnectStop stop) {
  switch (stop) {
    case net::ConnectStop::refused:
      return SessionStop::connect_refused;
    case net::ConnectStop::unreachable:
      return SessionStop::connect_unreachable;
    case net::ConnectStop::no_route:
      return SessionStop::no_route;
    case net::ConnectStop::timeout:
      return SessionStop::connect_timeout;
    case net::ConnectStop::other:
      return SessionStop::local_fault;
  }
  return SessionStop::local_fault;
}

SessionStop stop_of(net::StreamStop stop) {
  return stop == net::StreamStop::timeout ? SessionStop::timeout : SessionStop::closed;
}

std::string text_of(const tls::Handshake& handshake) {
  if (handshake.version.empty()) return fmt::format("* TLS failed: {}", handshake.detail);
  return fmt::format("* {} {}", handshake.version, handshake.cipher);
}

config::Deadline at_most(config::Deadline deadline, std::chrono::milliseconds patience) {
  return std::min(deadline, steady_clock::now() + patience);
}

}  // namespace probes::smtp

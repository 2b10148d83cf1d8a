#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config/config.h"
#include "config/result.h"
#include "web/sources.h"

namespace web {

// The HTTP server: page, API, metrics. One request a connection; a whole request has kRequestTime
// and kRequestOctets, whatever the client does, so that slow or endless clients hold a thread only
// that long.
class Server {
 public:
  static constexpr config::Seconds kRequestTime{5};
  static constexpr std::size_t kRequestOctets = 64 * 1024;
  static constexpr int kMostStreams = 16;  // of events; each holds a thread

  // `request_time` is for tests.
  explicit Server(Sources sources, std::chrono::milliseconds request_time = kRequestTime);
  ~Server();  // stop()

  // Listens before it returns; the error says why it cannot. Port 0 takes any free one.
  [[nodiscard]] config::Result<void, std::string> start(const config::Web& settings);
  void stop();
  [[nodiscard]] std::uint16_t port() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace web

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config/config.h"
#include "config/result.h"
#include "web/http/connection_loop.h"
#include "web/http/site.h"

namespace web {

// The HTTP server. What clients can do to it is bounded in web/http/connection_loop.h and
// web/http/request_framer.h; the streams of events here.
class Server {
 public:
  static constexpr int kMostStreams =
      16;  // of events; each holds a thread, and a third may be held

  explicit Server(MakeSite make_site, ConnectionLoop::Limits limits = {});
  ~Server();  // stop()

  // Listens before it returns; the error says why it cannot. Port 0 takes any free one.
  [[nodiscard]] config::Result<void, std::string> start(const config::Web& settings);
  // Users, tokens, certificates, names and badges of a new configuration; address and port stay.
  // The error says why the old way in stays as it was.
  [[nodiscard]] config::Result<void, std::string> reconfigure(const config::Web& settings);
  // The same, and from now on another site answers; who is being answered is so by the one before.
  [[nodiscard]] config::Result<void, std::string> lead_to(MakeSite make_site,
                                                          const config::Web& settings);
  // As the site that answers now does. Any thread.
  [[nodiscard]] Reply answer(const Request& request);
  void stop();
  [[nodiscard]] std::uint16_t port() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace web

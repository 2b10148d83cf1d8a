#pragma once

#include <memory>
#include <string>

#include "config/config.h"
#include "config/result.h"
#include "web/http/channel.h"

namespace web {

// TLS as the web server speaks it: 1.3, and 1.2 with forward secrecy and AEAD only; nobody
// renegotiates. Any thread.
class TlsServer {
 public:
  // Reads certificate, key and CA now; the error names the file, for the operator.
  [[nodiscard]] static config::Result<std::shared_ptr<const TlsServer>, std::string> make(
      const config::Tls& settings);

  // A channel that is still to be greeted; null when there is no memory for it.
  // Owns the socket in any case.
  [[nodiscard]] std::unique_ptr<Channel> open(int fd) const;

 private:
  struct Context;
  explicit TlsServer(std::shared_ptr<Context> context) : context_(std::move(context)) {}
  std::shared_ptr<Context> context_;
};

}  // namespace web

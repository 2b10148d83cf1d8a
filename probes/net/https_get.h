#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "config/result.h"
#include "config/time.h"

// Asks a web server that is trusted by the CAs of a file: no redirects, no proxy.
namespace probes::net {

struct HttpsQuestion {
  std::string url;  // https
  // PEM; the server must show a certificate of one of them. Empty: of one of the system's.
  std::filesystem::path ca_file;
  std::size_t most = 0;              // octets of a body that are taken
  config::Seconds patience{0};       // for all of it, however slowly octets come
  std::vector<std::string> headers;  // "Name: value", without line ends
  bool may_be_http = false;          // for an address of which that was decided before
};

// What came, whatever its status.
struct HttpsReply {
  int status = 0;
  std::string body;
  std::optional<std::string> retry_after;  // the field as it came
};

// Nothing whole came. The error says why in words; it may quote the outside world, escape where
// shown. When told to stop, it ends at once.
using HttpsAnswer = config::Result<HttpsReply, std::string>;
[[nodiscard]] HttpsAnswer https_get(const HttpsQuestion& question,
                                    const std::stop_token& stop = {});

}  // namespace probes::net

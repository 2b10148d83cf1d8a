#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "config/result.h"
#include "config/time.h"

// How notifiers reach the world: HTTP and mail by libcurl. One deadline for a whole exchange,
// bounded replies, no redirects, no other protocols, certificates checked. When told to stop, an
// exchange under way ends at once.
namespace agent::wire {

inline constexpr config::Seconds kPatience{20};
inline constexpr std::size_t kMostReply = 64 * 1024;

struct HttpRequest {
  std::string method = "POST";
  std::string url;
  std::vector<std::string> headers;  // "Name: value", without line ends
  std::string body;
};
struct HttpReply {
  int status = 0;
  std::string body;  // of text, at most kMostReply octets
};
// The reply, whatever its status; or why there is none, in words.
[[nodiscard]] config::Result<HttpReply, std::string> exchange(const HttpRequest& request,
                                                              const std::stop_token& stop);

struct Envelope {
  std::string server;  // smtp://… (STARTTLS is demanded) or smtps://…
  std::string from;
  std::vector<std::string> to;
  std::string user, password;  // empty: no login
  std::filesystem::path ca_file;
};
// Submits one message: header lines as "Name: value" without line ends, except within a folded one,
// and a text in UTF-8, to which MIME is added. Done when the server has taken it.
struct Message {
  std::vector<std::string> headers;
  std::string text;
};
[[nodiscard]] config::Result<void, std::string> submit(const Envelope& head, const Message& message,
                                                       const std::stop_token& stop);

}  // namespace agent::wire

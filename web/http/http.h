#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "config/time.h"
#include "web/http/attempt.h"

// PURE
// A request and a reply as values, so that what is answered can be tested without a socket.
namespace web {

struct Request {
  std::string method;
  std::string path;                            // percent-decoded, without the query
  std::map<std::string, std::string> query;    // of a repeated parameter the last
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::optional<Attempt> attempt;  // at logging in, when that had to be tried

  [[nodiscard]] std::string header(const std::string& name) const {
    const auto entry = headers.find(name);
    return entry == headers.end() ? std::string() : entry->second;
  }
};

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::map<std::string, std::string> headers;
  // Instead of a body: gives one part after the other, empty ones too, until nothing.
  std::function<std::optional<std::string>()> stream;
  std::string handler = "none";  // the route as the metrics name it; never the path
};

inline constexpr const char* kProblemType = "application/problem+json";

[[nodiscard]] Reply json(const nlohmann::ordered_json& value, int status = 200);
// RFC 3339, or null.
[[nodiscard]] nlohmann::ordered_json time_or_null(const std::optional<config::Time>& time);
[[nodiscard]] Reply text(std::string body, int status = 200);
// An error as RFC 9457 has it.
[[nodiscard]] Reply problem(int status, std::string title, std::string detail);

// Notifications of ASCII in lower case; all else as it is.
[[nodiscard]] std::string lower_case(std::string text);
// A whole number in digits.
[[nodiscard]] std::optional<std::size_t> number(const std::string& digits);
// What stands between the two in the path; nothing when it is not built like that.
[[nodiscard]] std::optional<std::string> between(const std::string& path, std::string_view begin,
                                                 std::string_view end);

}  // namespace web

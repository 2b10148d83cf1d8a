#pragma once

#include <map>
#include <string>
#include <vector>

// PURE
// A request and a reply as values, so that what is answered can be tested without a socket.
namespace web {

struct Request {
  std::string method;
  std::string path;                            // percent-decoded, without the query
  std::map<std::string, std::string> query;    // of a repeated parameter the last
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

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
  std::string handler = "none";  // the route's pattern, for the metrics; never the path
};

// An error as RFC 9457 has it.
[[nodiscard]] Reply problem(int status, std::string title, std::string detail);

}  // namespace web

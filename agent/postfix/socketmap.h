#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

// PURE
// The server's side of Postfix' socketmap protocol (socketmap_table(5)): requests "NAME KEY" and
// replies "OK DATA" or "NOTFOUND ", each as a netstring ("5:hello,").
namespace agent {

// One connection.
class SocketmapSession {
 public:
  // What a table says of a key; empty: nothing. `map` is the table's name.
  using Lookup = std::function<std::string(std::string_view map, std::string_view key)>;

  // A request: the name of a map, a blank, and the longest thing that may be looked up.
  static constexpr std::size_t kMostOfRequest = 1024;

  // Takes octets as they come, however they are cut, and gives the replies to what is complete.
  // After something that is no netstring, or a longer one than any request, it gives nothing any
  // more: is_broken().
  [[nodiscard]] std::string feed(std::string_view octets, const Lookup& lookup);
  [[nodiscard]] bool is_broken() const { return is_broken_; }

 private:
  [[nodiscard]] bool take_request(std::string& request);

  std::string pending_;  // at most one request
  bool is_broken_ = false;
};

[[nodiscard]] std::string netstring(std::string_view content);

}  // namespace agent

#include "agent/postfix/socketmap.h"

#include <algorithm>

namespace agent {

std::string netstring(std::string_view content) {
  auto out = std::to_string(content.size());
  out += ':';
  out += content;
  out += ',';
  return out;
}

// Whether a whole request stood in front of what is pending.
bool SocketmapSession::take_request(std::string& request) {
  constexpr std::size_t kDigits = 4;  // of kMostOfRequest
  std::size_t length = 0, i = 0;
  while (i < pending_.size() && pending_[i] >= '0' && pending_[i] <= '9') {
    length = length * 10 + static_cast<std::size_t>(pending_[i] - '0');
    if (++i > kDigits || (i == 2 && pending_[0] == '0')) {
      is_broken_ = true;
      return false;
    }
  }
  if (i == pending_.size()) return false;  // more digits may come
  if (i == 0 || pending_[i] != ':' || length > kMostOfRequest) {
    is_broken_ = true;
    return false;
  }
  const auto end = i + 1 + length;
  if (pending_.size() <= end) return false;
  if (pending_[end] != ',') {
    is_broken_ = true;
    return false;
  }
  request = pending_.substr(i + 1, length);
  pending_.erase(0, end + 1);
  return true;
}

std::string SocketmapSession::feed(std::string_view octets, const Lookup& lookup) {
  std::string replies;
  while (!is_broken_) {
    // Only so much that one request fits, so that a flood is not kept.
    const auto room =
        std::min(octets.size(), 2 * kMostOfRequest - std::min(2 * kMostOfRequest, pending_.size()));
    pending_ += octets.substr(0, room);
    octets.remove_prefix(room);
    std::string request;
    if (!take_request(request)) {
      if (octets.empty() || is_broken_) break;
      continue;
    }
    const auto blank = request.find(' ');
    const auto found = blank == std::string::npos
                           ? std::string()
                           : lookup(std::string_view(request).substr(0, blank),
                                    std::string_view(request).substr(blank + 1));
    replies += netstring(found.empty() ? "NOTFOUND " : "OK " + found);
  }
  if (is_broken_) pending_.clear();
  return replies;
}

}  // namespace agent

#include "probes/dns/server_address.h"

#include <array>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

namespace probes::dns {

std::string address_text(const Bytes& data) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = data.size() == 4 ? AF_INET : AF_INET6;
  if (data.size() != 4 && data.size() != 16) return {};
  return inet_ntop(family, data.data(), text.data(), text.size()) == nullptr ? "" : text.data();
}

bool is_address(const std::string& text) {
  if (text.find('\0') != std::string::npos) return false;  // here C ends its strings
  std::array<std::uint8_t, 16> raw{};
  return inet_pton(AF_INET, text.c_str(), raw.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), raw.data()) == 1;
}

bool has_route(const std::string& address) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(53);
  if (inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) != 1) return true;
  const int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  // Connecting a UDP socket sends no packet.
  const bool reachable = connect(fd, reinterpret_cast<const sockaddr*>(&v6), sizeof v6) == 0;
  close(fd);
  return reachable;
}

}  // namespace probes::dns

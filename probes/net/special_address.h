#pragma once

#include <string_view>

// PURE
namespace probes::net {

// Whether an IPv4 or IPv6 address is for special purposes and no mail server on the Internet can be
// there (RFC 6890 and its IANA registries): loopback, private, link-local, documentation, multicast
// … A NAT64 address (64:ff9b::/96) is what the IPv4 address in it is. Also true for text that is no
// address.
[[nodiscard]] bool is_special_address(std::string_view address);

}  // namespace probes::net

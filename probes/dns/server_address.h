#pragma once

#include <string>

#include "probes/dns/message.h"

// Addresses of name servers, as records give them and as sockets take them.
namespace probes::dns {

// The text of an A or AAAA record's data; empty when it is of another size.
[[nodiscard]] std::string address_text(const Bytes& data);

// Whether it is the text of an IPv4 or IPv6 address.
[[nodiscard]] bool is_address(const std::string& text);

// Whether this machine has a way to an address of that family: else silence says nothing of the
// server. Sends no packet.
[[nodiscard]] bool has_route(const std::string& address);

}  // namespace probes::dns

#pragma once

#include <optional>
#include <string>

#include "probes/dns/name.h"

// PURE
// What an MX record may name (RFC 5321 §5.1), and what senders make of what it may not.
namespace probes {

// The address in an exchange that is the text of one, IPv4 or IPv6, in its usual form. RFC 5321
// forbids it; Postfix delivers there, without DANE.
[[nodiscard]] std::optional<std::string> address_in(const dns::Name& exchange);

// Whether it is a host's name: letters, digits, underscores and inner hyphens, not digits only.
// Records with others are passed over (valid_hostname() of Postfix).
[[nodiscard]] bool is_host_name(const dns::Name& exchange);

}  // namespace probes

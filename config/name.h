#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "config/result.h"

// Names and addresses as an operator writes them, brought into the one form the rest of the program
// knows. Each error is a phrase that says what is wrong, without repeating the text. Nothing here
// asks the network.
namespace config {

// A domain name of a host or of mail: A-labels (a name in other scripts is converted as IDNA2008
// and UTS 46 non-transitional have it), lower case, no trailing dot, at least two labels of
// letters, digits, inner hyphens and underscores, 1 to 63 octets each and 253 together.
[[nodiscard]] Result<std::string, std::string> normal_domain(std::string_view text);

// An IPv4 or IPv6 address in its shortest usual form (RFC 5952); no brackets, no port, no zone.
[[nodiscard]] Result<std::string, std::string> normal_address(std::string_view text);

// "127.0.0.1", "::1", "127.0.0.1@5353", "[::1]@5353" or "::1@5353"; port 53 where none is given.
[[nodiscard]] Result<ResolverAddress, std::string> parse_resolver(std::string_view text);

// An EHLO argument (RFC 5321 §4.1.3): a domain without underscores, or an address literal as
// "[192.0.2.1]" or "[IPv6:2001:db8::1]". Empty stays empty.
[[nodiscard]] Result<std::string, std::string> helo_name(std::string_view text);

// What is to be said of a machine's name that stands in for an EHLO argument nobody has set;
// nothing when servers will take it.
[[nodiscard]] std::optional<std::string> doubt_about_host_name(std::string_view host_name);

// The operator's own word, valid UTF-8: at most 64 characters, no control characters. May be empty.
[[nodiscard]] Result<std::string, std::string> group_name(std::string_view text);

// An http:// or https:// address with a host, in ASCII; slashes at its end are dropped.
[[nodiscard]] Result<std::string, std::string> web_address(std::string_view text);

// Where a list of domains is read from: https://, or http:// to this machine itself, which is the
// only place from which anything can be believed without TLS. No user or password in it, which
// would be shown; no fragment.
[[nodiscard]] Result<std::string, std::string> list_address(std::string_view text);
// The host of a web address, without its port; an IPv6 address in its brackets.
[[nodiscard]] std::string_view host_of(std::string_view url);
// Of an address in its normal form: whether it is this machine itself.
[[nodiscard]] bool is_loopback(std::string_view address);

// A mail address for the envelope: local part, "@", domain; printable ASCII without blanks, quotes
// or brackets, at most 254 octets.
[[nodiscard]] Result<std::string, std::string> mail_address(std::string_view text);

// "smtp://host:587" or "smtps://host:465"; these ports are added where none is given. IPv6
// addresses stand in brackets, other hosts do not.
[[nodiscard]] Result<std::string, std::string> mail_server(std::string_view text);

// A word for labels and logs: letters, digits, '.', '_', '-', 1 to 64.
[[nodiscard]] Result<std::string, std::string> label_value(std::string_view text);
// The name of a Prometheus label: letters, digits, '_', no digit first, not "__" first.
[[nodiscard]] Result<std::string, std::string> label_name(std::string_view text);
// A host as browsers name it: a name of one label or more, or an IPv4 address; lower case, no port.
[[nodiscard]] Result<std::string, std::string> web_host(std::string_view text);
// Any text in UTF-8 without control characters, at most 256 octets.
[[nodiscard]] Result<std::string, std::string> printable_text(std::string_view text);

}  // namespace config

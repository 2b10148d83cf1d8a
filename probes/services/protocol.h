#pragma once

#include <optional>
#include <string_view>

#include "config/config.h"

// PURE
// The words of the protocols: what a line of a server means at that point of the talk.
namespace probes::services {

// What a line of a reply is.
enum class Line {
  more,     // others follow
  good,     // the last one, and the server agrees
  refused,  // the last one: NO, BAD, -ERR, BYE
  strange,  // no line of this protocol
};

// One exchange of a protocol. `command` is said with the line end behind it; empty: nothing is, the
// server speaks first.
struct Exchange {
  std::string_view command;
  std::string_view tag;        // IMAP's
  bool is_multi_line = false;  // POP3: what comes behind "+OK" ends with "."
};

// How TLS is come to by that protocol.
struct Protocol {
  Exchange greeting;
  // Asks what the server can do; nothing where the greeting has said it already.
  std::optional<Exchange> capabilities;
  Exchange starttls;
  Exchange under_tls;  // does no harm, and makes the server talk
  std::string_view goodbye;
};

// Of imap, pop3, sieve.
[[nodiscard]] const Protocol& protocol_of(config::Starttls starttls);

// `is_first`: the first line of the exchange.
[[nodiscard]] Line read_line(config::Starttls starttls, const Exchange& exchange,
                             std::string_view line, bool is_first);

// Whether the line, of the greeting or of the capabilities, offers STARTTLS.
[[nodiscard]] bool offers_starttls(config::Starttls starttls, std::string_view line);

// Where TLS began at once nothing says which protocol is spoken: the greeting does. Nothing for one
// that is none of SMTP, IMAP, POP3, ManageSieve.
struct Greeting {
  config::Starttls protocol = config::Starttls::none;
  Line line = Line::strange;
  std::string_view goodbye;
};
[[nodiscard]] std::optional<Greeting> read_greeting(std::string_view line);

}  // namespace probes::services

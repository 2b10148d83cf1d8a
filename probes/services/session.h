#pragma once

#include <cstdint>
#include <string>

#include "config/config.h"
#include "config/time.h"
#include "probes/smtp/session.h"
#include "probes/tls/handshake.h"

// Sessions with services that mail programs use, as they come to TLS there: by a command of IMAP
// (RFC 9051 §6.2.1), POP3 (RFC 2595 §4) or ManageSieve (RFC 5804 §2.2), or at once (RFC 8314 §3).
// Submission with STARTTLS is SMTP: see smtp/session.h.
namespace probes::services {

struct ServicePlan {
  std::string address;  // IPv4 or IPv6 text
  std::uint16_t port = 0;
  config::Starttls starttls = config::Starttls::none;  // not smtp
  std::string server_name;                             // for SNI
  tls::KeyType key_type = tls::KeyType::by_default;
};

// Connect, greeting, capabilities, STARTTLS, TLS, a harmless command, goodbye: nobody logs in. The
// stages are those of SMTP, `ehlo` being the question for capabilities; where TLS begins at once,
// banner, ehlo and starttls are passed over. STARTTLS is never said unless offered. Always returns
// by the deadline, with whatever it has seen. What the server refused with stands in `detail`, its
// greeting in `banner`, as received; `last_reply`, which is SMTP's, stays empty.
[[nodiscard]] smtp::SessionRecord run_session(const ServicePlan& plan, tls::Client& client,
                                              config::Deadline deadline);

}  // namespace probes::services

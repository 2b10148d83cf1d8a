#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/config.h"
#include "config/result.h"

// PURE
// Services that are watched by themselves, without a mail domain or an MX record in front of them:
// submission, IMAP, POP3, ManageSieve. Among the domains one is called by host and port,
// "imap.example.org:993": a name that no domain and no MX record can have.
namespace config {

struct ServiceName {
  std::string host;  // A-label form
  std::uint16_t port = 0;
};

[[nodiscard]] std::string service_name(std::string_view host, std::uint16_t port);

// As in the configuration.
inline constexpr auto kStarttls =
    std::to_array<std::pair<std::string_view, Starttls>>({{"smtp", Starttls::smtp},
                                                          {"imap", Starttls::imap},
                                                          {"pop3", Starttls::pop3},
                                                          {"sieve", Starttls::sieve},
                                                          {"none", Starttls::none}});

// Nothing when it is no name of a service in the form of service_name().
[[nodiscard]] std::optional<ServiceName> service_called(std::string_view name);

// How TLS usually begins at that port (RFC 8314 §3, §7; RFC 5804 §1.1): at once where no protocol
// is known for it.
[[nodiscard]] Starttls usual_starttls(std::uint16_t port);

// The port at which the protocol usually is spoken; nothing for `none`, which says no protocol.
[[nodiscard]] std::optional<std::uint16_t> usual_port(Starttls starttls);

// Empty where it is none of them.
[[nodiscard]] std::string_view wire_name(Starttls starttls);

// What an operator writes who means something watched: a mail domain as normal_domain() has it, or
// a service as "HOST:PORT".
[[nodiscard]] Result<std::string, std::string> target_name(std::string_view text);

}  // namespace config

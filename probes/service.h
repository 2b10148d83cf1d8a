#pragma once

#include <cstdint>
#include <optional>

#include "probes/dns/name.h"

// PURE
// Services without MX in front, among the names of targets: "imap.example.org:993"
// (config/service.h). One is followed as a domain whose only host has the same name.
namespace probes {

struct ServiceTarget {
  dns::Name host;
  std::uint16_t port = 0;
};

// The service that is meant by the name of a domain or host; nothing where one of those is meant. A
// name with a colon is no host's, so that no MX record leads there (exchange.h).
[[nodiscard]] std::optional<ServiceTarget> service_in(const dns::Name& target);

[[nodiscard]] bool is_service(const dns::Name& target);

// By which name DNS and certificates know the target: that of the service's host, or its own.
[[nodiscard]] dns::Name dns_name_of(const dns::Name& target);

}  // namespace probes

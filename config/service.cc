#include "config/service.h"

#include <charconv>

#include <fmt/format.h>

#include "config/name.h"

namespace config {
namespace {

// Decimal, no sign, no zero in front.
std::optional<std::uint16_t> port_in(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || stop != end || port == 0 || text.front() == '0') return std::nullopt;
  return port;
}

}  // namespace

std::string service_name(std::string_view host, std::uint16_t port) {
  return fmt::format("{}:{}", host, port);
}

std::optional<ServiceName> service_called(std::string_view name) {
  const auto colon = name.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == name.size())
    return std::nullopt;
  const auto port = port_in(name.substr(colon + 1));
  if (!port || name.find(':') != colon) return std::nullopt;
  return ServiceName{.host = std::string(name.substr(0, colon)), .port = *port};
}

Starttls usual_starttls(std::uint16_t port) {
  switch (port) {
    case 25:
    case 587:
    case 2525:
      return Starttls::smtp;
    case 143:
      return Starttls::imap;
    case 110:
      return Starttls::pop3;
    case 4190:
      return Starttls::sieve;
    default:
      return Starttls::none;
  }
}

std::optional<std::uint16_t> usual_port(Starttls starttls) {
  switch (starttls) {
    case Starttls::smtp:
      return 587;
    case Starttls::imap:
      return 143;
    case Starttls::pop3:
      return 110;
    case Starttls::sieve:
      return 4190;
    case Starttls::none:
      break;
  }
  return std::nullopt;
}

std::string_view wire_name(Starttls starttls) {
  for (const auto& [name, one] : kStarttls) {
    if (one == starttls) return name;
  }
  return "";
}

Result<std::string, std::string> target_name(std::string_view text) {
  const auto service = service_called(text);
  if (!service) return normal_domain(text);
  auto host = normal_domain(service->host);
  if (!host) return host;
  return service_name(*host, service->port);
}

}  // namespace config

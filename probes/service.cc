#include "probes/service.h"

#include <string_view>

#include "config/service.h"

namespace probes {

bool is_service(const dns::Name& target) {
  return service_in(target).has_value();
}

std::optional<ServiceTarget> service_in(const dns::Name& target) {
  // Asked of every target again and again: most have none.
  if (target.wire().find(':') == std::string_view::npos) return std::nullopt;
  const auto called = config::service_called(target.text());
  auto host = called ? dns::Name::parse(called->host) : std::nullopt;
  if (!host) return std::nullopt;
  return ServiceTarget{.host = *std::move(host), .port = called->port};
}

dns::Name dns_name_of(const dns::Name& target) {
  const auto service = service_in(target);
  return service ? service->host : target;
}

}  // namespace probes

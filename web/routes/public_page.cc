#include "web/routes/public_page.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "web/routes/badge.h"
#include "web/routes/plain_page.h"

namespace web {
namespace {

using Json = nlohmann::ordered_json;

// Never by colour alone.
const char* sign_of(probes::Status status) {
  constexpr std::array<const char*, probes::kStatusCount> kSigns{"✓", "!", "✗", "?"};
  return kSigns[static_cast<std::size_t>(status)];
}

std::string headline(const std::vector<storage::DomainRow>& domains) {
  const auto count = [&](probes::Delivery delivery) {
    return static_cast<std::size_t>(std::ranges::count_if(
        domains, [&](const auto& domain) { return delivery_of(domain) == delivery; }));
  };
  const auto all = domains.size();
  if (count(probes::Delivery::fine) == all) return "Mail gets through securely.";
  if (const auto held_up = count(probes::Delivery::held_up); held_up > 0)
    return fmt::format("Mail does not arrive at {} of {} domains.", held_up, all);
  return fmt::format("Mail gets through securely at {} of {} domains.",
                     count(probes::Delivery::fine), all);
}

std::string when(const storage::DomainRow& domain) {
  return domain.observed_at ? config::rfc3339(*domain.observed_at) : "not yet";
}

}  // namespace

Reply public_page(const std::vector<storage::DomainRow>& domains) {
  auto body = fmt::format(
      "<h1>Does mail get through securely?</h1>\n<p class=\"lead\">{}</p>\n<table><thead><tr>"
      "<th scope=\"col\">Domain</th><th scope=\"col\">Status</th>"
      "<th scope=\"col\">Senders with DANE</th><th scope=\"col\">Last look</th></tr></thead>"
      "<tbody>\n",
      headline(domains));
  for (const auto& domain : domains) {
    // Names are A-labels, the other words our own: nothing in them needs to be escaped.
    body += fmt::format(
        "<tr><th scope=\"row\">{}</th><td><span class=\"mark {}\">{} {}</span></td><td>{}</td>"
        "<td>{}</td></tr>\n",
        domain.name, wire_name(domain.status), sign_of(domain.status), wire_name(domain.status),
        badge_of(domain.status, domain.verdict).message, when(domain));
  }
  return for_everybody({.content_type = "text/html; charset=utf-8",
                        .body = plain_page("Mail and DANE", "", body + "</tbody></table>")});
}

Reply public_json(const std::vector<storage::DomainRow>& domains) {
  Json items = Json::array();
  for (const auto& domain : domains) {
    items.push_back({{"domain", domain.name},
                     {"status", wire_name(domain.status)},
                     {"verdict", domain.verdict ? Json(*domain.verdict) : Json(nullptr)},
                     {"observed_at", time_or_null(domain.observed_at)}});
  }
  return for_everybody(json({{"items", items}, {"next", nullptr}}));
}

}  // namespace web

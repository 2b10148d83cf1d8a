#include "web/public_page.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "web/badge.h"
#include "web/plain_page.h"

namespace web {
namespace {

using Json = nlohmann::ordered_json;

// Never by colour alone.
const char* sign_of(probes::Status status) {
  constexpr std::array<const char*, probes::kStatusCount> kSigns{"✓", "!", "✗", "?"};
  return kSigns[static_cast<std::size_t>(status)];
}

std::string headline(const std::vector<storage::DomainRow>& domains) {
  const auto sound = std::ranges::count(domains, probes::Status::ok, &storage::DomainRow::status);
  if (static_cast<std::size_t>(sound) == domains.size()) return "Mail gets through securely.";
  return fmt::format("{} of {} domains are without a fault.", sound, domains.size());
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
                        .body = plain_page("Mail and DANE", "", body + "</tbody></table>"),
                        .handler = "/public"});
}

Reply public_json(const std::vector<storage::DomainRow>& domains) {
  Json items = Json::array();
  for (const auto& domain : domains) {
    items.push_back({{"domain", domain.name},
                     {"status", wire_name(domain.status)},
                     {"verdict", domain.verdict ? Json(*domain.verdict) : Json(nullptr)},
                     {"observed_at", time_or_null(domain.observed_at)}});
  }
  return for_everybody(json({{"items", items}, {"next", nullptr}}, "/public.json"));
}

}  // namespace web

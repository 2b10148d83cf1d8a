#include "web/routes/badge.h"

#include <fmt/format.h>

#include "probes/status.h"
#include "probes/verdict.h"

namespace web {
namespace {

using probes::Delivery;

constexpr int kLabelWidth = 42;

const char* colour_of(probes::Status look) {
  switch (look) {
    case probes::Status::critical:
      return "#b42318";
    case probes::Status::warning:
      return "#8a5a00";
    case probes::Status::ok:
      return "#0b6b3a";
    case probes::Status::unknown:
      return "#6941c6";
  }
  return "";
}

// The verdict, but where that is no word for everybody, or what caches hold makes it another.
std::string message_of(Delivery delivery, const std::optional<std::string>& verdict) {
  if (!verdict) return "not seen yet";
  const auto known = probes::verdict_from(*verdict);
  if (known == probes::Verdict::no_mail) return "takes no mail";
  const bool is_held_up_by_caches =
      delivery == Delivery::held_up && known && probes::is_deliverable(*known);
  return is_held_up_by_caches ? std::string(wire_name(delivery)) : *verdict;
}

}  // namespace

Reply for_everybody(Reply reply) {
  reply.headers["Cache-Control"] = "max-age=60";
  reply.headers["Cross-Origin-Resource-Policy"] = "cross-origin";
  return reply;
}

Badge badge_of(Delivery delivery, const std::optional<std::string>& verdict) {
  return {.message = message_of(delivery, verdict), .colour = colour_of(probes::look_of(delivery))};
}

Reply badge_svg(const Badge& badge) {
  // Verdana 11 px as most have it; textLength makes it fit where they do not.
  const auto text = 6.6 * static_cast<double>(badge.message.size());
  const auto right = text + 12;
  auto svg = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" width="{0:.0f}" height="20" role="img" aria-label="DANE: {3}">)"
      R"(<title>DANE: {3}</title><rect width="{1}" height="20" fill="#344054"/>)"
      R"(<rect x="{1}" width="{2:.0f}" height="20" fill="{4}"/>)"
      R"(<g fill="#ffffff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">)"
      R"(<text x="6" y="14" textLength="30">DANE</text>)"
      R"(<text x="{5}" y="14" textLength="{6:.0f}">{3}</text></g></svg>)"
      "\n",
      kLabelWidth + right, kLabelWidth, right, badge.message, badge.colour, kLabelWidth + 6, text);
  return for_everybody({.content_type = "image/svg+xml", .body = std::move(svg)});
}

Reply badge_json(const Badge& badge) {
  return for_everybody(json({{"schemaVersion", 1},
                             {"label", "DANE"},
                             {"message", badge.message},
                             {"color", badge.colour},
                             {"cacheSeconds", 60}}));
}

}  // namespace web

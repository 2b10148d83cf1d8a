#include "web/routes/badge.h"

#include <array>

#include <fmt/format.h>

namespace web {
namespace {

constexpr int kLabelWidth = 42;

}  // namespace

Reply for_everybody(Reply reply) {
  reply.headers["Cache-Control"] = "max-age=60";
  reply.headers["Cross-Origin-Resource-Policy"] = "cross-origin";
  return reply;
}

Badge badge_of(probes::Status status, const std::optional<std::string>& verdict) {
  constexpr std::array<const char*, probes::kStatusCount> kColours{"#0b6b3a", "#8a5a00", "#b42318",
                                                                   "#6941c6"};
  return {.message = verdict.value_or("not seen yet"),
          .colour = kColours[static_cast<std::size_t>(status)]};
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

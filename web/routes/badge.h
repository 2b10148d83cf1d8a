#pragma once

#include <optional>
#include <string>

#include "probes/status.h"
#include "web/http/http.h"

// PURE
namespace web {

// What a badge says of a domain: a word and a colour that means the same.
struct Badge {
  std::string message;
  std::string colour;  // "#rrggbb"; white text on it has a contrast of 5 or more
};

// By the words of the API; no verdict before the first look.
[[nodiscard]] Badge badge_of(probes::Delivery delivery, const std::optional<std::string>& verdict);

// Everybody may show it, on any page, and ask for it once a minute.
[[nodiscard]] Reply for_everybody(Reply reply);

// As a picture, for web pages.
[[nodiscard]] Reply badge_svg(const Badge& badge);
// As shields.io's endpoint badges have it (schemaVersion 1).
[[nodiscard]] Reply badge_json(const Badge& badge);

}  // namespace web

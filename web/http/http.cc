#include "web/http/http.h"

#include <algorithm>
#include <charconv>

#include "probes/explain.h"

namespace web {

using Json = nlohmann::ordered_json;

Reply json(const Json& value, int status) {
  return {.status = status,
          .body = value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

Json time_or_null(const std::optional<config::Time>& time) {
  return time ? Json(config::rfc3339(*time)) : Json(nullptr);
}

Reply text(std::string body, int status) {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .body = std::move(body)};
}

Reply problem(int status, std::string title, std::string detail) {
  const Json body{{"type", "about:blank"},
                  {"title", std::move(title)},
                  {"status", status},
                  {"detail", probes::printable(detail)}};
  return {.status = status,
          .content_type = kProblemType,
          .body = body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return text;
}

std::optional<std::size_t> number(const std::string& digits) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::optional<std::string> between(const std::string& path, std::string_view begin,
                                   std::string_view end) {
  if (!path.starts_with(begin) || !path.ends_with(end) || path.size() <= begin.size() + end.size())
    return std::nullopt;
  return path.substr(begin.size(), path.size() - begin.size() - end.size());
}

}  // namespace web

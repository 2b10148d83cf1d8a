#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "config/result.h"

// PURE
namespace config {

struct JsonBounds {
  int depth = 16;             // lists and objects in each other
  std::size_t values = 1000;  // about: members of lists and of objects, at any depth
};

// What of a JSON text is beyond the bounds: "nested too deeply", "too many values"; or nothing. Of
// what is no JSON at all it may say either.
[[nodiscard]] const char* beyond(std::string_view text, JsonBounds bounds);

// JSON of strangers, in time and memory that grow with its size and no faster. The library's own
// callbacks could bound it as well, but with them each object costs as much as the list that it
// stands in is long. The error is a phrase: what is beyond, or "not JSON".
template <typename Json = nlohmann::json>
[[nodiscard]] Result<Json, std::string> parse_json(std::string_view text, JsonBounds bounds) {
  if (const char* const fault = beyond(text, bounds); fault != nullptr)
    return Failure<std::string>(fault);
  auto json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return Failure<std::string>("not JSON");
  return json;
}

}  // namespace config

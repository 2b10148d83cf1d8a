#include "config/bounded_json.h"

namespace config {

// Strings are passed over.
const char* beyond(std::string_view text, JsonBounds bounds) {
  int depth = 0;
  std::size_t values = 1;
  bool is_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_string) {
      if (c == '\\') ++i;
      is_string = c != '"';
      continue;
    }
    is_string = c == '"';
    if (c == ']' || c == '}') --depth;
    if (c != '[' && c != '{' && c != ',') continue;
    if (c != ',' && ++depth > bounds.depth) return "nested too deeply";
    if (++values > bounds.values) return "too many values";
  }
  return nullptr;
}

}  // namespace config

#pragma once

#include <string>
#include <string_view>

namespace web {

// Files embedded in the program: the built page, and the description of the API.
[[nodiscard]] std::string_view page_html();
// What the page is made of. All ask for the others by a name that changes with their content, so
// that they may be kept for ever.
struct Asset {
  std::string name;          // "app.js"; pages that were opened before know it by that
  std::string lasting_name;  // "app.HASH.js"
  std::string body;
};
// By either name; null: there is none, or it is another version's.
[[nodiscard]] const Asset* page_asset(std::string_view name);
// web/openapi.json: the API as OpenAPI 3.1 describes it.
[[nodiscard]] std::string_view api_document();

}  // namespace web

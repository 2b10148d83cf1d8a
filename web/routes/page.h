#pragma once

#include <string>
#include <string_view>

namespace web {

// Files embedded in the program: the built page, and the description of the API. The page asks for
// the others under names that change with them, so that they may be kept for ever.
[[nodiscard]] std::string_view page_html();
[[nodiscard]] std::string_view page_script();
[[nodiscard]] std::string_view page_style();
// What stands in these names: "app.HASH.js", "app.HASH.css".
[[nodiscard]] const std::string& script_hash();
[[nodiscard]] const std::string& style_hash();
// web/openapi.json: the API as OpenAPI 3.1 describes it.
[[nodiscard]] std::string_view api_document();

}  // namespace web

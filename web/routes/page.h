#pragma once

#include <string_view>

namespace web {

// Files embedded in the program: the built page, and the description of the API.
[[nodiscard]] std::string_view page_html();
[[nodiscard]] std::string_view page_script();
[[nodiscard]] std::string_view page_style();
// web/openapi.json: the API as OpenAPI 3.1 describes it.
[[nodiscard]] std::string_view api_document();

}  // namespace web

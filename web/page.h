#pragma once

#include <string_view>

namespace web {

// The built page, embedded in the program.
[[nodiscard]] std::string_view page_html();
[[nodiscard]] std::string_view page_script();
[[nodiscard]] std::string_view page_style();

}  // namespace web

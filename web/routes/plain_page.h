#pragma once

#include <string>
#include <string_view>

// PURE
namespace web {

// A document of its own, without script. `root`: how it comes from there to the page's root, "" or
// "../"; `title` and `main` are HTML.
[[nodiscard]] std::string plain_page(std::string_view title, std::string_view root,
                                     std::string_view main);

}  // namespace web

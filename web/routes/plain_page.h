#pragma once

#include <string>
#include <string_view>

// PURE
namespace web {

// A document of its own, without script. `root`: how it comes from there to the page's root, "" or
// "../"; `title` and `main` are HTML; `style`: a style sheet more, from the page's root.
[[nodiscard]] std::string plain_page(std::string_view title, std::string_view root,
                                     std::string_view main, std::string_view style = {});

// The text as HTML and XML have it.
[[nodiscard]] std::string escaped_html(std::string_view text);

}  // namespace web

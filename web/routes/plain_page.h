#pragma once

#include <string>
#include <string_view>

// PURE
namespace web {

// A document of its own, without a script unless `head` has one. `root`: how it comes from there to
// the page's root, "" or
// "../"; `title`, `main` and `head`, which goes to the end of the head, are HTML.
[[nodiscard]] std::string plain_page(std::string_view title, std::string_view root,
                                     std::string_view main, std::string_view head = {});

// The text as HTML and XML have it.
[[nodiscard]] std::string escaped_html(std::string_view text);

}  // namespace web

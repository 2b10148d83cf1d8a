#include "web/routes/plain_page.h"

#include <fmt/format.h>

#include "web/routes/page.h"

namespace web {

std::string plain_page(std::string_view title, std::string_view root, std::string_view main,
                       std::string_view head) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>{}</title>"
      "<link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"{}assets/{}\">"
      "{}</head>\n<body><main>{}</main></body></html>\n",
      title, root, page_asset("app.css")->lasting_name, head, main);
}

std::string escaped_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace web

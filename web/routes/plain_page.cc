#include "web/routes/plain_page.h"

#include <fmt/format.h>

namespace web {

std::string plain_page(std::string_view title, std::string_view root, std::string_view main) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>{}</title>"
      "<link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"{}assets/app.css\">"
      "</head>\n<body><main>{}</main></body></html>\n",
      title, root, main);
}

}  // namespace web

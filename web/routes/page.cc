#include "web/routes/page.h"

#include <cstddef>

// Laid down by the assembler, see web/CMakeLists.txt.
extern "C" {
extern const char danelaw_page_html[], danelaw_page_html_end[];
extern const char danelaw_page_js[], danelaw_page_js_end[];
extern const char danelaw_page_css[], danelaw_page_css_end[];
extern const char danelaw_openapi[], danelaw_openapi_end[];
}

namespace web {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::string_view page_html() {
  return between(danelaw_page_html, danelaw_page_html_end);
}
std::string_view page_script() {
  return between(danelaw_page_js, danelaw_page_js_end);
}
std::string_view page_style() {
  return between(danelaw_page_css, danelaw_page_css_end);
}
std::string_view api_document() {
  return between(danelaw_openapi, danelaw_openapi_end);
}

}  // namespace web

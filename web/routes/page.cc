#include "web/routes/page.h"

#include <cstddef>
#include <cstdint>

#include <fmt/format.h>

#include "probes/dane/tlsa.h"
#include "probes/tls/certificate.h"

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

std::string hash_of(std::string_view file) {
  const auto* octets = reinterpret_cast<const std::uint8_t*>(file.data());
  const auto digest = probes::tls::digest(probes::tls::Digest::sha256, {octets, file.size()});
  return probes::dane::to_hex(digest).substr(0, 16);
}

std::string replaced(std::string text, std::string_view what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

// Step by step: as one expression that makes a static, clang 16 ends a temporary twice (ASan).
std::string made_html() {
  std::string html{between(danelaw_page_html, danelaw_page_html_end)};
  const auto script = fmt::format("/assets/app.{}.js", script_hash());
  html = replaced(std::move(html), "/assets/app.js", script);
  const auto style = fmt::format("/assets/app.{}.css", style_hash());
  return replaced(std::move(html), "/assets/app.css", style);
}

}  // namespace

std::string_view page_html() {
  static const std::string html = made_html();
  return html;
}
const std::string& script_hash() {
  static const auto hash = hash_of(page_script());
  return hash;
}
const std::string& style_hash() {
  static const auto hash = hash_of(page_style());
  return hash;
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

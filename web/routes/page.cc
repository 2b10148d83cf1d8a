#include "web/routes/page.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "probes/dane/tlsa.h"
#include "probes/tls/certificate.h"
#include "web/routes/public_page.h"

// Laid down by the assembler, see web/CMakeLists.txt.
extern "C" {
extern const char danelaw_page_html[], danelaw_page_html_end[];
extern const char danelaw_page_app_js[], danelaw_page_app_js_end[];
extern const char danelaw_page_chunk_js[], danelaw_page_chunk_js_end[];
extern const char danelaw_page_views_js[], danelaw_page_views_js_end[];
extern const char danelaw_page_app_css[], danelaw_page_app_css_end[];
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

// What a file calls another one by, before and after.
std::string with_lasting_names(std::string text, const std::vector<Asset>& assets) {
  for (const auto& one : assets) {
    for (const auto* how : {"\"./{}\"", "\"/assets/{}\""})
      text = replaced(std::move(text), fmt::format(fmt::runtime(how), one.name),
                      fmt::format(fmt::runtime(how), one.lasting_name));
  }
  return text;
}

// Those that others ask for come first: their names are part of what the others' are made of.
std::vector<Asset> made_assets() {
  std::vector<Asset> out;
  const auto add = [&](const std::string& name, std::string_view content) {
    Asset made{
        .name = name, .lasting_name = {}, .body = with_lasting_names(std::string(content), out)};
    made.lasting_name = name;
    made.lasting_name.insert(name.rfind('.'), "." + hash_of(made.body));
    out.push_back(std::move(made));
  };
  add("chunk.js", between(danelaw_page_chunk_js, danelaw_page_chunk_js_end));
  add("views.js", between(danelaw_page_views_js, danelaw_page_views_js_end));
  add("app.js", between(danelaw_page_app_js, danelaw_page_app_js_end));
  add("app.css", between(danelaw_page_app_css, danelaw_page_app_css_end));
  add("public.css", public_style());
  add("public.js", public_script());
  return out;
}

const std::vector<Asset>& assets() {
  static const auto made = made_assets();
  return made;
}

}  // namespace

std::string_view page_html() {
  static const auto html =
      with_lasting_names(std::string(between(danelaw_page_html, danelaw_page_html_end)), assets());
  return html;
}

const Asset* page_asset(std::string_view name) {
  const auto found = std::ranges::find_if(
      assets(), [&](const Asset& one) { return one.name == name || one.lasting_name == name; });
  return found == assets().end() ? nullptr : &*found;
}

std::string_view api_document() {
  return between(danelaw_openapi, danelaw_openapi_end);
}

}  // namespace web

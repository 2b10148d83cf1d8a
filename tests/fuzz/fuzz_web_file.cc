// Any text is a web configuration file whose every value is one that the server can use, or a list
// of errors that point into the text, in one line each, and never show what stood in place of a
// hash.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "config/web_file.h"
#include "tests/fuzz/demand.h"

namespace {

using namespace config;
using fuzz::demand;

bool is_ascii_line(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

void check(const WebFile& file) {
  for (const auto& [name, hash] : file.users) {
    demand(!name.empty() && name.find(':') == std::string::npos, "a user can log in");
    demand(hash.size() == 60 && hash.starts_with("$2") && is_ascii_line(hash), "a hash is one");
  }
  for (const auto& [name, value] : file.headers)
    demand(is_ascii_line(name) && is_ascii_line(value) && !value.empty(), "a header is one line");
  if (!file.tls) return;
  demand(file.tls->cert_file.is_absolute() && file.tls->key_file.is_absolute(),
         "certificate and key are files");
  demand((file.tls->client_auth == Tls::ClientAuth::none) == file.tls->client_ca_file.empty(),
         "clients are verified with a CA, or not asked");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto file = parse_web_file(text, "/etc/danelaw/w");
  if (file) {
    check(*file);
    return 0;
  }
  demand(!file.error().empty(), "what is no such file has an error");
  auto before = std::pair{0, 0};
  for (const auto& error : file.error()) {
    demand(error.line >= 1 && error.column >= 1, "an error points into the text");
    demand(before <= std::pair{error.line, error.column}, "errors are in file order");
    demand(error.message.find('\n') == std::string::npos, "an error is one line");
    before = {error.line, error.column};
  }
  return 0;
}

#include "config/secret.h"

#include <fstream>

#include <fmt/format.h>

namespace config {

Result<std::string, std::string> read_secret(const std::filesystem::path& file) {
  constexpr std::size_t kMost = 64 * 1024;
  std::ifstream in(file, std::ios::binary);
  std::string out(kMost + 1, '\0');
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  if (in.bad() || !in.eof())
    return Failure<std::string>(fmt::format("{}: cannot be read, or is too long", file.string()));
  out.resize(static_cast<std::size_t>(in.gcount()));
  while (out.ends_with('\n') || out.ends_with('\r')) out.pop_back();
  if (out.empty()) return Failure<std::string>(fmt::format("{}: it is empty", file.string()));
  return out;
}

}  // namespace config

#include "config/secret.h"

#include <fmt/format.h>

#include "config/read_file.h"

namespace config {

Result<std::string, std::string> read_secret(const std::filesystem::path& file) {
  constexpr std::size_t kMost = 64 * 1024;
  auto out = read_file(file, kMost);
  if (!out) return Failure<std::string>(fmt::format("{}: {}", file.string(), out.error()));
  if (out->size() > kMost)
    return Failure<std::string>(fmt::format("{}: it is too long", file.string()));
  while (out->ends_with('\n') || out->ends_with('\r')) out->pop_back();
  if (out->empty()) return Failure<std::string>(fmt::format("{}: it is empty", file.string()));
  return out;
}

}  // namespace config

#include "agent/cli/command.h"

#include <iostream>

namespace agent {

std::optional<config::Config> load_or_complain(const std::filesystem::path& file,
                                               const config::LoadScope& scope) {
  auto loaded = config::load(file, scope);
  if (loaded) return std::move(*loaded);
  for (const auto& error : loaded.error()) std::cerr << config::to_string(error) << '\n';
  return std::nullopt;
}

}  // namespace agent

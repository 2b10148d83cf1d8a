#include "agent/cli/command.h"

#include <iostream>

#include "config/load.h"

namespace agent {

std::optional<config::Config> load_or_complain(const std::filesystem::path& file) {
  auto loaded = config::load(file);
  if (loaded) return std::move(*loaded);
  for (const auto& error : loaded.error()) std::cerr << config::to_string(error) << '\n';
  return std::nullopt;
}

}  // namespace agent

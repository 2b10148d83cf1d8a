#include "agent/watch/watched_words.h"

#include <fmt/format.h>

namespace agent {

std::string watched_words(std::size_t domains, std::size_t services) {
  const auto words = [](std::size_t count, const char* what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
  };
  if (services == 0) return words(domains, "domain");
  if (domains == 0) return words(services, "service");
  return words(domains, "domain") + " and " + words(services, "service");
}

}  // namespace agent

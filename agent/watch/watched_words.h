#pragma once

#include <cstddef>
#include <string>

// PURE
namespace agent {

// How much is watched: "4 domains and 2 services", "1 domain".
[[nodiscard]] std::string watched_words(std::size_t domains, std::size_t services);

}  // namespace agent

#pragma once

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace agent {

// The first word of a command line that names no command or option of `app`, with the nearest that
// there is: CLI11 complains of what is missing then, and not of what is wrong. `words` are those
// behind the program's name.
[[nodiscard]] std::optional<std::string> unknown_word(const CLI::App& app,
                                                      const std::vector<std::string>& words);

}  // namespace agent

#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "config/config.h"
#include "config/load.h"

namespace CLI {
class App;
}

namespace agent {

constexpr int kBadUsage = 3;  // of `check` and `gate`, where 1 and 2 are answers; and of danelaw

// A subcommand of danelaw. Functions named add_… declare one with its flags, in the words that
// --help, the man page and the completions show, and return it; help.h adds what stands below.
struct Command {
  CLI::App* app;  // of CLI11; owned by the App that it was added to
  std::function<int()>
      run;  // to be called once, after parsing, when it was chosen: the exit status
};

// The configuration in this file; nothing after writing every error of it to standard error.
[[nodiscard]] std::optional<config::Config> load_or_complain(const std::filesystem::path& file,
                                                             const config::LoadScope& scope = {});

// What commands beside the agent need of it: for checks, and for those that only read or write the
// database. Secrets may be handed to the agent alone.
[[nodiscard]] inline config::LoadScope for_checks() {
  return {.service = false};
}
[[nodiscard]] inline config::LoadScope for_storage() {
  return {.domains = false, .service = false};
}

}  // namespace agent

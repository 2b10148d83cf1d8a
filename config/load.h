#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/result.h"

namespace config {

// One thing wrong with a configuration file, and where. Line and column count from 1, the column in
// octets; line 0 means the file as a whole (it cannot be read).
struct LoadError {
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;  // one line; what the file said is quoted and escaped

  bool operator==(const LoadError&) const = default;
};

// "file:line:column: message"; "file: message" for the file as a whole.
[[nodiscard]] std::string to_string(const LoadError& error);

// Reads the YAML text of a configuration. On failure all errors, in file order (a text that is not
// YAML has one: where reading ended). Relative paths in it are taken from the folder of
// `file_name`, which is otherwise only used in errors. No path need exist yet. Resolvers stay empty
// where none are given. No anchors, aliases or tags, one document, at most 16 MiB: hostile text
// costs an error, nothing else. Domain lists and the web
// configuration file are named, not read.
[[nodiscard]] Result<Config, std::vector<LoadError>> parse(std::string_view text,
                                                           std::string_view file_name);

// What of a configuration somebody needs who is not the agent, and may read.
struct LoadScope {
  bool domains = true;  // the domain lists that it names
  // What only the running agent needs: the web configuration file, for its secrets may be at hand
  // to nobody else, and CAs of which certificates are expected.
  bool service = true;
  // Where a file is looked for that is named in it, with its whole path; null: there.
  std::function<std::string(const std::string& path)> place_of{};
};

// Reads the file, the domain lists and the web configuration file that it names; and refuses to let
// the web server be reached from other machines when nobody has to log in.
[[nodiscard]] Result<Config, std::vector<LoadError>> load(const std::filesystem::path& file,
                                                          const LoadScope& scope = {});

}  // namespace config

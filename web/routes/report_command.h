#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>

#include "config/config.h"

namespace CLI {
class App;
}

namespace web {

// `danelaw report`: from the database, whether the agent runs or not.
struct ReportFlags {
  std::filesystem::path config_file;  // empty: the defaults
  std::string month, from, until, group, role;
  std::string format = "text";
};

void add_report(CLI::App& app, ReportFlags& flags);

// 0, or 3 when the flags or the database cannot be read.
[[nodiscard]] int print_report(const config::Config& settings, const ReportFlags& flags,
                               config::Time now, std::ostream& out, std::ostream& errors);

}  // namespace web

#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "config/config.h"

namespace agent {

enum class Format { text, json, nagios };

// Exit status of `check` (as probes::Status) and `gate`, the same numbers as for Nagios plugins.
enum class Exit { ok = 0, warning = 1, critical = 2, unknown = 3 };

// Looks once at each domain (A-label form), without storage, several at a time, sharing MX hosts;
// writes one report a domain as soon as it is complete (nagios: one line for all of them at the
// end), and returns the worst exit status. Faults of our own go to `errors`, and on a terminal the
// progress over several domains. `record_to`: a folder into which every observation is written, as
// probes::encode() makes it, by its target's name; empty: none is.
[[nodiscard]] Exit check(const config::Config& config, const std::vector<std::string>& domains,
                         Format format, std::ostream& out, std::ostream& errors,
                         const std::filesystem::path& record_to = {});

}  // namespace agent

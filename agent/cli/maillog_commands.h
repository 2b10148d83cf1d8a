#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "agent/cli/command.h"
#include "config/config.h"

// What can be read from a Postfix log without an agent. Neither keeps anything.
namespace agent {

struct LogFiles {
  std::vector<std::filesystem::path> files;  // "-": standard input; gzip is understood
  std::optional<config::Time> since;         // what was delivered before does not count
  config::Time now;
};

// Prints the recipients' domains, those with most mail first, one a line: a file for
// `domain_lists`. A message counts once a domain, and only when it was delivered, for a mistyped
// domain is no partner. `least`: messages that a domain must have. 0, or 1 when a file cannot be
// read.
[[nodiscard]] int print_partners(const LogFiles& logs, std::uint64_t least, std::ostream& out,
                                 std::ostream& errors);

// Prints for each domain, and for the hosts that took its mail, how deliveries were protected and
// what held them up. `watched`: marks those that are not; null: nothing is known of that.
// 0, or 1 when a file cannot be read.
[[nodiscard]] int print_maillog(const LogFiles& logs, const std::optional<config::Config>& watched,
                                bool as_json, std::ostream& out, std::ostream& errors);

// `danelaw partners` and `danelaw maillog`.
[[nodiscard]] Command add_partners(CLI::App& app);
[[nodiscard]] Command add_maillog(CLI::App& app);

}  // namespace agent

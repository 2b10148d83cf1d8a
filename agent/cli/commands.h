#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "agent/cli/command.h"
#include "config/config.h"
#include "config/time.h"

// The small subcommands; `check`, `gate` and those about the database have files of their own,
// `run` is agent/main.cc.
namespace agent {

// What keeps an agent with these settings from starting, one sentence each.
using Obstacles = std::function<std::vector<std::string>(const config::Config&)>;

// Secrets as the agent's unit hands them over while it runs: SECRETS/NAME as HANDED/secrets_NAME
// (LoadCredential=secrets:SECRETS).
struct Credentials {
  std::filesystem::path handed{"/run/credentials/danelaw.service"};
  std::filesystem::path secrets{"/etc/danelaw/secrets"};
};

// Prints every error of the file, and every obstacle when it has none; 0 when there is nothing,
// else 1. While the unit does not run its credentials are looked at where it takes them from; where
// that may not be done either it says so, and that is no error.
[[nodiscard]] int check_config(const std::filesystem::path& file, const Obstacles& obstacles,
                               std::ostream& out, std::ostream& errors,
                               const Credentials& credentials = {});

// How a record is printed: its data alone, or with a host as a line of a zone file.
struct TlsaLine {
  std::string host;  // the TLSA base domain; empty: data alone
  std::uint16_t port = 25;
  config::Seconds ttl{3600};
};

// Prints the TLSA records that fit a file of certificates (probes/tls/certificate_file.h):
// DANE-EE(3) SPKI(1) SHA2-256(1) for the server's, DANE-TA(2) for those that issued it; or the
// first of these for a public or private key (a certificate for it may be asked for later). 0, or 1
// when the file holds neither, or more than one server's.
[[nodiscard]] int print_tlsa(const std::filesystem::path& file, const TlsaLine& line,
                             std::ostream& out, std::ostream& errors);

// Plays a file of schema danelaw.replay/1 ("-": standard input). 0, or 1 when it cannot be read.
[[nodiscard]] int print_replay(const std::filesystem::path& file, std::ostream& out,
                               std::ostream& errors);

// Each of these as a subcommand; what add_… returns and does is told in command.h.
[[nodiscard]] Command add_check_config(CLI::App& app, Obstacles obstacles);
[[nodiscard]] Command add_tlsa(CLI::App& app);
[[nodiscard]] Command add_replay(CLI::App& app);

}  // namespace agent

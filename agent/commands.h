#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>

// The small subcommands; `check` has a file of its own, `run` is agent/main.cc.
namespace agent {

// Prints every error of the file; 0 when there is none, else 1.
[[nodiscard]] int check_config(const std::filesystem::path& file, std::ostream& out,
                               std::ostream& errors);

// Prints the TLSA record data that fit the certificates of a PEM file: DANE-EE(3) SPKI(1)
// SHA2-256(1) for the first, DANE-TA(2) for those behind it. 0, or 1 when the file holds no
// certificate.
[[nodiscard]] int print_tlsa(const std::filesystem::path& file, std::ostream& out,
                             std::ostream& errors);

// Plays a file of schema danelaw.replay/1 ("-": standard input). 0, or 1 when it cannot be read.
[[nodiscard]] int print_replay(const std::filesystem::path& file, std::ostream& out,
                               std::ostream& errors);

}  // namespace agent

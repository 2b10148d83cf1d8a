#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>

#include "probes/tls/certificate_file.h"

namespace agent {

// Reads a file of certificates for a command ("-": standard input), and writes to `errors` what is
// odd about one that can be used: the server's certificate is not its first, or a CA in it has
// nothing to do with the chain. The error names the file and says what is wrong with it.
[[nodiscard]] config::Result<probes::tls::CertificateFile, std::string> read_certificates(
    const std::filesystem::path& file, std::ostream& errors);

}  // namespace agent

#include "agent/cli/certificate_input.h"

#include <array>
#include <cerrno>
#include <fstream>
#include <iostream>

#include <fmt/format.h>

#include "probes/explain.h"

namespace agent {
namespace {

using config::Failure;
using config::Result;
using probes::printable;
using probes::tls::CertificateFile;

// One octet more than a file of certificates may have: enough to be refused.
std::string read_bounded(std::istream& in) {
  std::string content;
  std::array<char, 65536> chunk{};
  while (in && content.size() <= probes::tls::kMaxCertificateFile) {
    in.read(chunk.data(), chunk.size());
    content.append(chunk.data(), static_cast<std::size_t>(in.gcount()));
  }
  return content;
}

Result<std::string, std::string> contents_of(const std::filesystem::path& file) {
  if (file == "-") return read_bounded(std::cin);
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  auto content = read_bounded(in);
  if (!in.is_open() || in.bad()) {
    return Failure<std::string>(
        fmt::format("cannot be read: {}", std::generic_category().message(errno)));
  }
  return content;
}

void remark(const std::string& name, const CertificateFile& read, std::ostream& errors) {
  if (!read.is_leaf_first) {
    errors << fmt::format(
        "{}: note: the certificate of the server ({}) is not the first in the file, as most "
        "servers want it\n",
        name, printable(read.chain.front()->subject));
  }
  for (const auto& stranger : read.strangers) {
    errors << fmt::format(
        "{}: note: {} is in the file, but issued no certificate of the chain; passed over\n", name,
        printable(stranger->subject));
  }
}

}  // namespace

Result<CertificateFile, std::string> read_certificates(const std::filesystem::path& file,
                                                       std::ostream& errors) {
  const auto name = file == "-" ? std::string("standard input") : printable(file.string());
  const auto octets = contents_of(file);
  if (!octets) return Failure<std::string>(fmt::format("{}: {}", name, octets.error()));
  auto read = probes::tls::read_certificate_file(*octets);
  if (!read) return Failure<std::string>(fmt::format("{}: {}", name, printable(read.error(), 500)));
  remark(name, *read, errors);
  return std::move(*read);
}

}  // namespace agent

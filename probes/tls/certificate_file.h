#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/result.h"
#include "probes/tls/certificate.h"

namespace probes::tls {

// What an operator's file of certificates holds. Servers, CAs and tools write such files in any
// order, so nothing here depends on it, except is_leaf_first.
struct CertificateFile {
  // The server's certificate, then those that issued it, the nearest first. Empty only when the
  // file holds a key and no certificate at all.
  std::vector<CertificatePtr> chain;
  // CA certificates that have issued nothing in the chain, in file order.
  std::vector<CertificatePtr> strangers;
  // Whether the first certificate of the file is the server's, as most servers want it. True for
  // PKCS#7, which has no order.
  bool is_leaf_first = true;
  // The SubjectPublicKeyInfo in DER of the one public or private key in the file, if it can be read
  // without a password.
  std::optional<Bytes> key;
};

inline constexpr std::size_t kMaxCertificateFile = std::size_t{1} << 20;  // octets

// Reads PEM (also with private keys, parameters and text among the certificates), DER, and PKCS#7
// in either form. The leaf is the certificate that issued no other one: by name and signature; CA
// certificates that belong to no leaf in the file are set apart. Everything else is refused, in
// words that say what the file holds and what to do: several leaves, certificates that issued each
// other, one that cannot be read (those behind it would move up a place), requests, locked keys,
// PKCS#12, text that is none of these.
[[nodiscard]] config::Result<CertificateFile, std::string> read_certificate_file(
    std::span<const std::uint8_t> octets);
[[nodiscard]] config::Result<CertificateFile, std::string> read_certificate_file(
    std::string_view octets);

}  // namespace probes::tls

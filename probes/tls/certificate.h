#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/mutex.h"
#include "config/time.h"

namespace probes::tls {

using Bytes = std::vector<std::uint8_t>;

// Which certificate a handshake is made to bring out, and of which kind a certificate's key is.
enum class KeyType {
  by_default,  // handshake: all signature algorithms offered. Certificate: none of the others
  rsa,
  ecdsa,
  eddsa,
};
[[nodiscard]] std::string_view wire_name(KeyType type);

// What we keep of one X.509 certificate. Texts come from outside: bounded, but to be escaped where
// shown.
struct Certificate {
  Bytes der;
  Bytes spki;            // DER of the SubjectPublicKeyInfo: what selector SPKI(1) speaks of
  Bytes sha256, sha512;  // of der
  Bytes spki_sha256, spki_sha512;  // of spki
  std::string subject, issuer;     // RFC 2253 form, at most kMaxNameText octets each
  config::Time not_before, not_after;
  std::vector<std::string> dns_names;      // SAN dNSName in order, at most kMaxNames
  std::optional<std::string> common_name;  // the last CN of the subject
  KeyType key_type = KeyType::by_default;
  int key_bits = 0;
  bool is_self_issued = false;  // issuer and subject are the same name
  bool cut = false;             // there were more names than we keep
};
using CertificatePtr = std::shared_ptr<const Certificate>;

inline constexpr std::size_t kMaxNameText = 1024;
inline constexpr std::size_t kMaxNames = 500;

// Nothing when the octets are not exactly one certificate with a key that OpenSSL can read.
[[nodiscard]] CertificatePtr parse_certificate(std::span<const std::uint8_t> der);
// Whether the octets are exactly one DER SubjectPublicKeyInfo.
[[nodiscard]] bool is_public_key(std::span<const std::uint8_t> der);

enum class Digest { sha256, sha512 };
[[nodiscard]] Bytes digest(Digest algorithm, std::span<const std::uint8_t> octets);

// Certificates already described, by the SHA-256 of their DER: a server shows the same one at every
// look. Shared by all threads; forgets everything when it holds too many.
class CertificateCache {
 public:
  [[nodiscard]] CertificatePtr find(const Bytes& sha256);
  void keep(const CertificatePtr& certificate);

 private:
  config::Mutex mutex_;
  std::unordered_map<std::string, CertificatePtr> kept_ GUARDED_BY(mutex_);
};

}  // namespace probes::tls

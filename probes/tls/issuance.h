#pragma once

#include <optional>

#include "probes/tls/certificate.h"

namespace probes::tls {

// What a CA did when it issued a certificate, apart from the octets that came of it: the
// precertificate of a log and the certificate itself are one issuance.
struct Issuance {
  Bytes id;                            // the same for both, and for no other certificate
  Bytes serial;                        // octets of the INTEGER, as in DER: big-endian, signed
  std::optional<Bytes> authority_key;  // keyIdentifier of the extension AuthorityKeyIdentifier
  // It has the poison extension (RFC 6962 §3.1): for logs only. No server presents it, and its
  // digests are not those of the certificate.
  bool is_precertificate = false;
};

// Nothing when its octets are no certificate.
[[nodiscard]] std::optional<Issuance> issuance_of(const Certificate& certificate);

// By name and signature. False, too, where the algorithm is none that OpenSSL can verify.
[[nodiscard]] bool has_issued(const Certificate& issuer, const Certificate& other);

}  // namespace probes::tls

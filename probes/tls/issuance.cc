#include "probes/tls/issuance.h"

#include <openssl/x509v3.h>

#include "probes/tls/x509.h"

namespace probes::tls {
namespace {

Bytes octets_of(const ASN1_STRING* text) {
  const auto* data = ASN1_STRING_get0_data(text);
  return {data, data + ASN1_STRING_length(text)};
}

// As i2c_ASN1_INTEGER() has it: a leading zero where the first bit would say "negative".
Bytes serial_of(const X509* x509) {
  auto out = octets_of(X509_get0_serialNumber(x509));
  if (!out.empty() && (out.front() & 0x80U) != 0) out.insert(out.begin(), 0);
  if (out.empty()) out.push_back(0);
  return out;
}

}  // namespace

std::optional<Issuance> issuance_of(const Certificate& certificate) {
  const auto x509 = read_x509(certificate.der);
  if (!x509) return std::nullopt;
  Issuance out{.serial = serial_of(x509.get())};
  if (const auto* key = X509_get0_authority_key_id(x509.get())) out.authority_key = octets_of(key);
  out.is_precertificate = X509_get_ext_by_NID(x509.get(), NID_ct_precert_poison, -1) >= 0;
  // Not the issuer's name: a precertificate may be signed by another (RFC 6962 §3.1). Serial
  // numbers hold 64 bits of chance at least, and no two CAs are given one key by accident.
  auto both = certificate.spki_sha256;
  both.insert(both.end(), out.serial.begin(), out.serial.end());
  out.id = digest(Digest::sha256, both);
  (void)drain_errors();
  return out;
}

bool has_issued(const Certificate& issuer, const Certificate& other) {
  if (issuer.subject != other.issuer) return false;
  const auto by = read_x509(issuer.der);
  const auto of = read_x509(other.der);
  const bool is_so = by && of && X509_verify(of.get(), X509_get0_pubkey(by.get())) == 1;
  (void)drain_errors();
  return is_so;
}

}  // namespace probes::tls

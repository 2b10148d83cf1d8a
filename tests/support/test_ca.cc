#include "tests/support/test_ca.h"

#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

namespace support {
namespace {

EVP_PKEY* pkey(const Key& key) {
  return static_cast<EVP_PKEY*>(key.handle());
}

void demand(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

void add_name(X509_NAME* subject, const char* type, const std::string& value) {
  if (value.empty()) return;
  X509_NAME_add_entry_by_txt(subject, type, MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(value.c_str()), -1, -1, 0);
}

void add_extension(X509* x509, X509V3_CTX* context, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, context, nid, value.c_str());
  demand(extension != nullptr, value.c_str());
  X509_add_ext(x509, extension, -1);
  X509_EXTENSION_free(extension);
}

// Random octets in the place of the signatures of certificate transparency logs.
void add_ballast(X509* x509, std::size_t size) {
  std::vector<unsigned char> octets(size);
  demand(RAND_bytes(octets.data(), static_cast<int>(size)) == 1, "RAND_bytes");
  std::unique_ptr<ASN1_OCTET_STRING, decltype(&ASN1_OCTET_STRING_free)> value{
      ASN1_OCTET_STRING_new(), ASN1_OCTET_STRING_free};
  ASN1_OCTET_STRING_set(value.get(), octets.data(), static_cast<int>(size));
  X509_EXTENSION* extension =
      X509_EXTENSION_create_by_NID(nullptr, NID_ct_precert_scts, 0, value.get());
  demand(extension != nullptr, "ballast");
  X509_add_ext(x509, extension, -1);
  X509_EXTENSION_free(extension);
}

Issued make(const CertificatePlan& plan, const Key& key, const Issued* issuer) {
  static int serial = 1;
  std::unique_ptr<X509, decltype(&X509_free)> x509{X509_new(), X509_free};
  X509_set_version(x509.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), serial++);
  const auto seconds = [](config::Time time) {
    return static_cast<std::time_t>(time.time_since_epoch().count());
  };
  ASN1_TIME_set(X509_getm_notBefore(x509.get()), seconds(plan.not_before));
  ASN1_TIME_set(X509_getm_notAfter(x509.get()), seconds(plan.not_after));
  X509_set_pubkey(x509.get(), pkey(key));
  auto* subject = X509_get_subject_name(x509.get());
  add_name(subject, "O", plan.organisation);
  add_name(subject, "CN", plan.common_name);
  std::unique_ptr<X509, decltype(&X509_free)> parent{nullptr, X509_free};
  if (issuer != nullptr) {
    const auto* at = issuer->certificate->der.data();
    parent.reset(d2i_X509(nullptr, &at, static_cast<long>(issuer->certificate->der.size())));
  }
  X509_set_issuer_name(x509.get(), parent ? X509_get_subject_name(parent.get()) : subject);
  X509V3_CTX context;
  X509V3_set_ctx(&context, parent ? parent.get() : x509.get(), x509.get(), nullptr, nullptr, 0);
  add_extension(x509.get(), &context, NID_basic_constraints,
                plan.is_ca ? "critical,CA:TRUE" : "CA:FALSE");
  if (plan.is_ca)
    add_extension(x509.get(), &context, NID_key_usage, "critical,keyCertSign,cRLSign");
  if (plan.permitted_dns)
    add_extension(x509.get(), &context, NID_name_constraints,
                  "critical,permitted;DNS:" + *plan.permitted_dns);
  std::string names;
  for (const auto& name : plan.dns_names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
  if (!names.empty()) add_extension(x509.get(), &context, NID_subject_alt_name, names);
  if (plan.ballast > 0) add_ballast(x509.get(), plan.ballast);
  EVP_PKEY* signer = issuer != nullptr ? pkey(issuer->key) : pkey(key);
  const EVP_MD* digest = EVP_PKEY_get_base_id(signer) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
  demand(X509_sign(x509.get(), signer, digest) > 0, "X509_sign");
  unsigned char* der = nullptr;
  const int size = i2d_X509(x509.get(), &der);
  demand(size > 0, "i2d_X509");
  auto certificate = probes::tls::parse_certificate({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  demand(certificate != nullptr, "parse_certificate");
  return {.certificate = std::move(certificate), .key = key};
}

}  // namespace

Key::Key(void* handle)
    : handle_(handle, [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); }) {
  demand(handle != nullptr, "no key");
}
Key Key::ecdsa() {
  return Key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
}
Key Key::rsa(int bits) {
  return Key{EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(bits))};
}
Key Key::ed25519() {
  return Key{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
}

Issued self_signed(const CertificatePlan& plan, const Key& key) {
  return make(plan, key, nullptr);
}
Issued issue(const CertificatePlan& plan, const Key& key, const Issued& issuer) {
  return make(plan, key, &issuer);
}

}  // namespace support

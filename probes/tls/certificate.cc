#include "probes/tls/certificate.h"

#include <ctime>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "probes/tls/x509.h"

namespace probes::tls {
namespace {

using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;

std::string name_text(const X509_NAME* name) {
  const BioPtr out{BIO_new(BIO_s_mem())};
  X509_NAME_print_ex(out.get(), name, 0,
                     XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, std::min(static_cast<std::size_t>(size), kMaxNameText)};
}

std::optional<std::string> common_name_of(const X509_NAME* subject) {
  int last = -1;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) last = at;
  if (last < 0) return std::nullopt;
  const auto* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last));
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                     std::min(static_cast<std::size_t>(ASN1_STRING_length(value)), kMaxNameText));
}

void read_names(X509* x509, Certificate& out) {
  const NamesPtr names{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x509, NID_subject_alt_name, nullptr, nullptr))};
  if (!names) return;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    if (out.dns_names.size() >= kMaxNames) {
      out.cut = true;
      return;
    }
    out.dns_names.emplace_back(
        reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
        std::min(static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)), kMaxNameText));
  }
}

std::optional<config::Time> time_of(const ASN1_TIME* time) {
  std::tm utc{};
  if (ASN1_TIME_to_tm(time, &utc) != 1) return std::nullopt;
  return config::Time{config::Seconds{timegm(&utc)}};
}

KeyType key_type_of(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
      return KeyType::rsa;
    case EVP_PKEY_EC:
      return KeyType::ecdsa;
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448:
      return KeyType::eddsa;
    default:
      return KeyType::by_default;
  }
}

// DER of anything with an i2d function.
template <class T, class Encode>
Bytes encode(T* object, Encode i2d) {
  const int size = i2d(object, nullptr);
  if (size <= 0) return {};
  Bytes out(static_cast<std::size_t>(size));
  auto* end = out.data();
  i2d(object, &end);
  return out;
}

}  // namespace

std::string_view wire_name(KeyType type) {
  switch (type) {
    case KeyType::by_default:
      return "default";
    case KeyType::rsa:
      return "rsa";
    case KeyType::ecdsa:
      return "ecdsa";
    case KeyType::eddsa:
      return "eddsa";
  }
  return "";
}

Bytes digest(Digest algorithm, std::span<const std::uint8_t> octets) {
  Bytes out(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  EVP_Digest(octets.data(), octets.size(), out.data(), &size,
             algorithm == Digest::sha256 ? EVP_sha256() : EVP_sha512(), nullptr);
  out.resize(size);
  return out;
}

std::string drain_errors() {
  const unsigned long code = ERR_peek_error();
  std::string out;
  if (code != 0) {
    const char* reason = ERR_reason_error_string(code);
    out = reason != nullptr ? reason : "TLS error";
  }
  ERR_clear_error();
  return out;
}

X509Ptr read_x509(std::span<const std::uint8_t> der) {
  const auto* at = der.data();
  X509Ptr x509{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
  ERR_clear_error();
  if (!x509 || at != der.data() + der.size()) return nullptr;
  return x509;
}

CertificatePtr describe(X509* x509) {
  auto out = std::make_shared<Certificate>();
  out->der = encode(x509, i2d_X509);
  out->spki = encode(X509_get_X509_PUBKEY(x509), i2d_X509_PUBKEY);
  const auto* key = X509_get0_pubkey(x509);
  const auto from = time_of(X509_get0_notBefore(x509));
  const auto until = time_of(X509_get0_notAfter(x509));
  if (out->der.empty() || out->spki.empty() || key == nullptr || !from || !until) {
    ERR_clear_error();
    return nullptr;
  }
  out->sha256 = digest(Digest::sha256, out->der);
  out->sha512 = digest(Digest::sha512, out->der);
  out->spki_sha256 = digest(Digest::sha256, out->spki);
  out->spki_sha512 = digest(Digest::sha512, out->spki);
  out->subject = name_text(X509_get_subject_name(x509));
  out->issuer = name_text(X509_get_issuer_name(x509));
  out->not_before = *from;
  out->not_after = *until;
  out->common_name = common_name_of(X509_get_subject_name(x509));
  out->key_type = key_type_of(key);
  out->key_bits = EVP_PKEY_get_bits(key);
  out->is_self_issued = X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)) == 0;
  read_names(x509, *out);
  ERR_clear_error();
  return out;
}

CertificatePtr parse_certificate(std::span<const std::uint8_t> der) {
  const auto x509 = read_x509(der);
  return x509 ? describe(x509.get()) : nullptr;
}

bool is_public_key(std::span<const std::uint8_t> der) {
  const auto* at = der.data();
  const KeyPtr key{d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size()))};
  ERR_clear_error();
  return key != nullptr && at == der.data() + der.size();
}

CertificatePtr CertificateCache::find(const Bytes& sha256) {
  const config::Lock lock(mutex_);
  const auto kept = kept_.find(std::string(sha256.begin(), sha256.end()));
  return kept == kept_.end() ? nullptr : kept->second;
}

void CertificateCache::keep(const CertificatePtr& certificate) {
  constexpr std::size_t kMostKept = 50'000;
  const config::Lock lock(mutex_);
  if (kept_.size() >= kMostKept) kept_.clear();
  kept_.try_emplace(std::string(certificate->sha256.begin(), certificate->sha256.end()),
                    certificate);
}

}  // namespace probes::tls

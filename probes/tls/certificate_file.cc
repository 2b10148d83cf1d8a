#include "probes/tls/certificate_file.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>

#include "probes/tls/x509.h"

namespace probes::tls {
namespace {

using config::Failure;
using config::Result;
using Octets = std::span<const std::uint8_t>;
using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using Pkcs7Ptr = std::unique_ptr<PKCS7, FreeWith<PKCS7_free>>;

constexpr std::size_t kMaxCertificates = 100;  // each is held against each other

Failure<std::string> fails(std::string why) {
  return Failure<std::string>(std::move(why));
}

// One certificate: as OpenSSL has it, and our description.
struct Read {
  X509Ptr x509;
  CertificatePtr facts;
};

// Everything in a file, before anything is made of it.
struct Contents {
  std::vector<Read> certificates;  // in file order, none twice
  std::vector<Bytes> keys;         // SubjectPublicKeyInfo, none twice
  bool has_order = true;
  std::string other;  // what it holds beside, and is of no use here: the first of it
};

// An object of exactly these octets, by one of OpenSSL's d2i functions.
template <auto Free, class T>
std::unique_ptr<T, FreeWith<Free>> whole(Octets der, T* (*read)(T**, const unsigned char**, long)) {
  const auto* at = der.data();
  std::unique_ptr<T, FreeWith<Free>> object{read(nullptr, &at, static_cast<long>(der.size()))};
  ERR_clear_error();
  if (at != der.data() + der.size()) object.reset();
  return object;
}

bool add(Contents& contents, X509Ptr x509) {
  auto facts = x509 ? describe(x509.get()) : nullptr;
  if (!facts) return false;
  const bool is_known = std::ranges::any_of(
      contents.certificates, [&](const Read& one) { return one.facts->sha256 == facts->sha256; });
  if (!is_known) contents.certificates.push_back({std::move(x509), std::move(facts)});
  return true;
}

bool add(Contents& contents, const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  ERR_clear_error();
  if (size <= 0) return false;
  Bytes spki(der, der + size);
  OPENSSL_free(der);
  if (std::ranges::find(contents.keys, spki) == contents.keys.end())
    contents.keys.push_back(std::move(spki));
  return true;
}

void mention(Contents& contents, std::string_view what) {
  if (contents.other.empty()) contents.other = what;
}

constexpr std::string_view kRequest =
    "a certificate request: wait for the certificate, or ask for the record of its key: "
    "openssl req -in FILE -noout -pubkey | danelaw tlsa -";
constexpr std::string_view kLockedKey =
    "a private key with a password: the certificate will do, or the public key";

bool add_pkcs7(Contents& contents, Octets der) {
  const auto pkcs7 = whole<PKCS7_free>(der, d2i_PKCS7);
  if (!pkcs7) return false;
  const STACK_OF(X509)* certificates = nullptr;
  if (PKCS7_type_is_signed(pkcs7.get()) && pkcs7->d.sign != nullptr)
    certificates = pkcs7->d.sign->cert;
  for (int i = 0; i < sk_X509_num(certificates); ++i) {
    X509* one = sk_X509_value(certificates, i);
    X509_up_ref(one);
    if (!add(contents, X509Ptr{one})) return false;
  }
  if (sk_X509_num(certificates) <= 0) mention(contents, "PKCS#7 without certificates");
  contents.has_order = false;
  return true;
}

bool add_private_key(Contents& contents, Octets der) {
  const KeyPtr key{whole<EVP_PKEY_free, EVP_PKEY>(der, d2i_AutoPrivateKey)};
  return key && add(contents, key.get());
}

bool add_public_key(Contents& contents, Octets der) {
  const auto key = whole<EVP_PKEY_free, EVP_PKEY>(der, d2i_PUBKEY);
  return key && add(contents, key.get());
}

// ---- PEM

struct Block {
  std::string name;    // as "CERTIFICATE"
  std::string header;  // "Proc-Type: …", usually empty
  Bytes der;
};

// The next block; nothing at the end. The error: it is cut off or broken.
Result<std::optional<Block>, std::string> next_block(BIO* in) {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  ERR_clear_error();
  if (PEM_read_bio(in, &name, &header, &data, &size) != 1) {
    const auto why = ERR_peek_last_error();
    ERR_clear_error();
    if (ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE)
      return std::nullopt;
    return fails("cut off or broken");
  }
  Block out{.name = name, .header = header, .der = Bytes(data, data + size)};
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  return out;
}

// Whether it could be read, or need not be.
bool add_block(Contents& contents, const Block& block) {
  const std::string_view name = block.name;
  const bool is_locked = block.header.find("ENCRYPTED") != std::string::npos;
  if (name == PEM_STRING_X509 || name == PEM_STRING_X509_OLD)
    return !is_locked && add(contents, read_x509(block.der));
  if (name == PEM_STRING_X509_TRUSTED)  // with OpenSSL's own trust settings behind it
    return !is_locked && add(contents, whole<X509_free>(block.der, d2i_X509_AUX));
  if (name == PEM_STRING_PKCS7 || name == PEM_STRING_PKCS7_SIGNED || name == PEM_STRING_CMS)
    return add_pkcs7(contents, block.der);
  if (name == PEM_STRING_PUBLIC) return add_public_key(contents, block.der);
  if (name == PEM_STRING_PKCS8 || (name.ends_with("PRIVATE KEY") && is_locked)) {
    mention(contents, kLockedKey);
  } else if (name == "OPENSSH PRIVATE KEY") {
    mention(contents, "a key of OpenSSH, which no mail server uses");
  } else if (name.ends_with("PRIVATE KEY")) {
    // Beside a certificate it is not needed, and may be of a kind that OpenSSL does not know.
    if (!add_private_key(contents, block.der))
      mention(contents, "a private key that cannot be read");
  } else if (name == PEM_STRING_X509_REQ || name == PEM_STRING_X509_REQ_OLD) {
    mention(contents, kRequest);
  } else if (name == PEM_STRING_X509_CRL) {
    mention(contents, "a revocation list");
  }
  return true;
}

Result<Contents, std::string> from_pem(std::string_view pem) {
  Contents out;
  const BioPtr in{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  for (int number = 1;; ++number) {
    const auto block = next_block(in.get());
    if (!block) return fails(fmt::format("PEM block {} is {}", number, block.error()));
    if (!*block) break;
    if (!add_block(out, **block)) {
      return fails(fmt::format("PEM block {}, \"{}\", cannot be read", number, (*block)->name));
    }
    if (out.certificates.size() > kMaxCertificates) {
      return fails(
          fmt::format("more than {} certificates: name the file of one server", kMaxCertificates));
    }
  }
  return out;
}

// ---- DER

Result<Contents, std::string> from_der(Octets der) {
  Contents out;
  if (add(out, read_x509(der)) || add_pkcs7(out, der)) {
  } else if (whole<X509_REQ_free>(der, d2i_X509_REQ)) {
    mention(out, kRequest);
  } else if (whole<X509_CRL_free>(der, d2i_X509_CRL)) {
    mention(out, "a revocation list");
  } else if (whole<PKCS12_free>(der, d2i_PKCS12)) {
    mention(out, "PKCS#12: take the certificates out with openssl pkcs12 -in FILE -nokeys");
  } else if (add_public_key(out, der) || add_private_key(out, der)) {
  } else if (whole<X509_SIG_free>(der, d2i_X509_SIG)) {
    mention(out, kLockedKey);
  } else {
    return fails("neither PEM, nor a certificate in DER, nor PKCS#7");
  }
  if (out.certificates.size() > kMaxCertificates) {
    return fails(
        fmt::format("more than {} certificates: name the file of one server", kMaxCertificates));
  }
  return out;
}

// ---- which is the leaf

// By name and signature; by name alone where the algorithm is none that OpenSSL can verify.
bool has_issued(const Read& issuer, const Read& other) {
  if (X509_NAME_cmp(X509_get_subject_name(issuer.x509.get()),
                    X509_get_issuer_name(other.x509.get())) != 0)
    return false;
  const bool is_signed = X509_verify(other.x509.get(), X509_get0_pubkey(issuer.x509.get())) == 1;
  const bool is_verifiable =
      OBJ_find_sigid_algs(X509_get_signature_nid(other.x509.get()), nullptr, nullptr) == 1;
  const bool is_fitting =
      is_signed ||
      (!is_verifiable && X509_check_issued(issuer.x509.get(), other.x509.get()) == X509_V_OK);
  ERR_clear_error();
  return is_fitting;
}

// Surely no server's: the flag alone says little, since `openssl req -x509` sets it in everything
// it makes, servers' own certificates and those of home-made CAs included.
bool is_only_a_ca(const Read& one) {
  const bool is_ca = X509_check_ca(one.x509.get()) == 1;
  const auto usage = X509_get_key_usage(one.x509.get());  // all bits when it is not there
  ERR_clear_error();
  return is_ca && usage != UINT32_MAX && (usage & KU_KEY_CERT_SIGN) != 0 &&
         !one.facts->is_self_issued && one.facts->dns_names.empty();
}

std::string named(const Read& one) {
  return one.facts->subject.empty() ? "a certificate without a name"
                                    : fmt::format("\"{}\"", one.facts->subject);
}

// The places of the certificates, the leaf first and then, the nearest first, its issuers.
Result<std::vector<std::size_t>, std::string> order(const std::vector<Read>& all) {
  // issuers[i]: who issued certificate i, itself left out.
  std::vector<std::vector<std::size_t>> issuers(all.size());
  std::vector<bool> is_issuer(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < all.size(); ++j) {
      if (i == j || !has_issued(all[j], all[i])) continue;
      issuers[i].push_back(j);
      is_issuer[j] = true;
    }
  }
  std::vector<std::size_t> leaves;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!is_issuer[i]) leaves.push_back(i);
  }
  if (leaves.empty()) return fails("its certificates issued each other: none is a server's");
  if (leaves.size() > 1) std::erase_if(leaves, [&](std::size_t i) { return is_only_a_ca(all[i]); });
  if (leaves.empty()) return fails("only certificates of CAs that issued none of the others");
  if (leaves.size() > 1) {
    return fails(
        fmt::format("{} certificates in it issued none of the others, such as {} and {}, and only "
                    "one can be the server's: give one file for each",
                    leaves.size(), named(all[leaves[0]]), named(all[leaves[1]])));
  }
  auto places = leaves;
  for (std::size_t at = 0; at < places.size(); ++at) {
    for (const auto issuer : issuers[places[at]]) {
      if (std::ranges::find(places, issuer) == places.end()) places.push_back(issuer);
    }
  }
  return places;
}

Result<CertificateFile, std::string> arrange(const Contents& contents) {
  CertificateFile out;
  if (contents.keys.size() == 1) out.key = contents.keys.front();
  const auto& all = contents.certificates;
  if (all.empty()) {
    if (contents.keys.size() > 1)
      return fails("several keys and no certificate: give one file for each");
    if (out.key) return out;
    return fails(contents.other.empty() ? "no certificate in it"
                                        : "no certificate in it, but " + contents.other);
  }
  const auto places = order(all);
  if (!places) return fails(places.error());
  for (const auto place : *places) out.chain.push_back(all[place].facts);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (std::ranges::find(*places, i) == places->end()) out.strangers.push_back(all[i].facts);
  }
  out.is_leaf_first = !contents.has_order || places->front() == 0;
  return out;
}

// Base64 with white space, as somebody copies it from between the lines that PEM wants.
bool is_bare_base64(std::string_view text) {
  return text.starts_with("MI") && std::ranges::all_of(text, [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '+' || c == '/' || c == '=' || std::isspace(c) != 0;
         });
}

}  // namespace

Result<CertificateFile, std::string> read_certificate_file(std::string_view octets) {
  if (octets.size() > kMaxCertificateFile)
    return fails("larger than 1 MiB: no file of certificates is");
  if (octets.starts_with("\xef\xbb\xbf")) octets.remove_prefix(3);  // as Windows' editors write
  if (octets.empty()) return fails("it is empty");
  if (octets.starts_with("\xff\xfe") || octets.starts_with("\xfe\xff"))
    return fails("text in UTF-16: save it as ASCII or UTF-8");
  if (is_bare_base64(octets))
    return fails("base64 without the lines -----BEGIN CERTIFICATE----- and -----END …");
  const Octets der{reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size()};
  // A signature, or a name, may hold any octets.
  const bool is_pem =
      octets.find("-----BEGIN ") != std::string_view::npos && parse_certificate(der) == nullptr;
  const auto contents = is_pem ? from_pem(octets) : from_der(der);
  if (!contents) return fails(contents.error());
  return arrange(*contents);
}

Result<CertificateFile, std::string> read_certificate_file(Octets octets) {
  return read_certificate_file(
      std::string_view{reinterpret_cast<const char*>(octets.data()), octets.size()});
}

}  // namespace probes::tls

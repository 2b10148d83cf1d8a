// What a peer may show as a certificate, or publish as one, and what an operator's file of them may
// hold: DER, PEM text, PKCS#7, keys. What can be read is bounded and reads the same again.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <openssl/evp.h>

#include "probes/dane/usable.h"
#include "probes/tls/certificate_file.h"
#include "tests/fuzz/demand.h"

namespace {

using fuzz::demand;
using namespace probes::tls;

std::string armour(const Bytes& der) {
  std::vector<unsigned char> base64(der.size() * 4 / 3 + 8);
  const int size = EVP_EncodeBlock(base64.data(), der.data(), static_cast<int>(der.size()));
  std::string out = "-----BEGIN CERTIFICATE-----\n";
  for (int at = 0; at < size; ++at) {
    if (at != 0 && at % 64 == 0) out.push_back('\n');
    out.push_back(static_cast<char>(base64[static_cast<std::size_t>(at)]));
  }
  return out + "\n-----END CERTIFICATE-----\n";
}

void check(const Certificate& certificate) {
  demand(certificate.sha256 == digest(Digest::sha256, certificate.der) &&
             certificate.sha512 == digest(Digest::sha512, certificate.der) &&
             certificate.spki_sha256 == digest(Digest::sha256, certificate.spki) &&
             certificate.spki_sha512 == digest(Digest::sha512, certificate.spki),
         "digests are of what they say");
  demand(is_public_key(certificate.spki), "the key of a certificate is a public key");
  demand(!is_public_key(certificate.der), "a certificate is no public key");
  demand(!parse_certificate(certificate.spki), "a public key is no certificate");
  demand(certificate.subject.size() <= kMaxNameText && certificate.issuer.size() <= kMaxNameText,
         "names are bounded");
  demand(!certificate.common_name || certificate.common_name->size() <= kMaxNameText,
         "a common name is bounded");
  demand(certificate.dns_names.size() <= kMaxNames, "the number of names is bounded");
  demand(!certificate.cut || certificate.dns_names.size() == kMaxNames, "cut means full");
  for (const auto& name : certificate.dns_names)
    demand(name.size() <= kMaxNameText, "a DNS name is bounded");

  const auto again = parse_certificate(certificate.der);
  demand(again != nullptr, "what was read can be read again");
  demand(again->der == certificate.der && again->spki == certificate.spki &&
             again->subject == certificate.subject && again->issuer == certificate.issuer &&
             again->not_before == certificate.not_before &&
             again->not_after == certificate.not_after &&
             again->dns_names == certificate.dns_names &&
             again->common_name == certificate.common_name &&
             again->key_type == certificate.key_type && again->key_bits == certificate.key_bits &&
             again->is_self_issued == certificate.is_self_issued,
         "what was read reads the same again");
  const auto from_pem = read_certificate_file(armour(certificate.der));
  demand(from_pem && from_pem->chain.size() == 1 && from_pem->chain[0]->der == certificate.der,
         "its PEM text is itself");
}

// A file of certificates: what comes out does not depend on the order in it.
void check(const CertificateFile& file) {
  demand(!file.chain.empty() || (file.key && is_public_key(*file.key)), "a leaf or a key");
  demand(!file.chain.empty() || file.strangers.empty(), "no strangers without a chain");
  std::string backwards;
  for (const auto* certificates : {&file.chain, &file.strangers}) {
    for (const auto& one : *certificates) {
      check(*one);
      backwards.insert(0, armour(one->der));
    }
  }
  if (file.chain.empty()) return;
  const auto again = read_certificate_file(backwards);
  demand(again && again->chain.size() == file.chain.size() &&
             again->chain[0]->der == file.chain[0]->der &&
             again->strangers.size() == file.strangers.size(),
         "the order of a file does not matter");
  demand(again->is_leaf_first == (file.chain.size() + file.strangers.size() == 1),
         "the leaf is last in it now");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace probes::dane;
  const Bytes der(data, data + size);
  const auto certificate = parse_certificate(der);
  if (certificate) {
    check(*certificate);
    auto longer = der;
    longer.push_back(0);
    demand(!parse_certificate(longer), "an octet behind a certificate is not passed over");
  }
  const bool is_key = is_public_key(der);
  if (size != 0) {
    const TlsaRecord cert{.usage = kDaneEe, .selector = kCert, .matching_type = kFull, .data = der};
    demand(why_unusable(cert).has_value() == (certificate == nullptr),
           "3 0 0 is usable when its data is a certificate");
    const TlsaRecord spki{.usage = kDaneEe, .selector = kSpki, .matching_type = kFull, .data = der};
    demand(why_unusable(spki).has_value() != is_key, "3 1 0 is usable when its data is a key");
  }
  const auto file = read_certificate_file(std::span{data, size});
  if (file) check(*file);
  demand(file.has_value() || !file.error().empty(), "a refusal says why");
  demand(!certificate || (file && file->chain.size() == 1), "one certificate in DER is a file");
  return 0;
}

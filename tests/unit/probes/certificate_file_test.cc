#include "probes/tls/certificate_file.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "tests/support/test_ca.h"

namespace probes::tls {
namespace {

using support::Issued;
using support::Key;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string block(std::string_view name, const Bytes& der, std::string_view headers = "") {
  std::vector<unsigned char> base64(der.size() * 4 / 3 + 8);
  EVP_EncodeBlock(base64.data(), der.data(), static_cast<int>(der.size()));
  const std::string digits{reinterpret_cast<const char*>(base64.data())};
  std::string out = "-----BEGIN " + std::string{name} + "-----\n" + std::string{headers};
  for (std::size_t at = 0; at < digits.size(); at += 64) out += digits.substr(at, 64) + "\n";
  return out + "-----END " + std::string{name} + "-----\n";
}

std::string pem(const Issued& one) {
  return block("CERTIFICATE", one.certificate->der);
}

EVP_PKEY* handle(const Issued& one) {
  return static_cast<EVP_PKEY*>(one.key.handle());
}

// What a BIO function of OpenSSL writes.
std::string written(const std::function<int(BIO*)>& write) {
  BIO* out = BIO_new(BIO_s_mem());
  EXPECT_EQ(write(out), 1);
  char* data = nullptr;
  const auto size = static_cast<std::size_t>(BIO_get_mem_data(out, &data));
  std::string text(data, size);
  BIO_free(out);
  return text;
}

std::string private_key(const Issued& one, const char* password = nullptr) {
  return written([&](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, handle(one),
                                         password != nullptr ? EVP_aes_128_cbc() : nullptr,
                                         password, password != nullptr ? 1 : 0, nullptr, nullptr);
  });
}

std::string public_key(const Issued& one) {
  return block("PUBLIC KEY", one.certificate->spki);
}

std::string request(const Issued& one, bool as_der) {
  X509_REQ* made = X509_REQ_new();
  X509_REQ_set_pubkey(made, handle(one));
  X509_REQ_sign(made, handle(one), EVP_sha256());
  auto text = written([&](BIO* out) {
    return as_der ? i2d_X509_REQ_bio(out, made) : PEM_write_bio_X509_REQ(out, made);
  });
  X509_REQ_free(made);
  return text;
}

std::string pkcs7(const std::vector<const Issued*>& certificates, bool as_der) {
  PKCS7* made = PKCS7_new();
  PKCS7_set_type(made, NID_pkcs7_signed);
  PKCS7_content_new(made, NID_pkcs7_data);
  for (const auto* one : certificates) {
    const auto* at = one->certificate->der.data();
    X509* x509 = d2i_X509(nullptr, &at, static_cast<long>(one->certificate->der.size()));
    PKCS7_add_certificate(made, x509);
    X509_free(x509);
  }
  auto text = written(
      [&](BIO* out) { return as_der ? i2d_PKCS7_bio(out, made) : PEM_write_bio_PKCS7(out, made); });
  PKCS7_free(made);
  return text;
}

std::string pkcs12(const Issued& one) {
  const auto* at = one.certificate->der.data();
  X509* x509 = d2i_X509(nullptr, &at, static_cast<long>(one.certificate->der.size()));
  PKCS12* made = PKCS12_create("x", "x", handle(one), x509, nullptr, 0, 0, 0, 0, 0);
  auto text = written([&](BIO* out) { return i2d_PKCS12_bio(out, made); });
  PKCS12_free(made);
  X509_free(x509);
  return text;
}

std::string as_text(const Bytes& octets) {
  return {octets.begin(), octets.end()};
}

// A root, two intermediates and a leaf; another server of the same CA; and CAs of somebody else.
struct World {
  Issued root = support::self_signed({.common_name = "Root", .is_ca = true}, Key::ecdsa());
  Issued upper = support::issue({.common_name = "Upper", .is_ca = true}, Key::ecdsa(), root);
  Issued lower = support::issue({.common_name = "Lower", .is_ca = true}, Key::ecdsa(), upper);
  Issued leaf = support::issue({.common_name = "mx.example.org", .dns_names = {"mx.example.org"}},
                               Key::ecdsa(), lower);
  Issued other = support::issue(
      {.common_name = "mx2.example.org", .dns_names = {"mx2.example.org"}}, Key::rsa(1024), lower);
  Issued foreign_root =
      support::self_signed({.common_name = "Foreign", .is_ca = true}, Key::ecdsa());
  // The name of the issuer, but another key: what is left in the file after the CA changed it.
  Issued former =
      support::issue({.common_name = "Lower", .is_ca = true}, Key::ecdsa(), foreign_root);
  Issued alone =
      support::self_signed({.common_name = "mx.example.org", .is_ca = true}, Key::ecdsa());
};

const World& world() {
  static const World made;
  return made;
}

std::vector<std::string> names(const std::vector<CertificatePtr>& certificates) {
  std::vector<std::string> out;
  for (const auto& one : certificates) out.push_back(*one->common_name);
  return out;
}

TEST(CertificateFileReader, FindsTheLeafWhereverItStands) {
  const auto& w = world();
  const auto a = pem(w.leaf), b = pem(w.lower), c = pem(w.upper), d = pem(w.root);
  struct Row {
    std::string_view says;
    std::string text;
    bool is_leaf_first;
  };
  const Row rows[] = {
      {"as servers want it", a + b + c + d, true},
      {"the issuer first", b + a + c + d, false},
      {"backwards", d + c + b + a, false},
      {"the leaf in the middle", c + a + d + b, false},
      {"twice", a + a + b + c + d + b, true},
      {"with its key before it", private_key(w.leaf) + a + b + c + d, true},
      {"with text", "subject: x\n" + a + "\n# CAs:\n" + b + c + d + "end", true},
      {"with a byte order mark", "\xef\xbb\xbf" + a + b + c + d, true},
      {"PKCS#7 has no order", pkcs7({&w.root, &w.lower, &w.leaf, &w.upper}, false), true},
      {"PKCS#7 in DER", pkcs7({&w.upper, &w.lower, &w.root, &w.leaf}, true), true}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto read = read_certificate_file(row.text);
    ASSERT_TRUE(read) << read.error();
    EXPECT_THAT(names(read->chain), ElementsAre("mx.example.org", "Lower", "Upper", "Root"));
    EXPECT_THAT(read->strangers, IsEmpty());
    EXPECT_EQ(read->is_leaf_first, row.is_leaf_first);
  }
}

TEST(CertificateFileReader, OneCertificateIsTheLeafWhateverItIs) {
  const auto& w = world();
  for (const auto* one : {&w.leaf, &w.lower, &w.root, &w.alone}) {
    for (const auto& text : {pem(*one), as_text(one->certificate->der), pkcs7({one}, true)}) {
      const auto read = read_certificate_file(text);
      ASSERT_TRUE(read) << read.error();
      EXPECT_THAT(names(read->chain), ElementsAre(*one->certificate->common_name));
    }
  }
}

// A fuzzer's find: any octets may stand in a name, or in a signature.
TEST(CertificateFileReader, ACertificateInDerMayHoldTheWordsOfPem) {
  const auto odd =
      support::self_signed({.common_name = "-----BEGIN CERTIFICATE-----"}, Key::ecdsa());
  const auto read = read_certificate_file(as_text(odd.certificate->der));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->chain.size(), 1U);
}

TEST(CertificateFileReader, SetsCasApartThatBelongToNoLeaf) {
  const auto& w = world();
  for (const auto& text :
       {pem(w.leaf) + pem(w.former) + pem(w.lower), pem(w.former) + pem(w.lower) + pem(w.leaf)}) {
    const auto read = read_certificate_file(text);
    ASSERT_TRUE(read) << read.error();
    ASSERT_THAT(names(read->chain), ElementsAre("mx.example.org", "Lower"));
    EXPECT_EQ(read->chain[1]->der, w.lower.certificate->der) << "by signature, not by name";
    EXPECT_THAT(names(read->strangers), ElementsAre("Lower"));
  }
}

TEST(CertificateFileReader, SaysWhyItRefuses) {
  const auto& w = world();
  const auto locked = block("CERTIFICATE", w.leaf.certificate->der,
                            "Proc-Type: 4,ENCRYPTED\n"
                            "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n");
  const auto garbage = block("CERTIFICATE", Bytes{0, 0, 0});
  const auto a = pem(w.leaf);
  struct Row {
    std::string_view says;
    std::string text;
    std::string_view why;
  };
  const Row rows[] = {
      {"nothing", "", "it is empty"},
      {"text", "hello\n", "neither PEM"},
      {"two servers", a + pem(w.lower) + pem(w.other),
       "2 certificates in it issued none of the others, such as \"CN=mx.example.org\" and "
       "\"CN=mx2.example.org\""},
      {"two servers, PKCS#7", pkcs7({&w.other, &w.leaf, &w.lower}, true), "2 certificates"},
      {"two servers' own", pem(w.alone) + a, "2 certificates"},
      {"two servers with a key", private_key(w.leaf) + a + pem(w.other), "2 certificates"},
      {"a list of CAs", pem(w.root) + pem(w.foreign_root), "2 certificates"},
      {"CAs of nobody", pem(w.lower) + pem(w.former), "only certificates of CAs"},
      {"a request", request(w.leaf, false), "but a certificate request"},
      {"a request in DER", request(w.leaf, true), "but a certificate request"},
      {"a locked key", private_key(w.leaf, "x"), "but a private key with a password"},
      {"PKCS#12", pkcs12(w.leaf), "but PKCS#12"},
      {"two keys", public_key(w.leaf) + public_key(w.other), "several keys"},
      {"PKCS#7 of nothing", pkcs7({}, false), "but PKCS#7 without certificates"},
      {"base64 alone", a.substr(28, 200), "base64 without the lines"},
      {"UTF-16", std::string("\xff\xfe-\0-\0", 6), "UTF-16"},
      {"cut off", a.substr(0, a.size() - 30), "PEM block 1 is cut off or broken"},
      {"the second cut off", a + a.substr(0, a.size() - 30), "PEM block 2 is cut off or broken"},
      {"garbage first", garbage + a, "PEM block 1, \"CERTIFICATE\", cannot be read"},
      {"garbage behind", a + garbage, "PEM block 2, \"CERTIFICATE\", cannot be read"},
      {"nobody is asked for a password", locked, "PEM block 1, \"CERTIFICATE\", cannot be read"},
      {"an octet behind DER", as_text(w.leaf.certificate->der) + "\n", "neither PEM"},
      {"large", std::string(kMaxCertificateFile + 1, 'x'), "larger than 1 MiB"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto read = read_certificate_file(row.text);
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error(), HasSubstr(row.why));
  }
}

TEST(CertificateFileReader, CertificatesThatIssuedEachOtherHaveNoLeaf) {
  const auto one = support::self_signed({.common_name = "One", .is_ca = true}, Key::ecdsa());
  const auto two = support::self_signed({.common_name = "Two", .is_ca = true}, Key::ecdsa());
  const auto crossed_one = support::issue({.common_name = "One", .is_ca = true}, one.key, two);
  const auto crossed_two = support::issue({.common_name = "Two", .is_ca = true}, two.key, one);
  const auto read = read_certificate_file(pem(crossed_one) + pem(crossed_two));
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error(), HasSubstr("issued each other"));
}

TEST(CertificateFileReader, AKeyAloneIsAKeyAndNoCertificate) {
  const auto& w = world();
  Bytes spki = w.leaf.certificate->spki;
  for (const auto& text : {private_key(w.leaf), public_key(w.leaf), as_text(spki),
                           public_key(w.leaf) + private_key(w.leaf)}) {
    const auto read = read_certificate_file(text);
    ASSERT_TRUE(read) << read.error();
    EXPECT_THAT(read->chain, IsEmpty());
    EXPECT_EQ(read->key, spki);
  }
}

TEST(CertificateFileReader, ManyCertificatesAreRefusedBeforeTheyCostTime) {
  std::string text;
  for (int i = 0; i <= 100; ++i) {
    text += pem(support::self_signed({.common_name = std::to_string(i)}, world().root.key));
  }
  const auto read = read_certificate_file(text);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error(), HasSubstr("more than 100 certificates"));
}

}  // namespace
}  // namespace probes::tls

#include "probes/tls/certificate.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/dane/tlsa.h"
#include "probes/tls/certificate_file.h"
#include "tests/support/test_ca.h"

namespace probes::tls {
namespace {

using support::CertificatePlan;
using support::Key;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;
using testing::SizeIs;

// Made once: keys are slow to make.
const Key& key() {
  static const Key made = Key::ecdsa();
  return made;
}

Certificate made(const CertificatePlan& plan) {
  return *support::self_signed(plan, key()).certificate;
}

Bytes with(Bytes octets, std::uint8_t last) {
  octets.push_back(last);
  return octets;
}

TEST(Certificate, TellsWhatIsInIt) {
  const auto root = support::self_signed({.common_name = "Root", .is_ca = true}, key());
  const auto leaf = support::issue({.common_name = "mx.example.org",
                                    .dns_names = {"mx.example.org", "*.Example.net"},
                                    .not_before = config::Time{config::Seconds{1'500'000'001}},
                                    .not_after = config::Time{config::Seconds{2'500'000'002}}},
                                   Key::ecdsa(), root)
                        .certificate;
  EXPECT_EQ(leaf->subject, "CN=mx.example.org");
  EXPECT_EQ(leaf->issuer, "CN=Root");
  EXPECT_THAT(leaf->common_name, Optional(std::string{"mx.example.org"}));
  EXPECT_THAT(leaf->dns_names, ElementsAre("mx.example.org", "*.Example.net")) << "as they stand";
  EXPECT_EQ(leaf->not_before, config::Time{config::Seconds{1'500'000'001}});
  EXPECT_EQ(leaf->not_after, config::Time{config::Seconds{2'500'000'002}}) << "behind 2049";
  EXPECT_FALSE(leaf->is_self_issued);
  EXPECT_TRUE(root.certificate->is_self_issued);
  EXPECT_FALSE(leaf->cut);
}

TEST(Certificate, MayHaveNoNamesAtAll) {
  const auto certificate = made({});
  EXPECT_EQ(certificate.subject, "");
  EXPECT_FALSE(certificate.common_name);
  EXPECT_THAT(certificate.dns_names, IsEmpty());
}

TEST(Certificate, OfSeveralCommonNamesTheLastCounts) {
  // O = "a+b", CN = x, CN = y: our test CA gives only one name.
  const auto read = read_certificate_file(
      std::string_view{"-----BEGIN CERTIFICATE-----\n"
                       "MIIBYTCCAROgAwIBAgIUJq62Qof31G1Iq7tjHeUa7gFlWGkwBQYDK2VwMCYxDDAK\n"
                       "BgNVBAoMA2ErYjEKMAgGA1UEAwwBeDEKMAgGA1UEAwwBeTAeFw0yNjExMjQwMjAz\n"
                       "MjBaFw0zNjExMjEwMjAzMjBaMCYxDDAKBgNVBAoMA2ErYjEKMAgGA1UEAwwBeDEK\n"
                       "MAgGA1UEAwwBeTAqMAUGAytlcAMhACCWDrwDMssIeHyv6KFvN7InnRpR+0HRa+cz\n"
                       "1ZN3vNSPo1MwUTAdBgNVHQ4EFgQUf9IbTqkaGAPHzPsRol6SW2i3nigwHwYDVR0j\n"
                       "BBgwFoAUf9IbTqkaGAPHzPsRol6SW2i3nigwDwYDVR0TAQH/BAUwAwEB/zAFBgMr\n"
                       "ZXADQQD3pZ+Lc/0i8W21DPtm1wpPL4wUFH9b+5LszjWZCQP5mM6BztfYcaCiQi1n\n"
                       "G11POJDC0r6N2tRwr0I3yYQv3iEG\n"
                       "-----END CERTIFICATE-----\n"});
  ASSERT_TRUE(read);
  EXPECT_THAT(read->chain[0]->common_name, Optional(std::string{"y"}));
  EXPECT_EQ(read->chain[0]->subject, "CN=y,CN=x,O=a\\+b");
}

TEST(Certificate, SubjectsAreUtf8WithControlCharactersEscaped) {
  EXPECT_EQ(made({.common_name = "Müller\x1b\n"}).subject, "CN=Müller\\1B\\0A");
}

TEST(Certificate, TellsTheKindOfItsKey) {
  struct Row {
    std::string_view says;
    Key key;
    KeyType type;
    int bits;
  };
  const Row rows[] = {
      {"rsa", Key::rsa(1024), KeyType::rsa, 1024},
      {"ecdsa", Key::ecdsa(), KeyType::ecdsa, 256},
      {"eddsa", Key::ed25519(), KeyType::eddsa, 256},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto certificate = support::self_signed({.common_name = "x"}, row.key).certificate;
    EXPECT_EQ(certificate->key_type, row.type);
    EXPECT_EQ(certificate->key_bits, row.bits);
    EXPECT_EQ(wire_name(certificate->key_type), row.says);
  }
}

TEST(Certificate, DigestsAreOfTheWholeAndOfTheKey) {
  const auto certificate = made({.common_name = "x"});
  EXPECT_EQ(certificate.sha256, digest(Digest::sha256, certificate.der));
  EXPECT_EQ(certificate.sha512, digest(Digest::sha512, certificate.der));
  EXPECT_EQ(certificate.spki_sha256, digest(Digest::sha256, certificate.spki));
  EXPECT_EQ(certificate.spki_sha512, digest(Digest::sha512, certificate.spki));
  EXPECT_NE(std::ranges::search(certificate.der, certificate.spki).begin(), certificate.der.end())
      << "the key's DER is part of the certificate's";
}

TEST(Certificate, E38ANewOneWithTheSameKeyHasTheSameSpki) {
  const auto first = made({.common_name = "x"});
  const auto second = made({.common_name = "x"});
  EXPECT_NE(first.sha256, second.sha256);
  EXPECT_EQ(first.spki, second.spki);
  EXPECT_EQ(first.spki_sha256, second.spki_sha256);
}

TEST(Certificate, NamesAreBounded) {
  CertificatePlan plan{.common_name = "x"};
  for (std::size_t i = 0; i < kMaxNames; ++i)
    plan.dns_names.push_back("n" + std::to_string(i) + ".test");
  const auto full = made(plan);
  EXPECT_THAT(full.dns_names, SizeIs(kMaxNames));
  EXPECT_FALSE(full.cut);
  plan.dns_names.emplace_back("one.more.test");
  const auto more = made(plan);
  EXPECT_EQ(more.dns_names, full.dns_names);
  EXPECT_TRUE(more.cut);
}

TEST(Certificate, ALongNameIsCut) {
  const auto certificate = made({.dns_names = {std::string(kMaxNameText + 1, 'a'), "b.test"}});
  EXPECT_THAT(certificate.dns_names, ElementsAre(std::string(kMaxNameText, 'a'), "b.test"));
}

TEST(Certificate, NamesThatAreNotForHostsAreNoDnsNames) {
  // The test CA joins names by commas, so this is a list of three kinds.
  EXPECT_THAT(made({.dns_names = {"a.test,IP:192.0.2.1,email:x@b.test", "c.test"}}).dns_names,
              ElementsAre("a.test", "c.test"));
}

TEST(ParseCertificate, ReadsItsOwnDer) {
  const auto certificate = made({.common_name = "x", .dns_names = {"x.test"}});
  const auto again = parse_certificate(certificate.der);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->der, certificate.der);
  EXPECT_EQ(again->dns_names, certificate.dns_names);
}

TEST(ParseCertificate, RefusesWhatIsNotExactlyOneCertificate) {
  const auto certificate = made({.common_name = "x"});
  Bytes twice = certificate.der;
  twice.insert(twice.end(), certificate.der.begin(), certificate.der.end());
  EXPECT_FALSE(parse_certificate(Bytes{}));
  EXPECT_FALSE(parse_certificate(with(certificate.der, 0))) << "an octet too many";
  EXPECT_FALSE(parse_certificate(twice));
  EXPECT_FALSE(parse_certificate(certificate.spki));
  for (std::size_t size = 0; size < certificate.der.size(); ++size) {
    EXPECT_FALSE(parse_certificate({certificate.der.data(), size})) << size;
  }
}

TEST(IsPublicKey, IsExactlyOneSubjectPublicKeyInfo) {
  for (const auto& one : {Key::rsa(1024), Key::ecdsa(), Key::ed25519()}) {
    const auto certificate = support::self_signed({.common_name = "x"}, one).certificate;
    SCOPED_TRACE(wire_name(certificate->key_type));
    EXPECT_TRUE(is_public_key(certificate->spki));
    EXPECT_FALSE(is_public_key(with(certificate->spki, 0)));
    EXPECT_FALSE(is_public_key({certificate->spki.data(), certificate->spki.size() - 1}));
    EXPECT_FALSE(is_public_key(certificate->der));
    EXPECT_FALSE(is_public_key(certificate->spki_sha256));
  }
  EXPECT_FALSE(is_public_key(Bytes{}));
}

TEST(DigestOf, IsThatOfFips180) {
  // The digest of nothing is what a broken script publishes: D-21.
  EXPECT_EQ(dane::to_hex(digest(Digest::sha256, {})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(dane::to_hex(digest(Digest::sha256, Bytes{'a', 'b', 'c'})),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(dane::to_hex(digest(Digest::sha512, Bytes{'a', 'b', 'c'})),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(KeyTypeWords, AreOneEach) {
  EXPECT_EQ(wire_name(KeyType::by_default), "default");
  EXPECT_EQ(wire_name(KeyType::rsa), "rsa");
  EXPECT_EQ(wire_name(KeyType::ecdsa), "ecdsa");
  EXPECT_EQ(wire_name(KeyType::eddsa), "eddsa");
}

TEST(CertificateCache, FindsWhatItKeepsByItsSha256) {
  const auto certificate = parse_certificate(made({.common_name = "x"}).der);
  CertificateCache cache;
  EXPECT_FALSE(cache.find(certificate->sha256));
  cache.keep(certificate);
  EXPECT_EQ(cache.find(certificate->sha256), certificate);
  EXPECT_FALSE(cache.find(certificate->spki_sha256));
  EXPECT_FALSE(cache.find({}));
}

TEST(CertificateCache, KeepsTheFirstOfEqualCertificates) {
  const auto first = parse_certificate(made({.common_name = "x"}).der);
  const auto second = parse_certificate(first->der);
  CertificateCache cache;
  cache.keep(first);
  cache.keep(second);
  EXPECT_EQ(cache.find(first->sha256), first);
}

TEST(CertificateCache, ForgetsEverythingRatherThanGrowForEver) {
  CertificateCache cache;
  const auto numbered = [](std::uint32_t number) {
    auto certificate = std::make_shared<Certificate>();
    for (unsigned shift = 0; shift < 32; shift += 8)
      certificate->sha256.push_back(static_cast<std::uint8_t>(number >> shift));
    return certificate;
  };
  constexpr std::uint32_t many = 200'000;
  for (std::uint32_t i = 0; i < many; ++i) cache.keep(numbered(i));
  EXPECT_TRUE(cache.find(numbered(many - 1)->sha256)) << "the last is there";
  EXPECT_FALSE(cache.find(numbered(0)->sha256)) << "the first has gone";
}

}  // namespace
}  // namespace probes::tls

#include "probes/dns/validate.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "tests/support/scene.h"

// A zone of one key, which signs what a test wants, for whatever time.
namespace probes::dns {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using support::kNow;
using support::name;

constexpr std::uint8_t kEcdsaP256 = 13;

void put16(Bytes& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8U));
  out.push_back(static_cast<std::uint8_t>(value));
}
void put32(Bytes& out, std::int64_t value) {
  put16(out, static_cast<std::uint32_t>(value) >> 16U);
  put16(out, static_cast<std::uint32_t>(value) & 0xFFFFU);
}
void put(Bytes& out, std::string_view octets) {
  out.insert(out.end(), octets.begin(), octets.end());
}

class Zone {
 public:
  Zone() : key_(EVP_EC_gen("P-256"), EVP_PKEY_free) {
    std::size_t size = 0;
    Bytes point(65);
    EVP_PKEY_get_octet_string_param(key_.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(),
                                    &size);
    dnskey_ = {.owner = name("example"), .type = type::dnskey, .ttl = 3600, .data = {}};
    put16(dnskey_.data, 257);
    dnskey_.data.push_back(3);
    dnskey_.data.push_back(kEcdsaP256);
    dnskey_.data.insert(dnskey_.data.end(), point.begin() + 1, point.end());
  }

  const Record& dnskey() const { return dnskey_; }

  // The RRset with its signature. The records are in canonical order.
  Message sign(const Name& owner, std::uint16_t rtype, const std::vector<Bytes>& data,
               config::Time inception, config::Time expiration) const {
    Record sig{.owner = owner, .type = type::rrsig, .ttl = 3600, .data = {}};
    put16(sig.data, rtype);
    sig.data.push_back(kEcdsaP256);
    sig.data.push_back(static_cast<std::uint8_t>(owner.label_count()));
    put32(sig.data, 3600);
    put32(sig.data, expiration.time_since_epoch().count());
    put32(sig.data, inception.time_since_epoch().count());
    put16(sig.data, key_tag());
    put(sig.data, name("example").wire());
    Bytes text = sig.data;
    Message part{.question = owner,
                 .question_type = rtype,
                 .answer = {},
                 .authority = {},
                 .extended_errors = {}};
    for (const auto& one : data) {
      part.answer.push_back({.owner = owner, .type = rtype, .ttl = 3600, .data = one});
      put(text, owner.wire());
      put16(text, rtype);
      put16(text, 1);
      put32(text, 3600);
      put16(text, one.size());
      text.insert(text.end(), one.begin(), one.end());
    }
    const auto raw = signature(text);
    sig.data.insert(sig.data.end(), raw.begin(), raw.end());
    part.answer.push_back(sig);
    return part;
  }

 private:
  // RFC 4034, Appendix B.
  std::uint16_t key_tag() const {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < dnskey_.data.size(); ++i)
      sum += i % 2 == 0 ? std::uint32_t{dnskey_.data[i]} << 8U : dnskey_.data[i];
    return static_cast<std::uint16_t>(sum + (sum >> 16U));
  }

  // RFC 6605 §4: the two numbers, 32 octets each.
  Bytes signature(const Bytes& text) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    Bytes der(128);
    std::size_t size = der.size();
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
    EVP_DigestSign(context.get(), der.data(), &size, text.data(), text.size());
    const auto* begin = der.data();
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> both(
        d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(size)), ECDSA_SIG_free);
    Bytes out(64);
    BN_bn2binpad(ECDSA_SIG_get0_r(both.get()), out.data(), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(both.get()), out.data() + 32, 32);
    return out;
  }

  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  Record dnskey_;
};

const Zone& zone() {
  static const Zone one;
  return one;
}

Message tlsa(config::Time inception, config::Time expiration) {
  return zone().sign(name("_25._tcp.mx.example"), type::tlsa, {Bytes(35, 3)}, inception,
                     expiration);
}

Proof proof_of(const Message& part, config::Time at) {
  return prove(part, {}, {zone().dnskey()}, at);
}

TEST(Prove, TakesSignaturesInTheirTimeBothEndsIncluded) {
  const auto part = tlsa(kNow - days{7}, kNow + days{7});
  for (const auto at : {kNow - days{7}, kNow, kNow + days{7}}) {
    const auto proof = proof_of(part, at);
    EXPECT_EQ(proof.status, DnssecStatus::secure);
    EXPECT_FALSE(proof.needs_grace);
  }
}

TEST(Prove, RefusesWhatIsForged) {
  auto part = tlsa(kNow - days{7}, kNow + days{7});
  part.answer[0].data[4] ^= 1U;
  const auto proof = proof_of(part, kNow);
  EXPECT_EQ(proof.status, DnssecStatus::bogus);
  EXPECT_EQ(proof.cause, Cause::bogus);
  EXPECT_FALSE(proof.is_beyond_us);
}

// val-sig-skew-min and -max of Unbound: a tenth of the life, an hour to a day.
TEST(Prove, ForgivesWhatUnboundForgives) {
  struct Row {
    std::string_view says;
    seconds life, late;
    bool is_forgiven;
  };
  const Row rows[] = {
      {"half an hour", days{14}, minutes{30}, true},
      {"a day at most", days{14}, days{1}, true},
      {"and a second", days{14}, days{1} + seconds{1}, false},
      {"a tenth of two days", days{2}, seconds{17280}, true},
      {"and a second", days{2}, seconds{17281}, false},
      {"an hour at least", hours{1}, hours{1}, true},
      {"and a second", hours{1}, hours{1} + seconds{1}, false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto expired = proof_of(tlsa(kNow - row.late - row.life, kNow - row.late), kNow);
    const auto early = proof_of(tlsa(kNow + row.late, kNow + row.late + row.life), kNow);
    for (const auto& proof : {expired, early}) {
      EXPECT_EQ(proof.status, row.is_forgiven ? DnssecStatus::secure : DnssecStatus::bogus);
      EXPECT_EQ(proof.needs_grace, row.is_forgiven);
    }
    if (row.is_forgiven) continue;
    EXPECT_EQ(expired.cause, Cause::signature_expired);
    EXPECT_EQ(early.cause, Cause::signature_not_yet_valid);
  }
}

TEST(Prove, GraceSavesNothingThatIsForged) {
  auto part = tlsa(kNow - days{14}, kNow - minutes{30});
  part.answer[0].data[4] ^= 1U;
  EXPECT_EQ(proof_of(part, kNow).status, DnssecStatus::bogus);
}

// RFC 4034 §3.1.5: times are serial numbers.
TEST(Prove, KnowsTheTimesBeyond2038) {
  const config::Time turn{seconds{std::int64_t{1} << 31U}};
  const auto later = turn + days{365};
  const auto part = tlsa(later - days{7}, later + days{7});
  EXPECT_EQ(proof_of(part, later).status, DnssecStatus::secure);
  EXPECT_EQ(proof_of(part, later + days{30}).cause, Cause::signature_expired);
  EXPECT_EQ(proof_of(part, later - days{30}).cause, Cause::signature_not_yet_valid);
}

// libgetdns compares the two times of a signature as signed numbers.
TEST(Prove, LeavesASignatureAcrossTheTurnOf2038ToOthers) {
  const config::Time turn{seconds{std::int64_t{1} << 31U}};
  EXPECT_TRUE(proof_of(tlsa(kNow - days{7}, turn + days{700}), kNow).is_beyond_us);
}

// libgetdns leaves an octet unset where it compares the root's name.
TEST(Prove, LeavesANullMxBesideAnotherToOthers) {
  const Bytes null_mx{0, 10, 0};
  const Bytes mx{0, 10, 2, 'm', 'x', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0};
  const auto part =
      zone().sign(name("example"), type::mx, {null_mx, mx}, kNow - days{7}, kNow + days{7});
  const auto proof = proof_of(part, kNow);
  EXPECT_TRUE(proof.status == DnssecStatus::secure || proof.is_beyond_us);
}

}  // namespace
}  // namespace probes::dns

#include "probes/dane/usable.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

namespace probes::dane {

// For messages of failing tests.
inline void PrintTo(Unusable reason, std::ostream* out) {
  *out << wire_name(reason);
}

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Bytes octets(std::size_t count, std::uint8_t value = 7) {
  return Bytes(count, value);
}
Bytes certificate() {
  return support::Pki::get().leaf.certificate->der;
}
Bytes public_key() {
  return support::Pki::get().leaf.certificate->spki;
}
Bytes text(std::string_view of) {
  return {of.begin(), of.end()};
}
Bytes longer(Bytes data) {
  data.push_back(0);
  return data;
}
Bytes shorter(Bytes data) {
  data.pop_back();
  return data;
}

TEST(UsableTlsa, GoesByUsageSelectorMatchingTypeAndData) {
  struct Row {
    std::string_view says;
    TlsaRecord record;
    std::optional<Unusable> why;
  };
  const Row rows[] = {
      {"D-01: 3 1 1", {3, 1, 1, octets(32)}, {}},
      {"D-02: 3 0 1", {3, 0, 1, octets(32)}, {}},
      {"D-03: 3 1 2", {3, 1, 2, octets(64)}, {}},
      {"3 0 2", {3, 0, 2, octets(64)}, {}},
      {"D-04: 3 0 0 of a certificate", {3, 0, 0, certificate()}, {}},
      {"D-05: 3 1 0 of a public key", {3, 1, 0, public_key()}, {}},
      {"D-06: 2 0 1", {2, 0, 1, octets(32)}, {}},
      {"D-07: 2 1 1", {2, 1, 1, octets(32)}, {}},
      {"2 0 2", {2, 0, 2, octets(64)}, {}},
      {"2 1 2", {2, 1, 2, octets(64)}, {}},
      {"E-11: 2 0 0", {2, 0, 0, certificate()}, {}},
      {"E-12: 2 1 0", {2, 1, 0, public_key()}, {}},
      {"D-21: the digest of nothing is a digest", {3, 1, 1, octets(32, 0xe3)}, {}},

      {"D-08: PKIX-TA(0), RFC 7672 §3.1.3", {0, 0, 1, octets(32)}, Unusable::usage},
      {"D-09: PKIX-EE(1), RFC 7672 §3.1.3", {1, 1, 1, octets(32)}, Unusable::usage},
      {"D-13: usage 4", {4, 1, 1, octets(32)}, Unusable::usage},
      {"D-13: usage 255, private use", {255, 1, 1, octets(32)}, Unusable::usage},
      {"D-14: selector 2", {3, 2, 1, octets(32)}, Unusable::selector},
      {"selector 255, private use", {3, 255, 1, octets(32)}, Unusable::selector},
      {"D-15: matching type 3", {3, 1, 3, octets(32)}, Unusable::matching_type},
      {"D-15: matching type 255", {3, 1, 255, octets(32)}, Unusable::matching_type},

      {"D-16: SHA2-256 of 31 octets", {3, 1, 1, octets(31)}, Unusable::digest_length},
      {"SHA2-256 of 33 octets", {3, 1, 1, octets(33)}, Unusable::digest_length},
      {"SHA2-256 of 64 octets: digits, or SHA2-512",
       {3, 1, 1, octets(64)},
       Unusable::digest_length},
      {"SHA2-512 of 32 octets", {3, 1, 2, octets(32)}, Unusable::digest_length},
      {"SHA2-512 of 65 octets", {3, 1, 2, octets(65)}, Unusable::digest_length},
      {"SHA2-512 of 63 octets", {2, 0, 2, octets(63)}, Unusable::digest_length},
      {"D-20: 3 1 1 without data", {3, 1, 1, {}}, Unusable::empty},
      {"3 1 2 without data", {3, 1, 2, {}}, Unusable::empty},
      {"3 0 0 without data", {3, 0, 0, {}}, Unusable::empty},
      {"3 1 0 without data", {3, 1, 0, {}}, Unusable::empty},

      {"D-19: 3 0 0 that is no DER", {3, 0, 0, octets(200)}, Unusable::not_der},
      {"D-19: 2 0 0 that is no DER", {2, 0, 0, octets(200)}, Unusable::not_der},
      {"3 0 0 of a digest", {3, 0, 0, octets(32)}, Unusable::not_der},
      {"3 0 0 of a public key", {3, 0, 0, public_key()}, Unusable::not_der},
      {"3 0 0 with an octet too many", {3, 0, 0, longer(certificate())}, Unusable::not_der},
      {"3 0 0 with an octet too few", {3, 0, 0, shorter(certificate())}, Unusable::not_der},
      {"3 0 0 of PEM text", {3, 0, 0, text("-----BEGIN CERTIFICATE-----\n")}, Unusable::not_der},
      {"3 1 0 that is no DER", {3, 1, 0, octets(91)}, Unusable::not_der},
      {"3 1 0 of a certificate", {3, 1, 0, certificate()}, Unusable::not_der},
      {"3 1 0 with an octet too many", {3, 1, 0, longer(public_key())}, Unusable::not_der},
      {"3 1 0 with an octet too few", {3, 1, 0, shorter(public_key())}, Unusable::not_der},

      {"what is for somebody else is not looked into", {1, 1, 1, {}}, Unusable::usage},
      {"the selector is before the matching type", {3, 2, 3, {}}, Unusable::selector},
      {"an unknown matching type says nothing about data", {3, 1, 3, {}}, Unusable::matching_type},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    EXPECT_EQ(why_unusable(row.record), row.why);
    EXPECT_EQ(records_compared({row.record}, Digests::sha512_first).size(), row.why ? 0U : 1U);
  }
}

TEST(UsableTlsa, BrokenIsNotTheSameAsForSomebodyElse) {
  for (const auto reason : {Unusable::usage, Unusable::selector, Unusable::matching_type})
    EXPECT_FALSE(is_malformed(reason)) << wire_name(reason);
  for (const auto reason : {Unusable::digest_length, Unusable::empty, Unusable::not_der})
    EXPECT_TRUE(is_malformed(reason)) << wire_name(reason);
}

// Which of the records a sender compares, by their place.
std::vector<std::size_t> compared(const std::vector<TlsaRecord>& records,
                                  Digests digests = Digests::sha512_first) {
  return records_compared(records, digests);
}

const TlsaRecord ee_256{3, 1, 1, octets(32)};
const TlsaRecord ee_512{3, 1, 2, octets(64)};
const TlsaRecord ee_cert_256{3, 0, 1, octets(32)};
const TlsaRecord ee_cert_512{3, 0, 2, octets(64)};
const TlsaRecord ta_256{2, 1, 1, octets(32)};
const TlsaRecord ta_512{2, 1, 2, octets(64)};
const TlsaRecord pkix{1, 1, 1, octets(32)};

TlsaRecord ee_full() {
  return {3, 1, 0, public_key()};
}

TEST(DigestAgility, OnlyTheStrongestDigestIsCompared) {
  // RFC 7671 §9.
  EXPECT_THAT(compared({ee_256, ee_512}), ElementsAre(1));
  EXPECT_THAT(compared({ee_512, ee_256, ee_512, ee_256}), ElementsAre(0, 2));
  EXPECT_THAT(compared({ee_256, ee_256}), ElementsAre(0, 1));
}

TEST(DigestAgility, D27WhoKnowsOnlySha256ComparesThat) {
  EXPECT_THAT(compared({ee_256, ee_512}, Digests::sha256_only), ElementsAre(0));
  EXPECT_THAT(compared({ee_512}, Digests::sha256_only), IsEmpty());
}

TEST(DigestAgility, GoesByUsageAndSelector) {
  EXPECT_THAT(compared({ee_cert_512, ee_256}), ElementsAre(0, 1)) << "D-23";
  EXPECT_THAT(compared({ta_512, ee_256}), ElementsAre(0, 1)) << "D-24";
  EXPECT_THAT(compared({ta_512, ta_256, ee_256, ee_cert_256, ee_cert_512}), ElementsAre(0, 2, 4));
}

TEST(DigestAgility, D25FullIsNeverPassedOver) {
  EXPECT_THAT(compared({ee_512, ee_full()}), ElementsAre(0, 1));
  EXPECT_THAT(compared({ee_full(), ee_256, ee_512}), ElementsAre(0, 2));
  EXPECT_THAT(compared({ee_full(), ee_full()}), ElementsAre(0, 1));
}

TEST(DigestAgility, FullIsNoDigestAndDisplacesNone) {
  EXPECT_THAT(compared({ee_full(), ee_256}), ElementsAre(0, 1));
  EXPECT_THAT(compared({ee_full(), ee_512}, Digests::sha256_only), ElementsAre(0));
}

TEST(DigestAgility, WhatIsUnusableDisplacesNothing) {
  EXPECT_THAT(compared({TlsaRecord{3, 1, 2, octets(63)}, ee_256}), ElementsAre(1))
      << "D-18: a broken record of the stronger digest";
  EXPECT_THAT(compared({TlsaRecord{3, 1, 2, {}}, ee_256}), ElementsAre(1));
  EXPECT_THAT(compared({TlsaRecord{3, 1, 3, octets(64)}, ee_256}), ElementsAre(1))
      << "an unassigned matching type";
  EXPECT_THAT(compared({TlsaRecord{3, 1, 0, octets(9)}, ee_256}), ElementsAre(1))
      << "a broken full record";
  EXPECT_THAT(compared({pkix, ee_256}), ElementsAre(1)) << "D-11: usage 1 beside usage 3";
}

TEST(DigestAgility, OfNothingUsableNothingIsCompared) {
  EXPECT_THAT(compared({}), IsEmpty());
  EXPECT_THAT(compared({pkix, TlsaRecord{3, 1, 1, octets(31)}}), IsEmpty());
}

TEST(DigestAgility, D32KeepsTheOrderOfManyRecords) {
  std::vector<TlsaRecord> records;
  std::vector<std::size_t> want;
  for (std::size_t i = 0; i < 1000; ++i) {
    want.push_back(i);
    auto record = ee_256;
    record.data[0] = static_cast<std::uint8_t>(i % 256);
    record.data[1] = static_cast<std::uint8_t>(i / 256);
    records.push_back(record);
  }
  EXPECT_EQ(compared(records), want);
}

// Each row would leave senders of some kind without a record of the new key, or refusing the old
// one, if it were published otherwise.
TEST(UsableTlsa, AFurtherRecordIsPublishedInTheDigestsThatSendersCompare) {
  const TlsaRecord ee256{3, 1, 1, octets(32)}, ee512{3, 1, 2, octets(64)},
      ta512{2, 1, 2, octets(64)};
  struct Row {
    std::string_view says;
    std::vector<TlsaRecord> beside;
    std::vector<std::uint8_t> want;
  };
  const Row rows[] = {
      {"nothing: the one that all know", {}, {kSha256}},
      {"nothing of use", {{1, 1, 2, octets(64)}, {3, 1, 2, octets(32)}}, {kSha256}},
      {"SHA2-256", {ee256}, {kSha256}},
      {"SHA2-512: who knows only SHA2-256 compares none, and is to go on so", {ee512}, {kSha512}},
      {"both", {ee256, ee512}, {kSha256, kSha512}},
      {"SHA2-512 of another usage beside it", {ee256, ta512}, {kSha256}},
      {"SHA2-512 of another usage alone", {ta512}, {kSha512}},
      {"SHA2-512, and something for all", {ee512, {2, 0, 1, octets(32)}}, {kSha256, kSha512}},
      {"SHA2-512, and the whole key", {ee512, {3, 1, 0, public_key()}}, {kSha256, kSha512}},
  };
  for (const auto& row : rows) EXPECT_EQ(digests_beside(row.beside, 3, 1), row.want) << row.says;
}

}  // namespace
}  // namespace probes::dane

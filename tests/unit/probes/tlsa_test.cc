#include "probes/dane/tlsa.h"

#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace probes::dane {

// For messages of failing tests.
inline void PrintTo(const TlsaRecord& record, std::ostream* out) {
  *out << to_text(record);
}

namespace {

using testing::Eq;
using testing::Optional;

const TlsaRecord sample{
    .usage = 3, .selector = 1, .matching_type = 1, .data = {0x00, 0xab, 0xff, 0x12}};

TEST(Tlsa, RdataIsThreeFieldsAndData) {
  EXPECT_THAT(tlsa_from_wire(Bytes{3, 1, 1, 0x00, 0xab, 0xff, 0x12}), Optional(Eq(sample)));
  EXPECT_THAT(tlsa_from_wire(Bytes{255, 254, 253, 1}), Optional(Eq(TlsaRecord{255, 254, 253, {1}})))
      << "what is not assigned is read all the same";
}

TEST(Tlsa, D20ThreeOctetsAreARecordWithoutData) {
  EXPECT_THAT(tlsa_from_wire(Bytes{3, 1, 1}), Optional(Eq(TlsaRecord{3, 1, 1, {}})));
}

TEST(Tlsa, FewerThanThreeOctetsAreNoRecord) {
  EXPECT_FALSE(tlsa_from_wire(Bytes{}));
  EXPECT_FALSE(tlsa_from_wire(Bytes{3}));
  EXPECT_FALSE(tlsa_from_wire(Bytes{3, 1}));
}

TEST(Tlsa, TextIsReadAsInZoneFiles) {
  struct Row {
    std::string_view says, text;
  };
  const Row rows[] = {
      {"as written", "3 1 1 00abff12"},
      {"capitals", "3 1 1 00ABFF12"},
      {"groups", "3 1 1 00ab ff12"},
      {"groups that cut an octet", "3 1 1 0 0abff1 2"},
      {"more blanks", "  3\t1   1  00abff12  "},
      {"parentheses over lines", "3 1 1 ( 00ab\r\n\tff12 )"},
      {"parentheses without blanks", "3 1 1(00abff12)"},
      {"leading zeros", "003 01 1 00abff12"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    EXPECT_THAT(tlsa_from_text(row.text), Optional(Eq(sample)));
  }
}

TEST(Tlsa, TextWithoutDataIsARecordWithoutData) {
  EXPECT_THAT(tlsa_from_text("3 1 1"), Optional(Eq(TlsaRecord{3, 1, 1, {}})));
  EXPECT_THAT(tlsa_from_text("3 1 1 ()"), Optional(Eq(TlsaRecord{3, 1, 1, {}})));
}

TEST(Tlsa, RefusesTextThatIsNoRecord) {
  struct Row {
    std::string_view says, text;
  };
  const Row rows[] = {
      {"nothing", ""},
      {"blanks", "  "},
      {"two fields", "3 1"},
      {"a field over 255", "256 1 1 00"},
      {"a negative field", "-3 1 1 00"},
      {"a sign", "+3 1 1 00"},
      {"a mnemonic of RFC 7218, which no resolver sends", "DANE-EE SPKI SHA2-256 00"},
      {"fields that run together", "311 00"},
      {"data that runs into a field", "3 1 1ab"},
      {"a letter behind a field", "3a 1 1 00"},
      {"an odd count of digits", "3 1 1 abc"},
      {"another character", "3 1 1 abxx"},
      {"a prefix", "3 1 1 0xab"},
      {"a comment", "3 1 1 ab ; key"},
      {"an owner in front", "_25._tcp.mx.example.org. IN TLSA 3 1 1 ab"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    EXPECT_FALSE(tlsa_from_text(row.text));
  }
}

TEST(Tlsa, TextIsWrittenInOneForm) {
  EXPECT_EQ(to_text(sample), "3 1 1 00abff12");
  EXPECT_EQ(to_text(TlsaRecord{255, 0, 2, {0x0a}}), "255 0 2 0a");
}

TEST(Tlsa, EveryOctetSurvivesItsText) {
  TlsaRecord record{2, 0, 0, {}};
  for (unsigned octet = 0; octet < 256; ++octet) {
    record.usage = static_cast<std::uint8_t>(octet);
    record.selector = static_cast<std::uint8_t>(255 - octet);
    record.data.push_back(static_cast<std::uint8_t>(octet));
    EXPECT_THAT(tlsa_from_text(to_text(record)), Optional(Eq(record)));
  }
}

TEST(Tlsa, RecordsAreEqualWhenAllFieldsAre) {
  auto other = sample;
  EXPECT_EQ(other, sample);
  for (auto* field : {&other.usage, &other.selector, &other.matching_type, &other.data.back()}) {
    ++*field;
    EXPECT_NE(other, sample);
    EXPECT_LT(sample, other);
    --*field;
  }
}

TEST(Hex, IsLowerCaseAndReadsBothCases) {
  EXPECT_EQ(to_hex(Bytes{0x00, 0x09, 0x0a, 0xf0, 0xff}), "00090af0ff");
  EXPECT_EQ(to_hex(Bytes{}), "");
  EXPECT_THAT(from_hex("00090aF0Ff"), Optional(Eq(Bytes{0x00, 0x09, 0x0a, 0xf0, 0xff})));
  EXPECT_THAT(from_hex(""), Optional(Eq(Bytes{})));
}

TEST(Hex, RefusesAnOddCountAndOtherCharacters) {
  for (const std::string_view text : {"a", "abc", "0g", "g0", "0x00", "a b ", "\xc3\xa4"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(from_hex(text));
  }
  EXPECT_FALSE(from_hex(std::string_view{"abcd"}.substr(0, 3))) << "no digit from behind the end";
}

}  // namespace
}  // namespace probes::dane

#include "config/issuer_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using config::parse_issuers;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kDigest(64, 'a');
const std::string kOther(64, 'c');

TEST(IssuerFile, HasOneIntermediateALine) {
  const auto read = parse_issuers("# of Let's Encrypt\n\n2026-05-13\t- " + std::string(64, 'A') +
                                  "  Let's Encrypt \r\n- 2027-01-01 " + std::string(64, 'b') +
                                  " Sectigo Limited # soon gone\n- - " + kOther + " X");
  EXPECT_THAT(read.faults, IsEmpty());
  ASSERT_THAT(read.issuers, SizeIs(3));
  EXPECT_EQ(read.issuers[0].organisation, "Let's Encrypt");
  EXPECT_EQ(read.issuers[0].key, kDigest) << "in lower case, whatever the file has";
  EXPECT_EQ(read.issuers[0].from, config::parse_rfc3339("2026-05-13T00:00:00Z"));
  EXPECT_EQ(read.issuers[0].until, std::nullopt);
  EXPECT_EQ(read.issuers[1].organisation, "Sectigo Limited");
  EXPECT_EQ(read.issuers[1].until, config::parse_rfc3339("2027-01-01T00:00:00Z"));
}

TEST(IssuerFile, SaysForWhichKindOfKeyAnIntermediateIs) {
  const auto read = parse_issuers("- - rsa:" + kDigest + " X\n- - ecdsa:" + kDigest + " X\n- - " +
                                  kOther + " RSA Security\n");
  EXPECT_THAT(read.faults, IsEmpty());
  ASSERT_THAT(read.issuers, SizeIs(3));
  EXPECT_EQ(read.issuers[0].key_type, "rsa");
  EXPECT_EQ(read.issuers[0].key, kDigest);
  EXPECT_EQ(read.issuers[1].key_type, "ecdsa");
  EXPECT_EQ(read.issuers[2].key_type, "") << "for all";
  EXPECT_EQ(read.issuers[2].organisation, "RSA Security");
}

TEST(IssuerFile, TakesANameWithAHash) {
  const auto read = parse_issuers("- - " + kDigest + " A \\# 1 Trust # and a comment\n");
  ASSERT_THAT(read.issuers, SizeIs(1));
  EXPECT_EQ(read.issuers[0].organisation, "A # 1 Trust");
}

TEST(IssuerFile, HasOneLineForAKey) {
  for (const auto& [first, second] : std::vector<std::pair<std::string, std::string>>{
           {"", ""}, {"rsa:", "rsa:"}, {"", "ecdsa:"}, {"ecdsa:", ""}}) {
    const auto read =
        parse_issuers("- - " + first + kDigest + " X\n2026-05-13 - " + second + kDigest + " Y\n");
    EXPECT_THAT(read.issuers, SizeIs(1));
    ASSERT_THAT(read.faults, SizeIs(1));
    EXPECT_EQ(read.faults[0].first, 2);
    EXPECT_THAT(read.faults[0].second, HasSubstr("line 1 "));
  }
}

struct FaultCase {
  std::string line, want;
};

TEST(IssuerFile, NamesTheLineAndWhatIsWrongWithIt) {
  for (const auto& row : std::vector<FaultCase>{
           {"yesterday - " + kDigest + " X", "FROM"},
           {"2026-02-31 - " + kDigest + " X", "FROM"},
           {"- 2026 " + kDigest + " X", "UNTIL"},
           {"2026-05-13 2026-05-13 " + kDigest + " X", "not after FROM"},
           {"- - abc X", "64 hexadecimal"},
           {"- - " + std::string(64, 'g') + " X", "64 hexadecimal"},
           {"- - " + kDigest, "ORGANISATION"},
           {"- - " + kDigest + "  # X", "ORGANISATION"},
           {"- - " + kDigest + " " + std::string(201, 'X'), "longer"},
           {"-", "UNTIL"},
           {"- - dsa:" + kDigest + " X", "64 hexadecimal"},
           {"- - " + kDigest + " \"X Y\"", "quotes"},
           {"- - " + kDigest + " X\x1bY", "control"},
           {"- - " + kDigest + " X" + std::string(1, '\0') + "Y", "control"},
           {"- - " + kDigest + " X\xffY", "UTF-8"},
       }) {
    const auto read = parse_issuers("# first\n" + row.line + "\n");
    ASSERT_THAT(read.faults, SizeIs(1)) << row.line;
    EXPECT_EQ(read.faults[0].first, 2) << row.line;
    EXPECT_THAT(read.faults[0].second, HasSubstr(row.want)) << row.line;
    EXPECT_THAT(read.issuers, IsEmpty()) << row.line;
  }
}

TEST(IssuerFile, IsBounded) {
  std::string text;
  for (std::size_t i = 0; i < config::kMostIssuers + 5; ++i)
    text += fmt::format("- - {:064x} X\n", i);
  const auto read = parse_issuers(text);
  EXPECT_THAT(read.issuers, SizeIs(config::kMostIssuers));
  EXPECT_THAT(read.faults, SizeIs(1)) << "and it says so once";
}

}  // namespace

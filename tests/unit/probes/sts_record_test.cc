#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/sts/record.h"

namespace probes::sts {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// RDATA of character strings of at most `size` octets each.
Bytes rdata(std::string_view text, std::size_t size = 255) {
  Bytes out;
  do {
    const auto string = text.substr(0, size);
    out.push_back(static_cast<std::uint8_t>(string.size()));
    out.insert(out.end(), string.begin(), string.end());
    text.remove_prefix(string.size());
  } while (!text.empty());
  return out;
}

StsRecord sts(std::string_view text) {
  return read_sts_record({rdata(text)});
}

TlsrptRecord tlsrpt(std::string_view text) {
  return read_tlsrpt_record({rdata(text)});
}

TEST(StsRecord, HasAnId) {
  struct Row {
    std::string_view says, text, id;
  };
  const Row rows[] = {
      {"the example of RFC 8461 §3.1", "v=STSv1; id=20160831085700Z;", "20160831085700Z"},
      {"no delimiter at the end", "v=STSv1; id=a", "a"},
      {"no blanks", "v=STSv1;id=a;", "a"},
      {"blanks and tabs around delimiters", "v=STSv1; \t id=a \t ; \t", "a"},
      {"32 letters and digits", "v=STSv1; id=aBcDeFgHiJkLmNoPqRsTuVwXyZ012345;",
       "aBcDeFgHiJkLmNoPqRsTuVwXyZ012345"},
      {"an extension before", "v=STSv1; x-1.y_z=~!:<>; id=a;", "a"},
      {"an extension behind", "v=STSv1; id=a; 9=b", "a"},
      {"a name like id", "v=STSv1; ID=b; id=a", "a"},
      {"id twice: the first counts", "v=STSv1; id=a; id=b", "a"},
      {"the version twice is an unknown field", "v=STSv1; v=STSv1; id=a", "a"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto record = sts(row.text);
    EXPECT_EQ(record.state, RecordState::valid) << record.detail;
    EXPECT_EQ(record.id, row.id);
    EXPECT_THAT(record.detail, IsEmpty());
  }
}

TEST(StsRecord, ThatBreaksTheGrammarIsMalformed) {
  struct Row {
    std::string_view says, text;
  };
  const Row rows[] = {
      {"no field", "v=STSv1;"},
      {"no field but blanks", "v=STSv1; "},
      {"no id", "v=STSv1; di=a"},
      {"an empty id", "v=STSv1; id=;"},
      {"33 characters", "v=STSv1; id=aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456;"},
      {"a hyphen in the id", "v=STSv1; id=2016-08-31;"},
      {"a blank before the value", "v=STSv1; id= a;"},
      {"a blank before the equals sign", "v=STSv1; id =a;"},
      {"a blank at the end, which belongs to no delimiter", "v=STSv1; id=a "},
      {"two delimiters in a row", "v=STSv1;; id=a"},
      {"two delimiters at the end", "v=STSv1; id=a;;"},
      {"a field without a value", "v=STSv1; id=a; b"},
      {"an extension with an empty value", "v=STSv1; id=a; b="},
      {"an extension with two equals signs", "v=STSv1; id=a; b=c=d"},
      {"an extension with a blank in its value", "v=STSv1; id=a; b=c d"},
      {"an extension without a name", "v=STSv1; id=a; =b"},
      {"an extension whose name begins with a mark", "v=STSv1; id=a; _b=c"},
      {"an extension whose name is longer than 32",
       "v=STSv1; id=a; aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456=c"},
      {"octets that are not ASCII", "v=STSv1; id=\xc3\xa4;"},
      {"the first of two ids is bad", "v=STSv1; id=-; id=a"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto record = sts(row.text);
    EXPECT_EQ(record.state, RecordState::malformed);
    EXPECT_THAT(record.id, IsEmpty());
    EXPECT_THAT(record.detail, Not(IsEmpty()));
  }
  EXPECT_EQ(sts(std::string_view{"v=STSv1; id=a\0;", 15}).state, RecordState::malformed);
}

TEST(StsRecord, IsAbsentWhereNothingBeginsWithTheVersion) {
  EXPECT_EQ(read_sts_record({}).state, RecordState::absent);
  for (const std::string_view text :
       {"", "v=spf1 -all", "v=STSv2; id=a", "v=STSv1", "v=STSv1 id=a", " v=STSv1; id=a",
        "V=STSv1; id=a", "v=stsv1; id=a", "v =STSv1; id=a", "id=a; v=STSv1;"}) {
    EXPECT_EQ(sts(text).state, RecordState::absent) << text;
  }
  EXPECT_EQ(sts("v=STSv1 ; id=a").state, RecordState::absent)
      << "discarded by RFC 8461 §3.1, erratum 6285";
}

TEST(StsRecord, IsJoinedFromItsStringsWithoutBlanks) {
  const std::string_view text = "v=STSv1; id=20160831085700Z;";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    EXPECT_EQ(read_sts_record({rdata(text, size)}).id, "20160831085700Z") << size;
  }
  EXPECT_EQ(
      read_sts_record({{8, 'v', '=', 'S', 'T', 'S', 'v', '1', ';', 0, 4, 'i', 'd', '=', 'a'}}).id,
      "a")
      << "an empty string adds nothing";
}

TEST(StsRecord, OfRdataWhoseLengthsDoNotAddUpIsNobodys) {
  auto cut = rdata("v=STSv1; id=a;");
  cut.pop_back();
  EXPECT_EQ(read_sts_record({cut}).state, RecordState::absent);
  EXPECT_EQ(read_sts_record({Bytes{}}).state, RecordState::absent);
  EXPECT_EQ(read_sts_record({Bytes{255}}).state, RecordState::absent);
  EXPECT_EQ(read_sts_record({cut, rdata("v=STSv1; id=b")}).id, "b") << "it hides no other";
}

TEST(StsRecord, CountsOnlyWhenThereIsOne) {
  const auto one = rdata("v=STSv1; id=a"), other = rdata("v=STSv1; id=b");
  EXPECT_EQ(read_sts_record({one, rdata("v=spf1 -all"), rdata("")}).id, "a")
      << "records of others are passed over";
  const auto two = read_sts_record({one, other});
  EXPECT_EQ(two.state, RecordState::several) << "RFC 8461 §3.1";
  EXPECT_THAT(two.id, IsEmpty());
  EXPECT_EQ(two.detail, "2 records begin with \"v=STSv1;\"");
  EXPECT_EQ(read_sts_record({one, rdata("v=STSv1; broken")}).state, RecordState::several)
      << "they are counted before they are read";
}

TEST(StsRecord, OfTheGreatestSizeIsReadInOneGo) {
  std::string text = "v=STSv1; id=a";
  while (text.size() < 65'000) text += ";x=y";
  EXPECT_EQ(sts(text).state, RecordState::valid);
  EXPECT_EQ(sts("v=STSv1; id=a" + std::string(65'000, ';')).state, RecordState::malformed);
  EXPECT_EQ(sts("v=STSv1; id=" + std::string(65'000, 'a')).state, RecordState::malformed);
}

TEST(StsTlsrpt, HasPlacesToReportTo) {
  struct Row {
    std::string_view says, text;
    std::vector<std::string> rua;
  };
  const Row rows[] = {
      {"mail, RFC 8460 §3.1.1",
       "v=TLSRPTv1;rua=mailto:reports@example.com",
       {"mailto:reports@example.com"}},
      {"the Web, RFC 8460 §3.1.2",
       "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt",
       {"https://reporting.example.com/v1/tlsrpt"}},
      {"both, with blanks around the comma",
       "v=TLSRPTv1; rua=mailto:a@example.com \t,\t https://example.com;",
       {"mailto:a@example.com", "https://example.com"}},
      {"a scheme nobody knows beside one",
       "v=TLSRPTv1; rua=ftp://example.com,mailto:a@example.com",
       {"ftp://example.com", "mailto:a@example.com"}},
      {"schemes have no case, RFC 3986 §3.1",
       "v=TLSRPTv1; rua=MailTo:a@example.com,HTTPS://example.com",
       {"MailTo:a@example.com", "HTTPS://example.com"}},
      {"reserved characters are encoded",
       "v=TLSRPTv1; rua=mailto:a%21%2C%3b@example.com?subject=x",
       {"mailto:a%21%2C%3b@example.com?subject=x"}},
      {"an address literal and a port",
       "v=TLSRPTv1; rua=https://[2001:db8::1]:8443/",
       {"https://[2001:db8::1]:8443/"}},
      {"extensions around",
       "v=TLSRPTv1; a=b; rua=mailto:a@example.com; ruf=c",
       {"mailto:a@example.com"}},
      {"rua twice: the first counts",
       "v=TLSRPTv1; rua=mailto:a@example.com; rua=mailto:b@example.com",
       {"mailto:a@example.com"}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto record = tlsrpt(row.text);
    EXPECT_EQ(record.state, RecordState::valid) << record.detail;
    EXPECT_EQ(record.rua, row.rua);
    EXPECT_THAT(record.detail, IsEmpty());
  }
}

TEST(StsTlsrpt, ThatBreaksTheGrammarIsMalformed) {
  struct Row {
    std::string_view says, text;
  };
  const Row rows[] = {
      {"no rua", "v=TLSRPTv1;"},
      {"an empty rua", "v=TLSRPTv1; rua=;"},
      {"an address without a scheme", "v=TLSRPTv1; rua=reports@example.com"},
      {"a scheme that begins with a digit", "v=TLSRPTv1; rua=1mailto:a@example.com"},
      {"mail to nobody", "v=TLSRPTv1; rua=mailto:"},
      {"mail without a domain", "v=TLSRPTv1; rua=mailto:a@"},
      {"mail without a local part", "v=TLSRPTv1; rua=mailto:@example.com"},
      {"an at sign in the query only", "v=TLSRPTv1; rua=mailto:a?cc=b@example.com"},
      {"the Web without a host", "v=TLSRPTv1; rua=https:///tlsrpt"},
      {"the Web without slashes", "v=TLSRPTv1; rua=https:example.com"},
      {"only schemes nobody knows", "v=TLSRPTv1; rua=http://example.com"},
      {"a comma at the end", "v=TLSRPTv1; rua=mailto:a@example.com,"},
      {"a comma at the begin", "v=TLSRPTv1; rua=,mailto:a@example.com"},
      {"a bare exclamation mark, as DMARC has", "v=TLSRPTv1; rua=mailto:a@example.com!10m"},
      {"half an encoded octet", "v=TLSRPTv1; rua=mailto:a@example.com%2"},
      {"an encoded octet that is none", "v=TLSRPTv1; rua=mailto:a@example.com%zz"},
      {"a blank inside", "v=TLSRPTv1; rua=mailto:a@example.com b"},
      {"a blank before the first", "v=TLSRPTv1; rua= mailto:a@example.com"},
      {"a blank behind the last", "v=TLSRPTv1; rua=mailto:a@example.com "},
      {"angle brackets", "v=TLSRPTv1; rua=mailto:<a@example.com>"},
      {"octets that are not ASCII", "v=TLSRPTv1; rua=mailto:\xc3\xa4@example.com"},
      {"an escape sequence", "v=TLSRPTv1; rua=mailto:\x1b[31m@example.com"},
      {"a bad extension", "v=TLSRPTv1; rua=mailto:a@example.com; x=y=z"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto record = tlsrpt(row.text);
    EXPECT_EQ(record.state, RecordState::malformed);
    EXPECT_THAT(record.rua, IsEmpty());
    EXPECT_THAT(record.detail, Not(IsEmpty()));
  }
}

TEST(StsTlsrpt, CountsOnlyWhenThereIsOne) {
  const auto one = rdata("v=TLSRPTv1; rua=mailto:a@example.com");
  EXPECT_EQ(read_tlsrpt_record({}).state, RecordState::absent);
  EXPECT_EQ(read_tlsrpt_record({rdata("v=TLSRPTv2; rua=mailto:a@example.com")}).state,
            RecordState::absent);
  EXPECT_THAT(read_tlsrpt_record({rdata("v=STSv1; id=a"), one}).rua,
              ElementsAre("mailto:a@example.com"));
  EXPECT_EQ(read_tlsrpt_record({one, one}).state, RecordState::several) << "RFC 8460 §3";
}

TEST(StsTlsrpt, HasABoundedNumberOfPlaces) {
  std::string text = "v=TLSRPTv1; rua=mailto:a@example.com";
  for (std::size_t i = 1; i < kMaxReportUris; ++i) text += ",mailto:a@example.com";
  EXPECT_THAT(tlsrpt(text).rua, SizeIs(kMaxReportUris));
  EXPECT_EQ(tlsrpt(text + ",mailto:a@example.com").state, RecordState::malformed);
}

}  // namespace
}  // namespace probes::sts

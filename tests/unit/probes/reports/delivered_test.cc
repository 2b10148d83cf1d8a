#include <array>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "probes/reports/gunzip.h"
#include "probes/reports/read_reports.h"
#include "probes/reports/report_mail.h"
#include "tests/support/source_dir.h"

namespace probes::reports {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string sample(const std::string& name) {
  std::ifstream file(support::source_dir() / "tests/reports" / fmt::format("{}.json", name));
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string base64(std::string_view octets) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < octets.size(); at += 3) {
    unsigned bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits =
          bits << 8U | (at + i < octets.size() ? static_cast<unsigned char>(octets[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      out += at + i > octets.size() ? '=' : kDigits[bits >> (18 - 6 * i) & 63U];
    if (at % 57 == 54) out += "\r\n";
  }
  return out;
}

// As RFC 8460 §5.3 has it.
std::string mail_of(const std::string& type, const std::string& octets) {
  return fmt::format(
      "Return-Path: <tlsrpt@sender.example>\r\nFrom: tlsrpt@sender.example\r\n"
      "To: reports@example.org\r\nSubject: Report Domain: example.org\r\nMIME-Version: 1.0\r\n"
      "TLS-Report-Domain: example.org\r\nContent-Type: multipart/report; "
      "report-type=\"tlsrpt\";\r\n"
      " boundary=\"b1\"\r\n\r\n--b1\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
      "This is an aggregate TLS report.\r\n--b1\r\nContent-Type: {}\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--b1--\r\n",
      type, base64(octets));
}

TEST(Gunzip, GivesBackWhatWasCompressed) {
  const auto text = sample("google");
  EXPECT_EQ(gunzip(gzip(text), kMostReport).value(), text);
  EXPECT_EQ(gunzip(gzip("a") + gzip("b"), 2).value(), "ab");
  EXPECT_EQ(gunzip(gzip("a") + std::string(100, '\0'), 1).value(), "a");
}

TEST(Gunzip, RefusesABombBeforeItHasUnpackedIt) {
  const auto bomb = gzip(std::string(std::size_t{16} << 20U, '\0'));
  ASSERT_LT(bomb.size(), std::size_t{20} << 10U);
  EXPECT_THAT(gunzip(bomb, kMostReport).error(), HasSubstr("unpacks to more"));
  EXPECT_EQ(gunzip(gzip("ab"), 2).value(), "ab");
  EXPECT_FALSE(gunzip(gzip("abc"), 2));
}

TEST(Gunzip, RefusesWhatIsDamagedOrEndsEarly) {
  const auto whole = gzip(sample("google"));
  for (std::size_t size = 0; size < whole.size(); ++size)
    ASSERT_FALSE(gunzip(whole.substr(0, size), kMostReport)) << size;
  auto damaged = whole;
  damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 1);  // the CRC
  EXPECT_THAT(gunzip(damaged, kMostReport).error(), HasSubstr("damaged"));
  EXPECT_FALSE(gunzip("no gzip", kMostReport));
}

TEST(ReportMail, HoldsAReportUnderTheTypesThatSendersGiveIt) {
  for (const auto* type :
       {"application/tlsrpt+gzip; name=\"r.json.gz\"", "application/gzip", "application/x-gzip",
        "application/octet-stream", "APPLICATION/TLSRPT+GZIP",
        "text/plain; name=\"google.com!example.org!1!2!001.json.gz\""}) {
    SCOPED_TRACE(type);
    const auto got = read_reports(mail_of(type, gzip(sample("google"))));
    ASSERT_THAT(got.reports, SizeIs(1)) << testing::PrintToString(got.faults);
    EXPECT_EQ(got.reports[0].organization, "Google Inc.");
  }
  EXPECT_THAT(read_reports(mail_of("application/tlsrpt+json", sample("microsoft"))).reports,
              SizeIs(1));
}

TEST(ReportMail, MayBeNoMultipartOrHaveBeenForwarded) {
  const auto report = gzip(sample("comcast"));
  EXPECT_THAT(read_reports("From tlsrpt@sender.example Fri Nov 27 00:00:00 2026\n"
                           "Content-Type: application/tlsrpt+gzip\n"
                           "Content-Transfer-Encoding: base64\n\n" +
                           base64(report))
                  .reports,
              SizeIs(1));
  EXPECT_THAT(read_reports("Subject: Fwd\r\nContent-Type: message/rfc822\r\n\r\n" +
                           mail_of("application/tlsrpt+gzip", report))
                  .reports,
              SizeIs(1));
  // A mail in a mail is not to be encoded, and some are.
  EXPECT_THAT(read_reports("Subject: Fwd\r\nContent-Type: message/rfc822\r\n"
                           "Content-Transfer-Encoding: base64\r\n\r\n" +
                           base64(mail_of("application/tlsrpt+gzip", report)))
                  .reports,
              SizeIs(1));
}

// Signatures, pictures and winmail.dat are no reports that failed.
TEST(ReportMail, MayHaveOtherThingsBesideTheReport) {
  auto mail = mail_of("application/tlsrpt+gzip", gzip(sample("google")));
  mail.insert(mail.rfind("--b1--"),
              "--b1\r\nContent-Type: application/octet-stream\r\n\r\nsigned\r\n");
  const auto read = read_reports(mail);
  EXPECT_THAT(read.reports, SizeIs(1));
  EXPECT_THAT(read.faults, IsEmpty());
  EXPECT_THAT(read_reports(mail_of("application/octet-stream", "no report")).faults, SizeIs(1));
}

TEST(ReportMail, HasNoMoreOrLongerFieldsThanMails) {
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "X: y\r\n";
  EXPECT_THAT(read_reports(many + "\r\nx").faults, ElementsAre(HasSubstr("header fields")));
  std::string wide = "Content-Type: text/plain";
  for (int i = 0; i < 100'000; ++i) wide += ";\r\n a=b";
  EXPECT_THAT(read_reports(wide + "\r\n\r\nx").faults, ElementsAre(HasSubstr("too long")));
}

TEST(ReportMail, SaysWhyThereIsNoReport) {
  EXPECT_THAT(read_reports("Subject: hello\r\n\r\nno report\r\n").faults,
              ElementsAre(HasSubstr("no part")));
  EXPECT_THAT(read_reports(mail_of("application/tlsrpt+gzip", "no gzip")).faults,
              ElementsAre("not JSON"));
  EXPECT_THAT(read_reports("").faults, ElementsAre("not JSON"));
}

TEST(ReportMail, IsBoundedInSizePartsAndDepth) {
  EXPECT_FALSE(parts_of_mail(std::string(kMostMail + 1, 'a')));
  std::string deep;
  for (int i = 0; i < 50; ++i) deep += "Content-Type: message/rfc822\r\n\r\n";
  EXPECT_THAT(parts_of_mail(deep + mail_of("application/json", "{}")).error(),
              HasSubstr("no part"));
  auto wrapped = mail_of("application/json", "{}");
  for (int i = 0; i < kDeepestPart + 1; ++i)
    wrapped = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
              base64(wrapped);
  EXPECT_THAT(parts_of_mail(wrapped).error(), HasSubstr("no part"));
  std::string deeper;
  for (int i = 0; i < 100'000; ++i) deeper += "Content-Type: message/rfc822\r\n\r\n";
  EXPECT_THAT(parts_of_mail(deeper).error(), HasSubstr("more parts"));
  // A part needs no field.
  std::string empty = "Content-Type: multipart/digest; boundary=B\r\n\r\n";
  for (int i = 0; i < 100'000; ++i) empty += "--B\n\n\n";
  EXPECT_THAT(parts_of_mail(empty).error(), HasSubstr("more parts"));
}

// The library would read groups of addresses by calling itself, until the stack is full, and a list
// of them for minutes.
TEST(ReportMail, NobodyReadsTheAddressesOf) {
  std::string groups = "To: ", list = "cc: ";
  for (int i = 0; i < 50'000; ++i) {
    groups += "a:";
    if (i % 450 == 449) groups += "\r\n ";
  }
  for (int i = 0; i < 1'000'000; ++i) list += "a,";
  const auto report = mail_of("application/tlsrpt+gzip", gzip(sample("google")));
  for (const auto& head : {groups, list, groups + "\r\n" + list}) {
    EXPECT_THAT(read_reports(head + "\r\n" + report).reports, SizeIs(1));
    EXPECT_THAT(
        read_reports("Content-Type: message/rfc822\r\n\r\n" + head + "\r\n" + report).reports,
        SizeIs(1));
  }
}

TEST(ReportMail, MayBeOneOfAMailbox) {
  const auto one = "From a@b.example Fri Nov 27 00:00:00 2026\r\n" +
                   mail_of("application/tlsrpt+gzip", gzip(sample("google"))) + "\r\n";
  const auto other = "From a@b.example Fri Nov 27 00:00:00 2026\r\n" +
                     mail_of("application/tlsrpt+gzip", gzip(sample("microsoft"))) + "\r\n";
  EXPECT_THAT(read_reports(one + other).reports, SizeIs(2));
}

TEST(ReportMail, ADamagedPartBesideAGoodOneIsTold) {
  const auto got = read_reports("From a@b.example Fri Nov 27 00:00:00 2026\r\n" +
                                mail_of("application/tlsrpt+gzip", gzip(sample("google"))) +
                                "\r\nFrom a@b.example Fri Nov 27 00:00:00 2026\r\n" +
                                mail_of("application/tlsrpt+gzip", "no gzip") + "\r\n");
  EXPECT_THAT(got.reports, SizeIs(1));
  EXPECT_THAT(got.faults, ElementsAre("not JSON"));
}

TEST(ReportMail, IsToldFromAReportByItsFirstLine) {
  EXPECT_TRUE(is_mail("Return-Path: <>\n"));
  EXPECT_TRUE(is_mail("From tlsrpt@sender.example\n"));
  EXPECT_FALSE(is_mail(" {\"a\": 1}"));
  EXPECT_FALSE(is_mail(""));
  EXPECT_FALSE(is_mail(gzip("{}")));
}

}  // namespace
}  // namespace probes::reports

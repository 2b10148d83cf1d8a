#include "web/http/request_framer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using testing::HasSubstr;
using web::RequestFramer;

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kPost = "POST / HTTP/1.1\r\n";

int refused(const std::string& octets) {
  RequestFramer framer;
  framer.take(octets);
  return framer.refusal() ? framer.refusal()->status : 0;
}

TEST(TakeARequest, ItIsCompleteWithItsLastOctetHoweverItArrives) {
  const std::string requests[] = {
      kGet,
      kPost + "Content-Length: 5\r\n\r\nhello",
      kPost + "content-length:\t0 \r\n\r\n",
      kPost +
          "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0a;x=\"y\"\r\n0123456789\r\n0\r\n\r\n",
  };
  for (const auto& request : requests) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, request.size()}) {
      RequestFramer framer;
      for (std::size_t at = 0; at < request.size(); at += step) {
        ASSERT_FALSE(framer.is_complete()) << request;
        framer.take(std::string_view(request).substr(at, step));
        ASSERT_FALSE(framer.refusal()) << framer.refusal()->why;
      }
      ASSERT_TRUE(framer.is_complete()) << request;
      EXPECT_EQ(std::move(framer).release(), request);
    }
  }
}

TEST(TakeARequest, CredentialsAreThereOnce) {
  RequestFramer framer;
  framer.take("GET /a?b HTTP/1.1\r\nauthorization: \tBasic  QQ== \r\n\r\n");
  EXPECT_EQ(framer.authorization(), "Basic  QQ==");
  EXPECT_EQ(framer.first_line(), "GET /a?b HTTP/1.1");
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nAuthorization: Basic QQ==\r\nAUTHORIZATION: x\r\n\r\n"), 400)
      << "two readers would take different ones";
}

TEST(TakeARequest, WhatComesBehindItIsDropped) {
  RequestFramer framer;
  framer.take(kGet + kGet);
  EXPECT_EQ(std::move(framer).release(), kGet);
}

TEST(TakeARequest, HeadsAreBoundedInLinesAndOctets) {
  std::string headers;
  for (int i = 1; i < RequestFramer::kHeadLines; ++i) headers += "X: y\r\n";
  EXPECT_EQ(refused(kPost + headers + "\r\n"), 0);
  EXPECT_EQ(refused(kPost + headers + "X: y\r\n"), 431);
  EXPECT_EQ(refused(kPost + "X: " + std::string(RequestFramer::kHeadOctets, 'x')), 431);
  EXPECT_EQ(refused(std::string(RequestFramer::kHeadOctets + 1, 'G')), 431);
}

TEST(TakeARequest, ContentIsBoundedChunkedOrNot) {
  const auto most = RequestFramer::kBodyOctets;
  EXPECT_EQ(refused(kPost + fmt::format("Content-Length: {}\r\n\r\n", most)), 0);
  EXPECT_EQ(refused(kPost + fmt::format("Content-Length: {}\r\n\r\n", most + 1)), 413);
  const auto chunked = kPost + "Transfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(refused(chunked + fmt::format("{:x}\r\n", most)), 0);
  EXPECT_EQ(refused(chunked + fmt::format("{:x}\r\n", most + 1)), 413);
  EXPECT_EQ(refused(chunked + "1\r\nx\r\n" + fmt::format("{:x}\r\n", most)), 413);
  std::string crumbs;
  while (crumbs.size() < 3 * RequestFramer::kFrameOctets) crumbs += "1\r\nx\r\n";
  EXPECT_EQ(refused(chunked + crumbs), 413) << "six octets for each of content";
  EXPECT_EQ(refused(chunked + "1;" + std::string(RequestFramer::kFrameOctets, 'x')), 413);
}

TEST(TakeARequest, ACertificateMayBeLonger) {
  const auto asked = [](std::string_view what, std::size_t octets) {
    return refused(fmt::format("{} HTTP/1.1\r\nContent-Length: {}\r\n\r\n", what, octets));
  };
  const auto most = RequestFramer::kCertificateOctets;
  EXPECT_EQ(asked("POST /api/v1/certificates?by=x", most), 0);
  EXPECT_EQ(asked("POST /api/v1/certificates", most + 1), 413);
  EXPECT_EQ(asked("POST /api/v1/certificates/x", most), 413);
}

TEST(TakeARequest, OnlyAReportMayBeLong) {
  const auto most = RequestFramer::kReportOctets;
  const auto length = [](std::size_t octets) {
    return fmt::format("Content-Length: {}\r\n\r\n", octets);
  };
  EXPECT_EQ(refused("POST /api/v1/tlsrpt HTTP/1.1\r\n" + length(most)), 0);
  EXPECT_EQ(refused("POST /api/v1/tlsrpt?x HTTP/1.1\r\n" + length(most)), 0);
  EXPECT_EQ(refused("POST /api/v1/tlsrpt HTTP/1.1\r\n" + length(most + 1)), 413);
  for (const auto* asked : {"POST /api/v1/tlsrpts", "POST /api/v1/tlsa", "GET /api/v1/tlsrpt"})
    EXPECT_EQ(refused(std::string(asked) + " HTTP/1.1\r\n" + length(most)), 413) << asked;
}

TEST(TakeARequest, WhatCouldEndInTwoPlacesIsRefused) {
  EXPECT_EQ(refused("\r\n" + kGet), 400);
  EXPECT_EQ(refused("GET / HTTP/1.1\n"), 400);
  EXPECT_EQ(refused(kPost + "Content-Length: 1\r\nContent-Length: 1\r\n"), 400);
  EXPECT_EQ(refused(kPost + "Content-Length : 1\r\n"), 400);
  EXPECT_EQ(refused(kPost + "X: a\r\n Content-Length: 1\r\n"), 400) << "a folded line";
  EXPECT_EQ(refused(kPost + "no colon\r\n"), 400);
  EXPECT_EQ(refused(kPost + ": nameless\r\n"), 400);
  for (const auto* length : {"", "-1", "+1", "1, 1", "0x1", "1 1", "99999999999999999999999"})
    EXPECT_EQ(refused(kPost + "Content-Length: " + length + "\r\n"), 400) << length;
  for (const auto* coding : {"", "gzip", "gzip, chunked", "identity", "chunked, chunked"})
    EXPECT_EQ(refused(kPost + "Transfer-Encoding: " + coding + "\r\n"), 501) << coding;
  const auto chunked = kPost + "Transfer-Encoding: chunked\r\n";
  EXPECT_EQ(refused(chunked + "Content-Length: 1\r\n\r\n"), 400);
  EXPECT_EQ(refused(chunked + "Transfer-Encoding: chunked\r\n"), 501);
  for (const auto* chunks : {"\r\n", "x\r\n", "-1\r\n", "1\r\nxx\r\n", "1\r\nx\n", "0\r\nX: y\r\n",
                             "fffffffffffffffff\r\n"})
    EXPECT_NE(refused(chunked + "\r\n" + chunks), 0) << chunks;
}

}  // namespace

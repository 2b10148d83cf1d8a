#include <algorithm>
#include <cstddef>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/sts/http_reply.h"

namespace probes::sts {

// For messages of failing tests.
inline void PrintTo(HttpFault fault, std::ostream* out) {
  switch (fault) {
    case HttpFault::malformed:
      *out << "malformed";
      return;
    case HttpFault::head_size:
      *out << "head_size";
      return;
    case HttpFault::body_size:
      *out << "body_size";
      return;
    case HttpFault::cut_off:
      *out << "cut_off";
      return;
  }
}

namespace {

using testing::Eq;
using testing::IsEmpty;
using testing::Not;
using testing::Optional;
using testing::SizeIs;

constexpr std::size_t kMaxHead = HttpReplyReader::kMaxHead;
constexpr std::size_t kMaxBody = HttpReplyReader::kMaxBody;
constexpr std::size_t kMaxFraming = HttpReplyReader::kMaxFraming;

// A reader that was given the stream in chunks of `size` octets, and how many it used.
struct Heard {
  HttpReplyReader reader;
  std::size_t used = 0;
};

Heard hear(std::string_view stream, std::size_t size = std::string_view::npos) {
  Heard heard;
  while (!stream.empty()) {
    const auto chunk = stream.substr(0, size);
    heard.used += heard.reader.feed(chunk);
    stream.remove_prefix(chunk.size());
  }
  return heard;
}

std::string times(std::size_t count, std::string_view text) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

TEST(HttpReply, IsReadWithItsBody) {
  struct Row {
    std::string_view says, stream;
    int status;
    std::string_view body;
    bool ends_with_connection = false;
  };
  const Row rows[] = {
      {"a body with a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"},
      {"a body of nothing", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, ""},
      {"a body of any octets", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\r\n\n\xff", 200,
       "\r\n\n\xff"},
      {"chunks",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n"
       "0\r\n\r\n",
       200, "hello"},
      {"chunk sizes in capitals, with zeros",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n00A\r\n0123456789\r\n000\r\n\r\n", 200,
       "0123456789"},
      {"chunk extensions and trailers, RFC 9112 §7.1.1, §7.1.2",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 ;a=\"b\"\r\nhello\r\n"
       "0;c\r\nContent-Length: 9\r\nX: y\r\n\r\n",
       200, "hello"},
      {"a body up to the end of the connection", "HTTP/1.1 200 OK\r\n\r\nhello", 200, "hello",
       true},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello", 200, "hello", true},
      {"no body up to the end of the connection", "HTTP/1.1 200 OK\r\n\r\n", 200, "", true},
      {"a status without a body", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
      {"a status without a body that has a length, RFC 9112 §6.3",
       "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, ""},
      {"an error with its page", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", 404,
       "no"},
      {"no reason phrase", "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\na", 200, "a"},
      {"no blank behind the status", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na", 200, "a"},
      {"interim replies before, RFC 9110 §15.2",
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\n\r\n"
       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
       200, "a"},
      {"field names have no case, blanks around values do not count",
       "HTTP/1.1 200 OK\r\ncONTENT-lENGTH: \t1 \t\r\n\r\na", 200, "a"},
      {"a coding that changes nothing",
       "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 1\r\n\r\na", 200, "a"},
      {"a field without a value", "HTTP/1.1 200 OK\r\nX:\r\nContent-Length: 1\r\n\r\na", 200, "a"},
  };
  for (const auto& row : rows) {
    for (std::size_t size = 1; size <= row.stream.size(); ++size) {
      SCOPED_TRACE(std::string(row.says) + ", in chunks of " + std::to_string(size));
      auto [reader, used] = hear(row.stream, size);
      EXPECT_EQ(reader.is_whole(), !row.ends_with_connection);
      reader.end();
      ASSERT_TRUE(reader.is_whole()) << reader.detail();
      EXPECT_EQ(reader.fault(), std::nullopt);
      EXPECT_EQ(used, row.stream.size());
      ASSERT_TRUE(reader.head());
      EXPECT_EQ(reader.head()->status, row.status);
      EXPECT_EQ(reader.head()->body, row.body);
    }
  }
}

TEST(HttpReply, ThatIsNotInOrderIsRefused) {
  struct Row {
    std::string_view says, stream;
  };
  const Row rows[] = {
      {"not HTTP", "220 mail.example.org ESMTP\r\n"},
      {"HTTP/2", "HTTP/2 200\r\n"},
      {"HTTP/0.9", "<html>\r\n"},
      {"an empty line first", "\r\nHTTP/1.1 200 OK\r\n"},
      {"lower case", "http/1.1 200 OK\r\n"},
      {"a status of two digits", "HTTP/1.1 20 OK\r\n"},
      {"a status of four digits", "HTTP/1.1 2000 OK\r\n"},
      {"a status of a digit too great", "HTTP/1.1 600 OK\r\n"},
      {"a status of a digit too small", "HTTP/1.1 099 OK\r\n"},
      {"no status", "HTTP/1.1 \r\n"},
      {"nothing but the version", "HTTP/1.1\r\n"},
      {"two blanks before the status", "HTTP/1.1  200 OK\r\n"},
      {"a control character in the status line", "HTTP/1.1 200 \x1b\r\n"},
      {"a bare LF", "HTTP/1.1 200 OK\n"},
      {"a bare LF within the header", "HTTP/1.1 200 OK\r\nA: b\n"},
      {"a bare CR", "HTTP/1.1 200 OK\r\nA: b\rC: d\r\n"},
      {"no colon", "HTTP/1.1 200 OK\r\nA\r\n"},
      {"no field name", "HTTP/1.1 200 OK\r\n: a\r\n"},
      {"a blank before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n"},
      {"a folded line", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n"},
      {"a NUL", std::string_view{"HTTP/1.1 200 OK\r\nA: \0\r\n", 23}},
      {"a length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: 5a\r\n"},
      {"a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n"},
      {"a length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n"},
      {"no length", "HTTP/1.1 200 OK\r\nContent-Length: \r\n"},
      {"a length that would overflow",
       "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551621\r\n"},
      {"two lengths in a field", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n"},
      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n"},
      {"a length and chunks, RFC 9112 §6.3",
       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"another transfer coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n"},
      {"a transfer coding twice",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"},
      {"a content coding", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"},
      {"two types", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\n"},
      {"an upgrade", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"},
      {"no chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n"},
      {"a chunk size that is no number",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n"},
      {"a chunk size behind a blank",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n 5\r\n"},
      {"a negative chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n"},
      {"a chunk size that would overflow",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000005\r\n"},
      {"a chunk longer than its size",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n"},
      {"a chunk that ends with a bare LF",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\n"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    for (const std::size_t size : {std::string_view::npos, std::size_t{1}}) {
      auto [reader, used] = hear(row.stream, size);
      EXPECT_THAT(reader.fault(), Optional(HttpFault::malformed));
      EXPECT_THAT(reader.detail(), Not(IsEmpty()));
      EXPECT_FALSE(reader.is_whole());
      reader.end();
      EXPECT_THAT(reader.fault(), Optional(HttpFault::malformed)) << "the first fault stays";
      EXPECT_EQ(reader.feed(std::string_view{"HTTP/1.1 200 OK\r\n\r\n"}), 0U);
    }
  }
}

TEST(HttpReply, CutAnywhereIsNotWhole) {
  for (const std::string_view stream :
       {std::string_view{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
        std::string_view{"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                         "chunked\r\n\r\n5;a\r\nhello\r\n0\r\nX: y\r\n\r\n"}}) {
    for (std::size_t size = 0; size < stream.size(); ++size) {
      auto [reader, used] = hear(stream.substr(0, size));
      reader.end();
      EXPECT_THAT(reader.fault(), Optional(HttpFault::cut_off)) << stream.substr(0, size);
      EXPECT_FALSE(reader.is_whole());
    }
  }
}

TEST(HttpReply, EndsWhereItSays) {
  for (const std::string_view reply :
       {std::string_view{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
        std::string_view{
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
        std::string_view{"HTTP/1.1 204 No Content\r\n\r\n"}}) {
    const auto [reader, used] = hear(std::string(reply) + "HTTP/1.1 500 No\r\n\r\n");
    EXPECT_TRUE(reader.is_whole());
    EXPECT_EQ(used, reply.size());
  }
}

TEST(HttpReply, HasATypeAndALocation) {
  const auto [reader, used] = hear(
      "HTTP/1.1 301 Moved\r\ncontent-type:  Text/Plain; charset=utf-8 \r\nLOCATION: https://a/\r\n"
      "Location: https://b/\r\nX-Content-Type: no\r\n\r\n");
  ASSERT_TRUE(reader.head());
  EXPECT_THAT(reader.head()->content_type, Optional(Eq("Text/Plain; charset=utf-8")));
  EXPECT_THAT(reader.head()->location, Optional(Eq("https://a/")));
}

TEST(HttpReply, HasItsHeadBeforeItsBody) {
  const std::string_view head = "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n";
  const auto [reader, used] = hear(head);
  ASSERT_TRUE(reader.head());
  EXPECT_EQ(reader.head()->status, 404);
  EXPECT_FALSE(reader.is_whole());
  EXPECT_FALSE(hear(head.substr(0, head.size() - 1)).reader.head());
  EXPECT_FALSE(hear("HTTP/1.1 100 Continue\r\n\r\n").reader.head())
      << "an interim reply is no reply";
}

TEST(HttpReply, HasAHeadOfBoundedSize) {
  struct Row {
    std::string_view says, begin, again, end;
  };
  const Row rows[] = {
      {"many fields", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", "A: b\r\n", "\r\n"},
      {"a long field", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: ", "b", "\r\n\r\n"},
      {"a long status line", "HTTP/1.1 200 ", "a", "\r\nContent-Length: 0\r\n\r\n"},
      {"interim replies", "", "HTTP/1.1 100 Continue\r\n\r\n",
       "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto most = (kMaxHead - row.begin.size() - row.end.size()) / row.again.size();
    const auto with = [&](std::size_t count) {
      return std::string(row.begin) + times(count, row.again) + std::string(row.end);
    };
    EXPECT_TRUE(hear(with(most)).reader.is_whole());
    for (const std::size_t size : {std::string_view::npos, std::size_t{1}}) {
      const auto [reader, used] = hear(with(most + 1), size);
      EXPECT_THAT(reader.fault(), Optional(HttpFault::head_size));
      EXPECT_EQ(used, kMaxHead + 1);
    }
  }
}

TEST(HttpReply, HasABodyOfBoundedSize) {
  const std::string most(kMaxBody, 'x');
  const std::string counted = "HTTP/1.1 200 OK\r\nContent-Length: ";
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string to_close = "HTTP/1.1 200 OK\r\n\r\n";

  EXPECT_THAT(hear(counted + "65536\r\n\r\n" + most).reader.head()->body, SizeIs(kMaxBody));
  EXPECT_TRUE(hear(chunked + "10000\r\n" + most + "\r\n0\r\n\r\n").reader.is_whole());
  auto whole = hear(to_close + most);
  whole.reader.end();
  EXPECT_TRUE(whole.reader.is_whole());

  struct Row {
    std::string_view says;
    std::string stream;
  };
  const Row rows[] = {
      {"a length above, before a single octet of it", counted + "65537\r\n\r\n"},
      {"the greatest length", counted + "999999999999999\r\n\r\n"},
      {"a chunk above, before a single octet of it", chunked + "10001\r\n"},
      {"the greatest chunk", chunked + "fffffffffffffff\r\n"},
      {"chunks that together are above", chunked + "ffff\r\n" + most.substr(1) + "\r\n2\r\n"},
      {"a connection that does not end", to_close + most + "x"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    for (const std::size_t size : {std::string_view::npos, std::size_t{1}}) {
      const auto [reader, used] = hear(row.stream, size);
      EXPECT_THAT(reader.fault(), Optional(HttpFault::body_size));
      ASSERT_TRUE(reader.head()) << "the head stays";
      EXPECT_LE(reader.head()->body.size(), kMaxBody);
      EXPECT_EQ(used, row.stream.size());
    }
  }
}

TEST(HttpReply, HasFramingOfBoundedSize) {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const auto one_octet = times(kMaxFraming / 5 + 1, "1\r\nx\r\n");
  EXPECT_THAT(hear(head + one_octet).reader.fault(), Optional(HttpFault::head_size))
      << "chunks of one octet";
  const auto extension = head + "5;" + std::string(kMaxFraming, 'x');
  EXPECT_THAT(hear(extension).reader.fault(), Optional(HttpFault::head_size)) << "an extension";
  const auto trailers = head + "0\r\n" + times(kMaxFraming / 6 + 1, "A: b\r\n");
  EXPECT_THAT(hear(trailers).reader.fault(), Optional(HttpFault::head_size)) << "trailers";
  EXPECT_TRUE(hear(head + times(1000, "1\r\nx\r\n") + "0\r\n\r\n").reader.is_whole());
}

TEST(HttpContentType, IsTextPlainWhateverItsParameters) {
  for (const std::string_view type : {"text/plain", "Text/PLAIN", "text/plain; charset=utf-8",
                                      "text/plain ;charset=utf-16", "text/plain;"}) {
    EXPECT_TRUE(is_text_plain(type)) << type;
  }
  for (const std::string_view type :
       {"", "text/html", "text/plainer", "text", "text/plain, text/html",
        "application/octet-stream", "x; text/plain", "text /plain"}) {
    EXPECT_FALSE(is_text_plain(type)) << type;
  }
}

}  // namespace
}  // namespace probes::sts

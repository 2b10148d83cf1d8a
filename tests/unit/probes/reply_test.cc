#include "probes/smtp/reply.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace probes::smtp {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Eq;
using testing::IsEmpty;
using testing::Optional;
using testing::SizeIs;

std::string times(std::size_t count, std::string_view text) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

// All replies of a stream that comes in chunks of `size` octets; the fault behind them, if any.
struct Heard {
  std::vector<Reply> replies;
  std::optional<ReplyFault> fault;
};

Heard hear(std::string_view stream, std::size_t size = std::string_view::npos) {
  Heard heard;
  ReplyReader reader;
  while (!stream.empty() && !reader.fault()) {
    const auto used = reader.feed(stream.substr(0, size));
    stream.remove_prefix(used);
    if (auto reply = reader.take()) heard.replies.push_back(*std::move(reply));
  }
  heard.fault = reader.fault();
  return heard;
}

Reply reply_of(std::string_view stream) {
  const auto heard = hear(stream);
  EXPECT_THAT(heard.replies, SizeIs(1)) << stream.substr(0, 100);
  return heard.replies.empty() ? Reply{} : heard.replies.front();
}

TEST(SmtpReply, IsACodeAndItsLines) {
  struct Row {
    std::string_view says, stream;
    int code;
    std::vector<std::string> lines;
  };
  const Row rows[] = {
      {"one line", "220 mx.example.org ESMTP\r\n", 220, {"mx.example.org ESMTP"}},
      {"more lines, RFC 5321 §4.2.1",
       "250-mx.example.org\r\n250-PIPELINING\r\n250 STARTTLS\r\n",
       250,
       {"mx.example.org", "PIPELINING", "STARTTLS"}},
      {"lines that end with a bare LF", "250-a\n250 b\n", 250, {"a", "b"}},
      {"line ends of both kinds", "250-a\n250 b\r\n", 250, {"a", "b"}},
      {"a code alone", "354\r\n", 354, {""}},
      {"a code and a blank", "354 \r\n", 354, {""}},
      {"continued without text", "250-\r\n250 a\r\n", 250, {"", "a"}},
      {"only the first blank separates", "250  a  b \r\n", 250, {" a  b "}},
      {"a CR inside is text", "250 a\rb\r\n", 250, {"a\rb"}},
      {"any octet is text", "250 \x1b[31m\xff\r\n", 250, {"\x1b[31m\xff"}},
      {"a code of no reply", "150 a\r\n", 150, {"a"}},
      {"the smallest code", "000 a\r\n", 0, {"a"}},
      {"the greatest code", "999 a\r\n", 999, {"a"}},
      {"codes that differ: the last counts", "250-a\r\n550 b\r\n", 550, {"a", "b"}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto reply = reply_of(row.stream);
    EXPECT_EQ(reply.code, row.code);
    EXPECT_EQ(reply.lines, row.lines);
    EXPECT_FALSE(reply.cut);
  }
}

TEST(SmtpReply, TextJoinsTheLinesByOneBlank) {
  EXPECT_EQ(reply_of("454-4.7.0 no\r\n454 4.7.0 TLS\r\n").text(), "4.7.0 no 4.7.0 TLS");
  EXPECT_EQ(reply_of("220 a\r\n").text(), "a");
  EXPECT_EQ(Reply{}.text(), "");
}

TEST(SmtpReply, LinesWithoutACodeArePassedOverAsByPostfix) {
  struct Row {
    std::string_view says, stray;
  };
  using namespace std::string_view_literals;
  const Row rows[] = {
      {"F-09: a TLS alert in place of a banner", "\x15\x03\x03\0\2\2\x0a\n"sv},
      {"F-09: another protocol", "SSH-2.0-OpenSSH_9.2\r\n"},
      {"an empty line", "\r\n"},
      {"two digits", "25\r\n"},
      {"two digits and a blank", "25 ok\r\n"},
      {"four digits", "2500 ok\r\n"},
      {"a letter in the code", "2x0 ok\r\n"},
      {"a blank in front", " 250 ok\r\n"},
      {"another separator", "250_ok\r\n"},
      {"a tab for a separator", "250\tok\r\n"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    EXPECT_THAT(hear(row.stray).replies, IsEmpty());
    for (const auto& stream : {std::string(row.stray) + "220 a\r\n",
                               "220-a\r\n" + std::string(row.stray) + "220 b\r\n"}) {
      const auto reply = reply_of(stream);
      EXPECT_EQ(reply.code, 220);
      EXPECT_TRUE(reply.has_stray_lines);
      EXPECT_EQ(reply.lines.front(), "a");
    }
  }
  EXPECT_FALSE(reply_of("220-a\r\n220 b\r\n").has_stray_lines);
}

TEST(SmtpReply, KnowsWhenOnlyStrayLinesCame) {
  ReplyReader reader;
  EXPECT_FALSE(reader.has_only_strays());
  reader.feed(std::string_view{"SSH-2.0-OpenSSH_9.2\r\n"});
  EXPECT_TRUE(reader.has_only_strays());
  reader.feed(std::string_view{"220-mx\r\n"});
  EXPECT_FALSE(reader.has_only_strays());
}

TEST(SmtpReply, KnowsABannerThatAPixFirewallBlotted) {
  for (const auto* banner : {"220 ****\r\n", "220\r\n", "220 ********0*0*2\r\n", "220 \t*\r\n"}) {
    EXPECT_TRUE(reply_of(banner).is_blotted) << banner;
  }
  for (const auto* banner : {"220 mx\r\n", "250 ***\r\n", "220-***\r\n220 ***\r\n"})
    EXPECT_FALSE(reply_of(banner).is_blotted) << banner;
  const auto heard = hear("220 mx\r\n220 ***\r\n");
  ASSERT_THAT(heard.replies, SizeIs(2));
  EXPECT_TRUE(heard.replies[1].is_blotted) << "each reply by itself";
}

TEST(SmtpReply, WaitsForItsEnd) {
  ReplyReader reader;
  for (const std::string_view part : {"250-a\r\n", "250", " ", "b", "\r"}) {
    SCOPED_TRACE(part);
    EXPECT_EQ(reader.feed(part), part.size());
    EXPECT_FALSE(reader.take());
    EXPECT_FALSE(reader.fault());
  }
  EXPECT_EQ(reader.feed(std::string_view{"\n"}), 1U);
  const auto reply = reader.take();
  ASSERT_TRUE(reply);
  EXPECT_THAT(reply->lines, ElementsAre("a", "b"));
}

TEST(SmtpReply, WhatFollowsBelongsToTheNext) {
  ReplyReader reader;
  const std::string_view stream = "220 go\r\n250 surplus\r\n";
  EXPECT_EQ(reader.feed(stream), 8U);
  EXPECT_EQ(reader.feed(stream.substr(8)), 0U) << "a reply not yet taken is not overwritten";
  ASSERT_TRUE(reader.take());
  EXPECT_FALSE(reader.take()) << "a reply is taken once";
  EXPECT_EQ(reader.feed(stream.substr(8)), 13U);
  EXPECT_THAT(reader.take().value_or(Reply{}).lines, ElementsAre("surplus"));
}

TEST(SmtpReply, IsTheSameHoweverTheNetworkCutsIt) {
  const std::string stream =
      "220 mx ESMTP\r\n250-mx\r\n250-STARTTLS\n250-" + times(2100, "x") + "\r\n250 END\r\n";
  const auto whole = hear(stream);
  ASSERT_THAT(whole.replies, SizeIs(2));
  for (std::size_t size = 1; size <= stream.size(); ++size) {
    SCOPED_TRACE(size);
    const auto cut = hear(stream, size);
    ASSERT_THAT(cut.replies, SizeIs(2));
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(cut.replies[i].code, whole.replies[i].code);
      EXPECT_EQ(cut.replies[i].lines, whole.replies[i].lines);
      EXPECT_EQ(cut.replies[i].cut, whole.replies[i].cut);
    }
  }
}

TEST(SmtpReply, ALineMayBeKMaxLineKeptOctetsLong) {
  const std::string text(ReplyReader::kMaxLineKept - 4 - 1, 'x');  // with code, separator and CR
  const auto reply = reply_of("250 " + text + "\r\n");
  EXPECT_THAT(reply.lines, ElementsAre(text));
  EXPECT_FALSE(reply.cut);
}

TEST(SmtpReply, F13ALongerLineIsCutAndTheNextIsStillRead) {
  const auto reply = reply_of("250-mx\r\n250-" + times(5000, "x") + "\r\n250 STARTTLS\r\n");
  ASSERT_THAT(reply.lines, SizeIs(3));
  EXPECT_EQ(reply.lines[1], times(ReplyReader::kMaxLineKept - 4, "x"));
  EXPECT_TRUE(reply.cut);
  EXPECT_TRUE(offers(reply, "STARTTLS"));
  EXPECT_FALSE(offers_to_postfix(reply, "STARTTLS"));
  EXPECT_TRUE(reply.has_endless_line);
  EXPECT_FALSE(reply_of("250 " + times(4000, "x") + "\r\n").has_endless_line);
}

TEST(SmtpReply, KeepsKMaxLinesAndSaysThatThereWereMore) {
  const auto all = reply_of(times(ReplyReader::kMaxLines - 1, "250-a\r\n") + "250 z\r\n");
  EXPECT_THAT(all.lines, SizeIs(ReplyReader::kMaxLines));
  EXPECT_EQ(all.lines.back(), "z");
  EXPECT_FALSE(all.cut);

  const auto more = reply_of(times(ReplyReader::kMaxLines, "250-a\r\n") + "251 z\r\n");
  EXPECT_THAT(more.lines, SizeIs(ReplyReader::kMaxLines));
  EXPECT_THAT(more.lines, Each(Eq("a")));
  EXPECT_EQ(more.code, 251);
  EXPECT_TRUE(more.cut);
}

TEST(SmtpReply, CutIsForgottenWithTheReply) {
  const auto heard = hear("250 " + times(3000, "x") + "\r\n250 a\r\n");
  ASSERT_THAT(heard.replies, SizeIs(2));
  EXPECT_TRUE(heard.replies[0].cut);
  EXPECT_FALSE(heard.replies[1].cut);
}

TEST(SmtpReply, F14AnEndlessReplyIsAFault) {
  const std::string endless = times(ReplyReader::kMaxReply, "250-a\r\n");
  ReplyReader reader;
  EXPECT_EQ(reader.feed(endless), ReplyReader::kMaxReply + 1);
  EXPECT_THAT(reader.fault(), Optional(ReplyFault::too_long));
  EXPECT_FALSE(reader.take());
}

TEST(SmtpReply, AnEndlessLineIsAFault) {
  ReplyReader reader;
  const std::string endless(1000, 'x');
  std::size_t used = 0;
  for (int i = 0; i < 100; ++i) used += reader.feed(endless);
  EXPECT_EQ(used, ReplyReader::kMaxReply + 1);
  EXPECT_THAT(reader.fault(), Optional(ReplyFault::too_long));
}

TEST(SmtpReply, EachMayBeKMaxReplyOctetsLong) {
  const std::string longest = "250 " + std::string(ReplyReader::kMaxReply - 6, 'x') + "\r\n";
  ASSERT_EQ(longest.size(), ReplyReader::kMaxReply);
  const auto heard = hear(longest + longest);
  EXPECT_THAT(heard.replies, SizeIs(2));
  EXPECT_FALSE(heard.fault);
}

TEST(Offers, GoesByTheFirstWordOfALaterLine) {
  struct Row {
    std::string_view says, line;
    bool offered;
  };
  const Row rows[] = {
      {"the keyword", "STARTTLS", true},
      {"F-15: lower case, RFC 5321 §2.4", "starttls", true},
      {"mixed case", "StartTls", true},
      {"F-15: parameters behind it", "STARTTLS FOO", true},
      {"a tab behind it", "STARTTLS\tFOO", true},
      {"an equals sign behind it, as old servers write AUTH=LOGIN", "STARTTLS=1", true},
      {"not at the begin", "X STARTTLS", false},
      {"a blank in front", " STARTTLS", false},
      {"a longer word", "STARTTLSX", false},
      {"a shorter word", "STARTTL", false},
      {"no word at all", "", false},
      {"another word", "PIPELINING", false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const std::string line{row.line};
    EXPECT_EQ(offers(reply_of("250-mx\r\n250 " + line + "\r\n"), "STARTTLS"), row.offered);
    EXPECT_EQ(offers(reply_of("250-mx\r\n250 " + line + "\r\n"), "starttls"), row.offered);
    EXPECT_FALSE(offers(reply_of("250-" + line + "\r\n250 HELP\r\n"), "STARTTLS"))
        << "the first line is the server's name";
  }
}

TEST(Offers, NothingInAReplyOfOneLineOrNone) {
  EXPECT_FALSE(offers(reply_of("250 STARTTLS\r\n"), "STARTTLS"));
  EXPECT_FALSE(offers(Reply{}, "STARTTLS"));
}

TEST(Offers, ToPostfixGoesByTheWordsThatPostfixReads) {
  struct Row {
    std::string_view says;
    std::string stream;
    bool to_postfix, to_others;
  };
  const Row rows[] = {
      {"as it should be", "250-mx\r\n250-STARTTLS\r\n250 X\r\n", true, true},
      {"a blank behind the separator", "250-mx\r\n250- STARTTLS\r\n250 X\r\n", true, false},
      {"a line without a code, as its second word", "250-mx\r\njunk STARTTLS\r\n250 X\r\n", true,
       false},
      {"a line without a code, as its first", "250-mx\r\nSTARTTLS\r\n250 X\r\n", false, false},
      {"the first line with a word is the name", "250-\r\n250-STARTTLS\r\n250 X\r\n", false, true},
      {"a stray line ahead is none", "junk\r\n250-mx\r\n250 STARTTLS\r\n", true, true},
      {"a stray line ahead makes no name", "junk\r\n250 STARTTLS\r\n", false, false},
      {"within 2048 octets of the reply",
       "250-mx\r\n250-" + times(2035, "x") + "\r\n250 STARTTLS\r\n", true, true},
      {"behind them", "250-mx\r\n250-" + times(2037, "x") + "\r\n250 STARTTLS\r\n", false, true},
      {"behind them, of many lines",
       "250-mx\r\n" + times(60, "250-X-0000-yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n") +
           "250 STARTTLS\r\n",
       false, true},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    EXPECT_EQ(offers_to_postfix(reply_of(row.stream), "starttls"), row.to_postfix);
    EXPECT_EQ(offers(reply_of(row.stream), "starttls"), row.to_others);
  }
}

TEST(MaskedStarttls, F03IsAWordOfItsLengthOverwrittenWithX) {
  struct Row {
    std::string_view says, line;
    bool masked;
  };
  const Row rows[] = {
      {"as Cisco's fixup writes it", "XXXXXXXA", true},
      {"X to the end", "XXXXXXXX", true},
      {"with something behind it", "XXXXXXXA x", true},
      {"STARTTLS itself", "STARTTLS", false},
      {"another length", "XXXXXXX", false},
      {"a longer word", "XXXXXXXXA", false},
      {"an extension of somebody's own", "XCLIENT", false},
      {"not the first word", "HELP XXXXXXXA", false},
      {"nothing", "", false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const std::string line{row.line};
    EXPECT_EQ(has_masked_starttls(reply_of("250-mx\r\n250 " + line + "\r\n")), row.masked);
    EXPECT_FALSE(has_masked_starttls(reply_of("250 " + line + "\r\n")))
        << "the first line is the server's name";
  }
  EXPECT_FALSE(has_masked_starttls(Reply{}));
}

}  // namespace
}  // namespace probes::smtp

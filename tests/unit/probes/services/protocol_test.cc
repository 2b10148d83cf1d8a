#include "probes/services/protocol.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "config/service.h"

// What servers say, as Dovecot, Cyrus, Courier and others say it.
namespace {

using namespace probes::services;
using config::Starttls;

std::string_view word(Line line) {
  switch (line) {
    case Line::more:
      return "more";
    case Line::good:
      return "good";
    case Line::refused:
      return "refused";
    case Line::strange:
      return "strange";
  }
  return "";
}

enum class At { greeting, capabilities, starttls };

const Exchange& exchange_at(Starttls protocol, At at) {
  const auto& known = protocol_of(protocol);
  if (at == At::greeting) return known.greeting;
  return at == At::starttls ? known.starttls : *known.capabilities;
}

struct Case {
  Starttls protocol;
  At at;
  std::string_view line;
  std::string_view want;
  bool is_first = true;
};

TEST(ServiceProtocol, ReadsWhatServersSay) {
  const std::vector<Case> cases{
      {Starttls::imap, At::greeting, "* OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready.", "good"},
      {Starttls::imap, At::greeting, "* PREAUTH welcome", "good"},
      {Starttls::imap, At::greeting, "* BYE too many connections", "refused"},
      {Starttls::imap, At::greeting, "220 mx.example.test ESMTP", "strange"},
      {Starttls::imap, At::greeting, "", "strange"},
      {Starttls::imap, At::capabilities, "* CAPABILITY IMAP4rev1 STARTTLS", "more"},
      {Starttls::imap, At::capabilities, "a1 OK done", "good"},
      {Starttls::imap, At::capabilities, "a1 ok done", "good"},
      {Starttls::imap, At::capabilities, "* BYE idle for too long", "refused"},
      {Starttls::imap, At::starttls, "a2 OK begin", "good"},
      {Starttls::imap, At::starttls, "a2 NO not now", "refused"},
      {Starttls::imap, At::starttls, "a2 BAD what?", "refused"},
      {Starttls::imap, At::starttls, "a1 OK of something else", "strange"},
      {Starttls::pop3, At::greeting, "+OK Dovecot ready. <1.2@mx>", "good"},
      {Starttls::pop3, At::greeting, "-ERR [SYS/TEMP] later", "refused"},
      {Starttls::pop3, At::greeting, "+OKAY", "strange"},
      {Starttls::pop3, At::capabilities, "+OK", "more"},
      {Starttls::pop3, At::capabilities, "STLS", "more", false},
      {Starttls::pop3, At::capabilities, ".", "good", false},
      {Starttls::pop3, At::capabilities, "-ERR unknown command", "refused"},
      {Starttls::pop3, At::starttls, "+OK Begin TLS negotiation now.", "good"},
      {Starttls::sieve, At::greeting, "\"IMPLEMENTATION\" \"Dovecot Pigeonhole\"", "more"},
      {Starttls::sieve, At::greeting, "OK \"ready.\"", "good"},
      {Starttls::sieve, At::greeting, "OK(WARNINGS) \"ready.\"", "good"},
      {Starttls::sieve, At::greeting, "BYE \"too many\"", "refused"},
      {Starttls::sieve, At::starttls, "NO (TRYLATER) \"not now\"", "refused"},
      {Starttls::sieve, At::starttls, "* OK", "strange"},
      {Starttls::none, At::greeting, "* OK", "strange"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(
        word(read_line(one.protocol, exchange_at(one.protocol, one.at), one.line, one.is_first)),
        one.want)
        << one.line;
  }
}

TEST(ServiceProtocol, SeesWhetherStarttlsIsOffered) {
  EXPECT_TRUE(offers_starttls(Starttls::imap, "* CAPABILITY IMAP4rev1 starttls LOGINDISABLED"));
  EXPECT_TRUE(offers_starttls(Starttls::imap, "* OK [CAPABILITY IMAP4rev1 STARTTLS] ready"));
  EXPECT_FALSE(offers_starttls(Starttls::imap, "* CAPABILITY IMAP4rev1 XSTARTTLS"));
  EXPECT_FALSE(offers_starttls(Starttls::imap, "a1 OK STARTTLS"));
  EXPECT_TRUE(offers_starttls(Starttls::pop3, "stls"));
  EXPECT_FALSE(offers_starttls(Starttls::pop3, "+OK STLS"));
  EXPECT_TRUE(offers_starttls(Starttls::sieve, "\"STARTTLS\""));
  EXPECT_FALSE(offers_starttls(Starttls::sieve, "\"SASL\" \"STARTTLS\""));
  EXPECT_FALSE(offers_starttls(Starttls::none, "STARTTLS"));
}

TEST(ServiceProtocol, KnowsBehindTlsWhoGreets) {
  const auto of = [](std::string_view line) {
    const auto greeting = read_greeting(line);
    return greeting ? std::string(config::wire_name(greeting->protocol)) + "/" +
                          std::string(word(greeting->line)) + "/" + std::string(greeting->goodbye)
                    : std::string("nobody");
  };
  EXPECT_EQ(of("* OK ready"), "imap/good/a4 LOGOUT");
  EXPECT_EQ(of("* BYE no"), "imap/refused/a4 LOGOUT");
  EXPECT_EQ(of("+OK ready"), "pop3/good/QUIT");
  EXPECT_EQ(of("220 mx ESMTP"), "smtp/good/QUIT");
  EXPECT_EQ(of("554-no"), "smtp/refused/QUIT");
  EXPECT_EQ(of("\"IMPLEMENTATION\" \"x\""), "sieve/good/LOGOUT");
  EXPECT_EQ(of("HTTP/1.1 400 Bad Request"), "nobody");
  EXPECT_EQ(of("2"), "nobody");
  EXPECT_EQ(of(""), "nobody");
}

}  // namespace

#include "probes/reports/maillog.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace probes::reports {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

config::Time at(const char* text) {
  return *config::parse_rfc3339(text);
}

const auto kNow = at("2026-11-28T20:00:00Z");

std::vector<Delivery> deliveries(MaillogReader& reader, const std::vector<std::string>& lines) {
  std::vector<Delivery> out;
  for (const auto& line : lines) {
    const auto event = reader.read(line);
    if (event && std::holds_alternative<Delivery>(*event))
      out.push_back(std::get<Delivery>(*event));
  }
  return out;
}

std::vector<Delivery> deliveries(const std::vector<std::string>& lines) {
  MaillogReader reader(calendar(kNow));
  return deliveries(reader, lines);
}

std::string tls(std::string_view level, std::string_view host, int pid = 545) {
  return "Nov 28 19:19:20 out postfix-out/smtp[" + std::to_string(pid) +
         "]: " + std::string(level) + " TLS connection established to " + std::string(host) +
         "[127.0.2.1]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)";
}

std::string to(std::string_view id, std::string_view domain, std::string_view relay,
               std::string_view rest, int pid = 545) {
  return "Nov 28 19:19:20 out postfix-out/smtp[" + std::to_string(pid) + "]: " + std::string(id) +
         ": to=<user@" + std::string(domain) + ">, relay=" + std::string(relay) +
         ", delay=0.29, delays=0.04/0.09/0.12/0.04, " + std::string(rest);
}

constexpr auto kSent = "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as E643DA7C697)";

// What Postfix 3.7 logged in the lab.
TEST(Maillog, TiesTheLevelToTheDelivery) {
  const auto got =
      deliveries({tls("Verified", "mx.healthy.test"),
                  to("4jcKpc4yXSz1bsL3", "healthy.test", "mx.healthy.test[127.0.2.1]:25", kSent)});
  EXPECT_THAT(got, ElementsAre(Delivery{.at = at("2026-11-28T19:19:20Z"),
                                        .queue_id = "4jcKpc4yXSz1bsL3",
                                        .domain = "healthy.test",
                                        .host = "mx.healthy.test",
                                        .status = DeliveryStatus::sent,
                                        .level = TlsLevel::verified}));
}

struct LevelRow {
  const char* word;
  TlsLevel level;
};
class EveryLevel : public testing::TestWithParam<LevelRow> {};
TEST_P(EveryLevel, IsPostfixOwnWord) {
  const auto got = deliveries({tls(GetParam().word, "mx.a.test"),
                               to("ABCDEF", "a.test", "mx.a.test[192.0.2.1]:25", kSent)});
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].level, GetParam().level) << GetParam().word;
}
INSTANTIATE_TEST_SUITE_P(Maillog, EveryLevel,
                         testing::Values(LevelRow{"Verified", TlsLevel::verified},
                                         LevelRow{"Trusted", TlsLevel::trusted},
                                         LevelRow{"Untrusted", TlsLevel::untrusted},
                                         LevelRow{"Anonymous", TlsLevel::anonymous},
                                         LevelRow{"Splendid", TlsLevel::unknown}));

struct SetbackRow {
  const char* relay;
  const char* rest;
  DeliveryStatus status;
  Setback setback;
  const char* host;
};
class EverySetback : public testing::TestWithParam<SetbackRow> {};
TEST_P(EverySetback, IsReadFromPostfixOwnWords) {
  const auto& row = GetParam();
  const auto got = deliveries({to("4jcKph5hNvz1bsLQ", "a.test", row.relay, row.rest)});
  ASSERT_EQ(got.size(), 1U) << row.rest;
  EXPECT_EQ(got[0].status, row.status) << row.rest;
  EXPECT_EQ(wire_name(got[0].setback), wire_name(row.setback)) << row.rest;
  EXPECT_EQ(got[0].host, row.host) << row.rest;
}
INSTANTIATE_TEST_SUITE_P(
    Maillog, EverySetback,
    testing::Values(
        SetbackRow{"mx.a.test[127.0.2.8]:25",
                   "dsn=4.7.5, status=deferred (Server certificate not verified)",
                   DeliveryStatus::deferred, Setback::certificate, "mx.a.test"},
        SetbackRow{"mx.a.test[127.0.2.8]:25",
                   "dsn=4.7.5, status=deferred (Server certificate not trusted)",
                   DeliveryStatus::deferred, Setback::certificate, "mx.a.test"},
        SetbackRow{"mx.a.test[127.0.2.9]:25",
                   "dsn=4.7.4, status=deferred (TLS is required, but was not offered by host "
                   "mx.a.test[127.0.2.9])",
                   DeliveryStatus::deferred, Setback::starttls_missing, "mx.a.test"},
        SetbackRow{"mx.a.test[127.0.2.10]:25",
                   "dsn=4.7.0, status=deferred (TLS is required, but host mx.a.test[127.0.2.10] "
                   "refused to start "
                   "TLS: 454 4.7.0 TLS not available due to temporary reason)",
                   DeliveryStatus::deferred, Setback::starttls_refused, "mx.a.test"},
        SetbackRow{"mx.a.test[127.0.2.10]:25",
                   "dsn=4.7.5, status=deferred (Cannot start TLS: handshake failure)",
                   DeliveryStatus::deferred, Setback::handshake, "mx.a.test"},
        SetbackRow{"none", "dsn=4.7.5, status=deferred (TLSA lookup error for mx.other.test:25)",
                   DeliveryStatus::deferred, Setback::tlsa_lookup, "mx.other.test"},
        SetbackRow{"none", "dsn=4.7.5, status=deferred (non DNSSEC destination)",
                   DeliveryStatus::deferred, Setback::dane_demanded, ""},
        SetbackRow{"none", "dsn=4.7.5, status=deferred (no TLSA records found)",
                   DeliveryStatus::deferred, Setback::dane_demanded, ""},
        SetbackRow{"none", "dsn=4.7.5, status=deferred (TLSA records unusable)",
                   DeliveryStatus::deferred, Setback::dane_demanded, ""},
        SetbackRow{"none", "dsn=4.7.5, status=deferred (client TLS configuration problem)",
                   DeliveryStatus::deferred, Setback::own_policy, ""},
        SetbackRow{
            "none",
            "dsn=4.4.3, status=deferred (Host or domain name not found. Name service error for "
            "name=a.test type=MX: Host not found, try again)",
            DeliveryStatus::deferred, Setback::name_lookup, ""},
        SetbackRow{
            "none",
            "dsn=4.4.1, status=deferred (connect to mx.a.test[127.0.2.31]:25: Connection refused)",
            DeliveryStatus::deferred, Setback::unreachable, "mx.a.test"},
        SetbackRow{"none",
                   "dsn=5.1.0, status=bounced (Domain a.test does not accept mail (nullMX))",
                   DeliveryStatus::bounced, Setback::server, ""},
        SetbackRow{
            "mx.a.test[192.0.2.1]:25",
            "dsn=4.2.0, status=deferred (host mx.a.test[192.0.2.1] said: 450 4.2.0 greylisted, "
            "Server certificate not verified (in reply to RCPT TO command))",
            DeliveryStatus::deferred, Setback::server, "mx.a.test"},
        SetbackRow{"none",
                   "dsn=4.7.5, status=deferred (delivery temporarily suspended: TLSA lookup error "
                   "for mx.a.test:25)",
                   DeliveryStatus::deferred, Setback::tlsa_lookup, "mx.a.test"}));

TEST(Maillog, HostsTriedBeforeAreTold) {
  const auto got = deliveries(
      {tls("Untrusted", "mx1.downgrade.test"),
       "Nov 28 19:21:09 out postfix-out/smtp[545]: 4jcKrj1zmpz1brsX: Server certificate not "
       "verified",
       tls("Untrusted", "mx2.downgrade.test"),
       to("4jcKrj1zmpz1brsX", "downgrade.test", "mx2.downgrade.test[127.0.2.26]:25", kSent)});
  ASSERT_EQ(got.size(), 1U);
  EXPECT_THAT(got[0].before, ElementsAre(TriedHost{"mx1.downgrade.test", Setback::certificate}));
  EXPECT_EQ(got[0].level, TlsLevel::untrusted);
}

TEST(Maillog, ASessionIsForOneMessage) {
  const auto got = deliveries({tls("Verified", "mx.a.test"),
                               to("AAAAAA", "a.test", "mx.a.test[1.2.3.4]:25", kSent),
                               to("AAAAAA", "b.test", "mx.a.test[1.2.3.4]:25", kSent),
                               to("BBBBBB", "a.test", "mx.a.test[1.2.3.4]:25", kSent)});
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[1].level, TlsLevel::verified) << "another recipient of the same message";
  EXPECT_EQ(got[2].level, TlsLevel::none) << "a session without a line about TLS was in the clear";
}

// Postfix says of a session with TLS that it is used again; one it says nothing of is in the clear.
TEST(Maillog, AReusedSessionHasTheLevelThatIsSaidOfIt) {
  auto reused = tls("Verified", "mx.a.test");
  reused.replace(reused.find("established"), 11, "reused");
  const auto got = deliveries({tls("Verified", "mx.a.test"),
                               to("AAAAAA", "a.test", "mx.a.test[1.2.3.4]:25", kSent), reused,
                               to("BBBBBB", "a.test", "mx.a.test[1.2.3.4]:25,conn_use=2", kSent),
                               to("CCCCCC", "a.test", "mx.a.test[1.2.3.4]:25,conn_use=3", kSent)});
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[1].host, "mx.a.test");
  EXPECT_EQ(got[1].level, TlsLevel::verified);
  EXPECT_EQ(got[2].level, TlsLevel::none);
}

// An agent that is killed anywhere in a log and goes on behind what it had saved.
TEST(Maillog, ARestartAnywhereLosesNothing) {
  const std::vector<std::string> lines{
      tls("Verified", "mx.a.test"),
      to("ABCDEF", "a.test", "mx.a.test[192.0.2.1]:25", kSent),
      to("ABCDEF", "a.test", "mx.a.test[192.0.2.1]:25", kSent),
      tls("Untrusted", "mx1.b.test", 7),
      "Nov 28 19:19:20 out postfix-out/smtp[7]: BCDEFA: Server certificate not verified",
      tls("Verified", "mx2.b.test", 7),
      to("BCDEFA", "b.test", "mx2.b.test[192.0.2.2]:25", kSent, 7),
      "Nov 28 19:31:20 out postfix-out/smtp[9]: connect to mx.c.test[192.0.2.3]:25: timed out",
      "Nov 28 19:31:21 out postfix-out/smtp[9]: CDEFAB: to=<user@c.test>, "
      "relay=mx.c.test[192.0.2.3]:25, delay=1, " +
          std::string(kSent)};
  const auto whole = deliveries(lines);
  ASSERT_EQ(whole.size(), 4U);
  EXPECT_EQ(whole[2].before.size(), 1U);
  EXPECT_EQ(whole[3].level, TlsLevel::none) << "read for long enough to know";
  for (std::size_t cut = 0; cut <= lines.size(); ++cut) {
    const auto middle = lines.begin() + static_cast<std::ptrdiff_t>(cut);
    MaillogReader before(calendar(kNow)), after(calendar(kNow));
    auto got = deliveries(before, {lines.begin(), middle});
    after.restore(before.state());
    for (auto& one : deliveries(after, {middle, lines.end()})) got.push_back(std::move(one));
    EXPECT_EQ(got, whole) << "cut before line " << cut;
  }
}

TEST(Maillog, AStateIsBoundedAndOneThatIsNoneIsPassedOver) {
  MaillogReader reader(calendar(kNow));
  (void)reader.read(
      "Nov 28 18:00:00 out postfix/smtp[1]: Verified TLS connection established to "
      "mx.old.test[192.0.2.1]:25: x");
  for (int i = 0; i < 3000; ++i) (void)reader.read(tls("Verified", "mx.a.test", 1000 + i));
  (void)reader.read(
      "Nov 28 19:19:20 out \xff/smtp[1]: Verified TLS connection established to "
      "mx.a.test[192.0.2.1]:25: x");
  const auto state = reader.state();
  EXPECT_LT(state.size(), 300 * MaillogReader::kMostRemembered);
  EXPECT_THAT(state, testing::Not(HasSubstr("mx.old.test"))) << "that session has long ended";
  for (const auto* bad : {"", "[]", "{}", R"({"clients":{"a":1},"tls":true})",
                          R"({"clients":{"a":{"host":1}},"tls":true})"}) {
    MaillogReader other(calendar(kNow));
    other.restore(bad);
    EXPECT_EQ(other.state(), MaillogReader(calendar(kNow)).state()) << bad;
  }
}

TEST(Maillog, WhatGoesToAnotherPortIsNotToAnMxHost) {
  EXPECT_TRUE(deliveries({to("AAAAAA", "a.test", "127.0.0.1[127.0.0.1]:10024", kSent),
                          to("AAAAAA", "a.test", "relay.a.test[1.2.3.4]:587", kSent)})
                  .empty());
}

TEST(Maillog, ALineOfYearsToComeIsNotBelieved) {
  auto line = to("AAAAAA", "a.test", "mx.a.test[1.2.3.4]:25", kSent);
  line.replace(0, 15, "9999-01-01T00:00:00Z");
  EXPECT_TRUE(deliveries({line}).empty());
}

TEST(Maillog, ProcessesAreToldApart) {
  const auto got = deliveries({to("CCCCCC", "c.test", "mx.a.test[1.2.3.4]:25", kSent, 7),
                               tls("Verified", "mx.a.test", 5),
                               to("AAAAAA", "a.test", "mx.a.test[1.2.3.4]:25", kSent, 7)});
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[1].level, TlsLevel::none);
}

TEST(Maillog, WithoutLinesAboutTlsNothingIsKnownOfIt) {
  const auto got = deliveries({to("AAAAAA", "a.test", "mx.a.test[1.2.3.4]:25", kSent),
                               to("BBBBBB", "a.test", "mx.a.test[1.2.3.4]:25", kSent)});
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].level, TlsLevel::unknown);
  EXPECT_EQ(got[1].level, TlsLevel::unknown);
}

struct FieldRow {
  const char* tls;
  TlsLevel level;
};
class TlsField : public testing::TestWithParam<FieldRow> {};
TEST_P(TlsField, SaysTheLevelWhereNothingElseDoes) {
  const auto got = deliveries({to("AAAAAA", "a.test", "mx.a.test[1.2.3.4]:25",
                                  std::string("tls=") + GetParam().tls + ", " + kSent)});
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].level, GetParam().level) << GetParam().tls;
}
INSTANTIATE_TEST_SUITE_P(
    Maillog, TlsField,
    testing::Values(
        FieldRow{"dane", TlsLevel::verified}, FieldRow{"half-dane", TlsLevel::trusted},
        FieldRow{"may", TlsLevel::untrusted}, FieldRow{"may:none", TlsLevel::none},
        FieldRow{"encrypt/(requiretls)", TlsLevel::untrusted},
        FieldRow{"dane:may", TlsLevel::untrusted}, FieldRow{"dane:half-dane", TlsLevel::trusted},
        FieldRow{"dane:none/requiretls:none", TlsLevel::none},
        FieldRow{"(may:none)", TlsLevel::none}, FieldRow{"(dane:may)", TlsLevel::untrusted},
        FieldRow{"(dane)/requiretls", TlsLevel::verified}, FieldRow{"!dane:may", TlsLevel::unknown},
        FieldRow{"!(dane:may)", TlsLevel::unknown}, FieldRow{"(dane)?", TlsLevel::unknown},
        FieldRow{"dane/!requiretls", TlsLevel::verified}, FieldRow{"requiretls", TlsLevel::unknown},
        FieldRow{"(", TlsLevel::unknown}, FieldRow{"()", TlsLevel::unknown},
        FieldRow{"dane:", TlsLevel::unknown}, FieldRow{"!dane", TlsLevel::unknown},
        FieldRow{"may?", TlsLevel::unknown}, FieldRow{"none", TlsLevel::none},
        FieldRow{"secure", TlsLevel::verified}, FieldRow{"tomorrow's", TlsLevel::unknown}));

struct FormRow {
  const char* line;
};
class EveryForm : public testing::TestWithParam<FormRow> {};
TEST_P(EveryForm, IsRead) {
  const auto got = deliveries({GetParam().line});
  ASSERT_EQ(got.size(), 1U) << GetParam().line;
  EXPECT_EQ(config::rfc3339(got[0].at), "2026-11-28T19:19:20Z") << GetParam().line;
  EXPECT_EQ(got[0].domain, "a.test");
}
#define DELIVERED                                                                           \
  "4jcKpc4yXSz1bsL3: to=<x@a.test>, relay=mx.a.test[1.2.3.4]:25, delay=1, delays=0/0/0/1, " \
  "dsn=2.0.0, status=sent (ok)"
INSTANTIATE_TEST_SUITE_P(
    Maillog, EveryForm,
    testing::Values(
        FormRow{"Nov 28 19:19:20 out postfix/smtp[1]: " DELIVERED},
        FormRow{"2026-11-28T19:19:20.123456+00:00 out postfix/smtp[1]: " DELIVERED},
        FormRow{"2026-11-28T20:19:20+0100 out postfix-out/smtp[1]: " DELIVERED},
        FormRow{"2026-11-28T19:19:20Z out postfix/relay/smtp[1]: " DELIVERED},
        FormRow{"2026-11-28T19:19:20.5 out postfix/smtp[1]: " DELIVERED},
        FormRow{"2026-11-28 19:19:20 out postfix/smtp[1]: " DELIVERED},
        FormRow{"2026-11-28 20:19:20.123+01:00 out postfix/smtp[1]: " DELIVERED},
        FormRow{"<22>Nov 28 19:19:20 out postfix/smtp[1]: " DELIVERED},
        FormRow{"<22>1 2026-11-28T19:19:20.1Z out postfix/smtp 1 - - " DELIVERED},
        FormRow{"1 2026-11-28T19:19:20Z out postfix/smtp 1 - [x a=\"b\"] \xEF\xBB\xBF" DELIVERED},
        FormRow{"<22>1 2026-11-28T19:19:20Z out postfix/smtp - - - " DELIVERED},
        FormRow{"<22>1 2026-11-28T19:19:20Z out postfix/smtp[1] - - - " DELIVERED},
        FormRow{"<22>1 2026-11-28T19:19:20Z out postfix/smtp 1 - [x y=\"a\\] \\\"b\"] " DELIVERED},
        FormRow{"<22>1 2026-11-28T19:19:20Z out postfix/smtp 1 - [x y=\"a] b\"][z] " DELIVERED},
        FormRow{"Nov 28 19:19:20 out mail.info postfix/smtp[1]: " DELIVERED},
        FormRow{"Nov 28 19:19:20 <mail.info> out postfix/smtp[1]: " DELIVERED},
        FormRow{"Nov 28 19:19:20 out postfix/smtp[1]: [ID 197553 mail.info] " DELIVERED},
        FormRow{"Nov 28 19:19:20 postfix/smtp[1]: " DELIVERED},
        FormRow{"Nov 28 19:19:20 out postfix/smtp: " DELIVERED}));

// The line about the message does not name the host; that of the library does, and the session
// before was another message's.
TEST(Maillog, AHandshakeThatFailsIsOfTheHostThatItWasWith) {
  const std::string head = "Nov 28 19:19:20 out postfix/smtp[1]: ";
  const auto got = deliveries(
      {head + "Verified TLS connection established to mx.stranger.test[1.2.3.9]:25: TLSv1.3",
       head + "AAAAAA1: to=<x@stranger.test>, relay=mx.stranger.test[1.2.3.9]:25, delay=1, "
              "delays=0/0/0/1, dsn=2.0.0, status=sent (ok)",
       head + "SSL_connect error to mx1.a.test[1.2.3.4]:25: lost connection",
       head + "BBBBBB1: Cannot start TLS: handshake failure",
       head + "Verified TLS connection established to mx2.a.test[1.2.3.5]:25: TLSv1.3",
       head + "BBBBBB1: to=<x@a.test>, relay=mx2.a.test[1.2.3.5]:25, delay=1, delays=0/0/0/1, "
              "dsn=2.0.0, status=sent (ok)",
       head + "CCCCCC1: Cannot start TLS: handshake failure",
       head + "CCCCCC1: to=<x@a.test>, relay=mx2.a.test[1.2.3.5]:25, delay=1, delays=0/0/0/1, "
              "dsn=2.0.0, status=sent (ok)"});
  ASSERT_EQ(got.size(), 3U);
  EXPECT_THAT(got[1].before, ElementsAre(TriedHost{"mx1.a.test", Setback::handshake}));
  EXPECT_THAT(got[2].before, testing::IsEmpty()) << "nobody said with whom";
}

TEST(Maillog, TellsLinesOfNoLogFromThoseOfOtherPrograms) {
  MaillogReader reader(calendar(kNow));
  for (int i = 0; i < 3; ++i) (void)reader.read("[28/Nov/2026:19:19:20] postfix/smtp[1]: x");
  (void)reader.read("");
  EXPECT_EQ(reader.strange(), 3U);
  (void)reader.read("Nov 28 19:19:20 out dovecot: imap-login: Login");
  EXPECT_EQ(reader.strange(), 0U);
  (void)reader.read("<22>x");
  (void)reader.read("1 2");
  EXPECT_EQ(reader.strange(), 2U);
  (void)reader.read("<22>1 2026-11-28T19:19:20Z out kernel - - - x");
  EXPECT_EQ(reader.strange(), 0U);
  for (const auto* line : {"Nov 28 19:19:20 out|mail|postfix/smtp[1]| x", "Nov 28 19:19:20 out",
                           "2026-11-28T19:19:20Z out [postfix/smtp] x",
                           "<22>1 2026-11-28T19:19:20Z out postfix/smtp 1 - [x y=\"] x"})
    (void)reader.read(line);
  EXPECT_EQ(reader.strange(), 4U) << "a moment that is known is not enough";
}

TEST(Maillog, AJournalsExportIsRead) {
  const auto got =
      deliveries({"__CURSOR=s=1;i=2", "__REALTIME_TIMESTAMP=1795893560123456", "_PID=7",
                  "SYSLOG_IDENTIFIER=postfix/smtp", "MESSAGE=" DELIVERED, "SYSLOG_PID=9", ""});
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(config::rfc3339(got[0].at), "2026-11-28T19:19:20Z");
}

// As journalctl prints what does not fit into a line: its length in front.
std::string binary_field(const std::string& name, const std::string& value) {
  std::string out = name + '\n';
  for (std::uint64_t rest = value.size(), i = 0; i < 8; ++i, rest >>= 8U)
    out += static_cast<char>(rest & 0xFFU);
  return out + value + '\n';
}

std::vector<Delivery> exported(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return deliveries(lines);
}

const std::string kEntry =
    "__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1795893560123456\n_PID=7\n"
    "SYSLOG_IDENTIFIER=postfix/smtp\n";

TEST(Maillog, AFieldOfAnExportWithItsLengthIsNoOther) {
  const std::string forged =
      "\n\nMESSAGE=" DELIVERED
      "\n\n__CURSOR=s=1;i=3\nNov 28 19:19:20 out postfix/smtp[1]: " DELIVERED "\n";
  EXPECT_TRUE(exported(kEntry + binary_field("MESSAGE", "x" + forged) + "\n").empty());
  EXPECT_TRUE(exported(kEntry + binary_field("ANYTHING", forged) + "\n").empty());
  for (std::size_t size = 0; size < 600; ++size) {
    const auto got = exported(kEntry + binary_field("ANYTHING", std::string(size, '\n')) +
                              "MESSAGE=" DELIVERED "\n\n");
    EXPECT_EQ(got.size(), 1U) << size << " octets, of which its length may have a line end";
  }
  EXPECT_EQ(exported(kEntry + binary_field("MESSAGE", DELIVERED) + "\n").size(), 1U);
}

TEST(Maillog, AnEntryOfAnExportThatIsNotWellFormedSaysNothing) {
  const std::string good = kEntry + "MESSAGE=" DELIVERED "\n\n";
  for (const auto& bad : {
           kEntry + "no name\nMESSAGE=" DELIVERED "\n\n",
           kEntry + "=x\nMESSAGE=" DELIVERED "\n\n",
           kEntry + std::string("A\n\1\0\0\0\0\0\0\0xyz\n", 14) + "MESSAGE=" DELIVERED "\n\n",
           kEntry + std::string("A\n\377\377\377\377\377\377\377\377x\n", 12) +
               "MESSAGE=" DELIVERED "\n\n",
           kEntry + "Nov 28 19:19:20 out postfix/smtp[1]: " DELIVERED "\n\n",
       })
    EXPECT_EQ(exported(bad + good).size(), 1U) << bad;
  EXPECT_EQ(exported(kEntry + "MESSAGE=x\nMESSAGE=" DELIVERED "\n\n").size(), 0U)
      << "the first of a name counts";
  EXPECT_EQ(exported(kEntry + "_UID=1000\nMESSAGE=" DELIVERED "\n\n").size(), 0U) << "of people";
  EXPECT_EQ(exported(kEntry + "_COMM=logger\nMESSAGE=" DELIVERED "\n\n").size(), 0U);
  EXPECT_EQ(exported(kEntry + "_UID=0\n_COMM=smtp\nMESSAGE=" DELIVERED "\n\n").size(), 1U);
}

TEST(Maillog, OfALongFieldOfAnExportTheBeginningIsEnough) {
  MaillogReader reader(calendar(kNow));
  for (const auto* line : {"__CURSOR=x", "__REALTIME_TIMESTAMP=1795893560123456", "A"})
    EXPECT_FALSE(reader.read(line));
  EXPECT_FALSE(reader.read(std::string("\0\0\1\0\0\0\0\0xxx", 11), 8 + 65536));
  for (const auto* line : {"SYSLOG_IDENTIFIER=postfix/smtp", "MESSAGE=" DELIVERED})
    EXPECT_FALSE(reader.read(line));
  EXPECT_TRUE(reader.read(""));
}

TEST(Maillog, TraditionalLinesAreOfTheLastTwelveMonths) {
  LogLineReader reader(calendar(at("2027-01-01T00:30:00Z")));
  EXPECT_EQ(config::rfc3339(reader.read("Dec 31 23:59:59 h p/smtp[1]: x")->at),
            "2026-12-31T23:59:59Z");
  EXPECT_EQ(config::rfc3339(reader.read("Jan  1 00:10:00 h p/smtp[1]: x")->at),
            "2027-01-01T00:10:00Z");
  EXPECT_EQ(config::rfc3339(reader.read("Jan  1 01:10:00 h p/smtp[1]: x")->at),
            "2027-01-01T01:10:00Z")
      << "a clock that is ahead";
  EXPECT_EQ(config::rfc3339(reader.read("Feb 29 01:10:00 h p/smtp[1]: x")->at),
            "2024-02-29T01:10:00Z");
  EXPECT_FALSE(reader.read("Feb 30 01:10:00 h p/smtp[1]: x"));
}

TEST(Maillog, TheZoneOfTraditionalLinesIsTheCallers) {
  LogLineReader reader(calendar(kNow, std::chrono::hours{2}));
  EXPECT_EQ(config::rfc3339(reader.read("Nov 28 19:19:20 h p/smtp[1]: x")->at),
            "2026-11-28T17:19:20Z");
}

struct AddressRow {
  const char* to;
  const char* domain;  // null: no delivery
  const char* says;
};
class Addresses : public testing::TestWithParam<AddressRow> {};
TEST_P(Addresses, OnlyTheDomainIsRead) {
  const auto& row = GetParam();
  const auto got =
      deliveries({"Nov 28 19:19:20 out postfix/smtp[1]: ABCDEF: " + std::string(row.to) +
                  ", relay=mx.a.test[1.2.3.4]:25, delay=1, dsn=2.0.0, status=sent (ok)"});
  ASSERT_EQ(got.size(), row.domain != nullptr ? 1U : 0U) << row.says;
  if (row.domain == nullptr) return;
  EXPECT_EQ(got[0].domain, row.domain) << row.says;
  EXPECT_EQ(got[0].host, "mx.a.test") << row.says;
}
INSTANTIATE_TEST_SUITE_P(
    Maillog, Addresses,
    testing::Values(AddressRow{"to=<x@A.Test>", "a.test", "lower case"},
                    AddressRow{"to=<x@b.test>, orig_to=<root>", "b.test", "aliases"},
                    AddressRow{"to=<x@m\xC3\xBCller.test>", "xn--mller-kva.test", "SMTPUTF8"},
                    AddressRow{"to=<\"x>, relay=evil.test[6.6.6.6]:25, status=bounced (\"@a.test>",
                               "a.test", "a quoted local part that plays fields"},
                    AddressRow{"to=<\"x\\\">, relay=evil.test[6.6.6.6]:25\"@a.test>", "a.test",
                               "an escaped quote in it"},
                    AddressRow{"to=<\"x@evil.test\"@a.test>", "a.test", "the last @ counts"},
                    AddressRow{"to=<x@[192.0.2.1]>", nullptr, "an address literal has no domain"},
                    AddressRow{"to=<root>", nullptr, "a local user"},
                    AddressRow{"to=<x@a..test>", nullptr, "no name"},
                    AddressRow{"to=<x@-a.test>", nullptr, "no name"}));

TEST(Maillog, WhatAServerSaysIsNotTakenForPostfixWords) {
  const auto got = deliveries({to("ABCDEF", "a.test", "mx.a.test[1.2.3.4]:25",
                                  "dsn=4.2.0, status=deferred (host mx.a.test[1.2.3.4] said: 450 "
                                  "x, relay=evil.test[6.6.6.6]:25, tls=dane, "
                                  "status=sent (250 ok))")});
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].status, DeliveryStatus::deferred);
  EXPECT_EQ(got[0].host, "mx.a.test");
  EXPECT_EQ(got[0].setback, Setback::server);
}

TEST(Maillog, RemovalEndsTheWait) {
  MaillogReader reader(calendar(kNow));
  const auto removed = [&](const std::string& line) {
    const auto event = reader.read(line);
    return event && std::holds_alternative<Removed>(*event) ? std::get<Removed>(*event).queue_id
                                                            : "";
  };
  EXPECT_EQ(removed("Nov 28 19:19:20 out postfix/qmgr[5]: 4jcKpc4yXSz1bsL3: removed"),
            "4jcKpc4yXSz1bsL3");
  EXPECT_EQ(removed("Nov 28 19:19:20 out postfix/postsuper[5]: A1B2C3D4: removed"), "A1B2C3D4");
  EXPECT_EQ(removed("Nov 28 19:19:20 out postfix/qmgr[5]: A1B2C3D4: from=<x@y.test>, "
                    "status=expired, returned to sender"),
            "A1B2C3D4");
  EXPECT_EQ(removed("Nov 28 19:19:20 out postfix/smtpd[5]: A1B2C3D4: removed"), "");
}

TEST(Maillog, WhatIsPutIntoTheQueueAnewGoesOnUnderAnotherName) {
  const auto told = [](const std::string& rest) {
    MaillogReader reader(calendar(kNow));
    const auto event = reader.read("Nov 28 19:19:20 out postfix/pickup[5]: B1B2C3D4: " + rest);
    return event ? std::get<Removed>(*event) : Removed{};
  };
  EXPECT_EQ(told("uid=111 from=<x@y.test> orig_id=4jcKpc4yXSz1bsL3"),
            (Removed{.queue_id = "4jcKpc4yXSz1bsL3", .goes_on_as = "B1B2C3D4"}));
  EXPECT_EQ(told("uid=1000 from=<x@y.test>"), Removed{}) << "new mail";
  EXPECT_EQ(told("uid=1000 from=<x> orig_id=4jcKpc4yXSz1bsL3>"), Removed{})
      << "a sender who calls himself so";
}

TEST(Maillog, OtherLinesSayNothing) {
  MaillogReader reader(calendar(kNow));
  for (const auto* line : {"", " ", "x", "Nov 28", "Nov 28 19:19:20", "Nov 28 19:19:20 out",
                           "Nov 28 19:19:20 out postfix/smtp[1]: ",
                           "Nov 28 19:19:20 out postfix/smtpd[1]: connect from unknown[1.2.3.4]",
                           "Nov 28 19:19:20 out postfix/smtp[1]: ABCDEF: to=<x@a.test",
                           "Nov 28 19:19:20 out postfix/smtp[1]: ABCDEF: to=<",
                           "Nov 28 19:19:20 out postfix/local[1]: ABCDEF: to=<x@a.test>, "
                           "relay=local, delay=1, dsn=2.0.0, status=sent (d)",
                           "Nov 28 19:19:20 out dovecot: imap(x@a.test)", "<22>", "<22>1 2026",
                           "2026-11-28T19:19:20", "2026-13-28T19:19:20Z h p/smtp[1]: x"})
    EXPECT_FALSE(reader.read(line)) << line;
}

TEST(Maillog, MemoryIsBounded) {
  MaillogReader reader(calendar(kNow));
  for (int pid = 1; pid < 20'000; ++pid) (void)reader.read(tls("Verified", "mx.a.test", pid));
  const auto got = deliveries(reader, {tls("Verified", "mx.a.test", 1),
                                       to("ABCDEF", "a.test", "mx.a.test[1.2.3.4]:25", kSent, 1)});
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].level, TlsLevel::verified);
  EXPECT_FALSE(reader.read(std::string(1'000'000, 'x')));
}

}  // namespace
}  // namespace probes::reports

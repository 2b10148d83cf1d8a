#include "probes/explain.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace probes {
namespace {

using namespace std::string_view_literals;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// ---- services

TEST(Explain, SpeaksOfAServiceThatIsDownByItsOwnPort) {
  const auto told = explain(
      {.code = Code::host_down, .subject = {.kind = Subject::Kind::host, .name = "mx.a.test:993"}});
  EXPECT_EQ(told.title, "mx.a.test:993: no session");
  EXPECT_THAT(told.fix, testing::ElementsAre(HasSubstr("port 993 is open")));
  EXPECT_THAT(told.explanation, Not(HasSubstr("SMTP")));
  const auto beside = explain(
      {.code = Code::no_dane, .subject = {.kind = Subject::Kind::host, .name = "mx.a.test:993"}});
  EXPECT_EQ(beside.senders_now, "This keeps no mail program from connecting.")
      << "whether another trouble does is not its business";
}

// ---- printable

TEST(Printable, S07MakesTextFromOutsideHarmless) {
  struct Row {
    std::string_view says, text, want;
  };
  const Row rows[] = {
      {"nothing", "", ""},
      {"plain text", "220 mx.example.org ESMTP Postfix", "220 mx.example.org ESMTP Postfix"},
      {"quotes and angle brackets are the page's business", "<b>\"'&", "<b>\"'&"},
      {"text of other scripts", "Grüße, 例え, 😀", "Grüße, 例え, 😀"},
      {"a terminal's escape", "\x1b[31mred", "\\x1b[31mred"},
      {"line ends: no line of a log can be forged", "a\r\nb", "a\\x0d\\x0ab"},
      {"a tab", "a\tb", "a\\x09b"},
      {"NUL, in the middle", "a\0b"sv, "a\\x00b"},
      {"the last control character", "\x1f", "\\x1f"},
      {"a blank is text", " ", " "},
      {"DEL", "\x7f", "\\x7f"},
      {"a backslash, so that nobody forges our escapes", "\\x1b", "\\\\x1b"},
      {"C1 controls, which some terminals obey", "\xc2\x9b", "\\xc2\\x9b"},
      {"the first character that is no C1 control", "\xc2\xa0", "\xc2\xa0"},

      {"an octet that is no UTF-8", "\xff", "\\xff"},
      {"Latin-1",
       "Gr\xfc\xdf"
       "e",
       "Gr\\xfc\\xdfe"},
      {"a continuation alone", "\x80", "\\x80"},
      {"a sequence cut short by the end", "\xe4\xbe", "\\xe4\\xbe"},
      {"a sequence cut short where the text ends, not what is behind", "äö"sv.substr(0, 3),
       "ä\\xc3"},
      {"a sequence cut short by text", "\xe4\xbe!", "\\xe4\\xbe!"},
      {"an overlong NUL", "\xc0\x80", "\\xc0\\x80"},
      {"an overlong slash in three octets", "\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
      {"an overlong ESC in four octets", "\xf0\x80\x80\x9b", "\\xf0\\x80\\x80\\x9b"},
      {"an overlong letter", "\xc1\xa1", "\\xc1\\xa1"},
      {"the last overlong character in three octets", "\xe0\x9f\xbf", "\\xe0\\x9f\\xbf"},
      {"the first that needs three octets", "\xe0\xa0\x80", "\xe0\xa0\x80"},
      {"the last overlong character in four octets", "\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"},
      {"the first that needs four octets", "\xf0\x90\x80\x80", "\xf0\x90\x80\x80"},
      {"a surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80"},
      {"the last before the surrogates", "\xed\x9f\xbf", "\xed\x9f\xbf"},
      {"the last code point", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
      {"behind the last code point", "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
      {"five octets", "\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"},

      {"line separator", "a\u2028b", "a\\xe2\\x80\\xa8b"},
      {"paragraph separator", "a\u2029b", "a\\xe2\\x80\\xa9b"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    EXPECT_EQ(printable(row.text), row.want);
  }
}

TEST(Printable, NoMarkTurnsTheDirectionOfText) {
  // All of Bidi_Control (Unicode TR 9 §2).
  const std::string_view marks[] = {"\u061c", "\u200e", "\u200f", "\u202a", "\u202b", "\u202c",
                                    "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"};
  for (const auto mark : marks) {
    const auto shown = printable(mark);
    EXPECT_TRUE(std::ranges::all_of(shown, [](char c) { return c > ' ' && c < '\x7f'; })) << shown;
    EXPECT_THAT(shown, StartsWith("\\x"));
  }
  for (const std::string_view neighbour : {"\u061b", "\u200d", "\u2010", "\u202f", "\u206a"})
    EXPECT_EQ(printable(neighbour), neighbour);
}

TEST(Printable, LongTextIsCutAndSaysSo) {
  EXPECT_EQ(printable(std::string(512, 'a')), std::string(512, 'a'));
  EXPECT_EQ(printable(std::string(513, 'a')), std::string(512, 'a') + "…");
  EXPECT_EQ(printable("abcdef", 3), "abc…");
  EXPECT_EQ(printable("abc", 3), "abc");
  EXPECT_EQ(printable("a", 0), "…");
  EXPECT_EQ(printable("", 0), "");
}

TEST(Printable, CutsBetweenCharactersAndEscapes) {
  EXPECT_EQ(printable("äää", 3), "ää…");
  EXPECT_EQ(printable("\x1b\x1b\x1b", 5), "\\x1b\\x1b…");
  EXPECT_EQ(printable("\\\\\\", 1), "\\\\…");
}

TEST(Printable, BoundsWhatHugeTextCosts) {
  EXPECT_LE(printable(std::string(std::size_t{10} << 20, '\x1b')).size(), 512U + 8);
}

// ---- explain

Finding finding(Code code, std::string_view name = "mx.example.org") {
  return {.code = code, .subject = {.kind = Subject::Kind::host, .name = std::string{name}}};
}

bool is_sentence(std::string_view text) {
  return text.size() > 5 && (text.ends_with('.') || text.ends_with(')')) && text.front() != ' ';
}

TEST(Explain, EveryCodeIsExplainedInFull) {
  for (const auto code : all_codes()) {
    SCOPED_TRACE(wire_name(code));
    const auto out = explain(finding(code));
    EXPECT_THAT(out.title, HasSubstr("mx.example.org"));
    EXPECT_FALSE(out.title.ends_with('.')) << "a title is no sentence";
    EXPECT_GT(out.title.size(), "mx.example.org: "sv.size());
    EXPECT_TRUE(is_sentence(out.explanation)) << out.explanation;
    EXPECT_TRUE(is_sentence(out.senders_now)) << out.senders_now;
    EXPECT_THAT(out.fix, Not(IsEmpty()));
    for (const auto& step : out.fix) {
      EXPECT_TRUE(is_sentence(step) || step.ends_with('?')) << step;
    }
    EXPECT_THAT(out.references, Not(IsEmpty()));
    EXPECT_THAT(out.references, Each(StartsWith("RFC ")));
  }
}

// Read at night: commands can be pasted as they stand.
TEST(Explain, StepsNameTheHostTheDomainAndTheZoneThatTheyAreAbout) {
  for (const auto code : all_codes()) {
    SCOPED_TRACE(wire_name(code));
    auto one = finding(code);
    one.root = Subject{.kind = Subject::Kind::zone, .name = "example.org"};
    for (const auto& step : explain(one).fix) {
      for (const auto* placeholder : {"HOST", " DOMAIN", ".DOMAIN", "@DOMAIN", "ZONE", " NAME"})
        EXPECT_THAT(step, Not(HasSubstr(placeholder)));
    }
  }
  EXPECT_THAT(explain(finding(Code::ds_broken)).fix.front(), HasSubstr("dig DS ZONE"))
      << "where it is not known";
}

TEST(Explain, WhatDanelawCannotSeeIsSaidInWords) {
  const auto title = [](const char* check) {
    return explain({.code = Code::monitor_fault,
                    .subject = {.kind = Subject::Kind::monitor, .name = check}})
        .title;
  };
  EXPECT_EQ(title("dns"), "danelaw cannot see: DNS lookups fail");
  EXPECT_EQ(title("smtp_ipv6"), "danelaw cannot see: port 25 cannot be reached over IPv6");
}

TEST(Explain, ATrustAnchorFileThatLacksAKeyBlindsNobodyYet) {
  const auto told = explain({.code = Code::monitor_fault,
                             .subject = {.kind = Subject::Kind::monitor, .name = "trust_anchor"}});
  EXPECT_THAT(told.explanation, HasSubstr("checks go on"));
  EXPECT_THAT(told.explanation, Not(HasSubstr("Nothing is known")));
  EXPECT_THAT(told.fix.back(), HasSubstr("by itself"));
}

TEST(Explain, NoTextHoldsAPlaceholderOrNeedsEscaping) {
  for (const auto code : all_codes()) {
    SCOPED_TRACE(wire_name(code));
    const auto out = explain(finding(code));
    std::vector<std::string> texts = out.fix;
    texts.insert(texts.end(), {out.title, out.explanation, out.senders_now});
    texts.insert(texts.end(), out.references.begin(), out.references.end());
    for (const auto& text : texts) {
      EXPECT_THAT(text, Not(HasSubstr("{")));
      EXPECT_EQ(printable(text, 4096), text);
    }
  }
}

TEST(Explain, EveryCodeHasATitleOfItsOwn) {
  std::set<std::string> titles;
  for (const auto code : all_codes()) titles.insert(explain(finding(code)).title);
  EXPECT_EQ(titles.size(), kCodeCount);
}

TEST(Explain, TheRowIsThatOfTheCode) {
  // One of each stretch of the table: a row put in or left out shifts all behind it.
  const std::pair<Code, std::string_view> rows[] = {
      {Code::tlsa_mismatch, "the certificate matches no TLSA record"},
      {Code::starttls_stripped, "overwrites STARTTLS"},
      {Code::certificate_expiring, "expires soon"},
      {Code::mx_lookup_failed, "MX lookup fails"},
      {Code::ds_broken, "DS record"},
      {Code::early_retire, "record of the key in use was removed"},
      {Code::rrsig_expiring, "signatures expire soon"},
      {Code::all_unusable, "can be used"},
      {Code::rollover_stuck, "rollover"},
      {Code::no_dane, "no TLSA records"},
      {Code::nsec3_parameters, "NSEC3"},
      {Code::mta_sts_conflict, "MTA-STS"},
      {Code::null_mx, "takes no mail"},
      {Code::selector_cert, "whole certificate"},
      {Code::monitor_fault, "danelaw cannot see"},
  };
  for (const auto& [code, words] : rows)
    EXPECT_THAT(explain(finding(code)).title, HasSubstr(words));
}

TEST(Explain, WhatOnlyCachesRefuseIsNotToBePublishedAgain) {
  auto mended = finding(Code::tlsa_mismatch);
  mended.is_in_caches_only = true;
  const auto words = explain(mended);
  EXPECT_THAT(words.title, HasSubstr("put right"));
  EXPECT_EQ(words.senders_now, explain(finding(Code::stale_cache_window)).senders_now);
  for (const auto& step : words.fix) EXPECT_THAT(step, testing::Not(HasSubstr("ublish")));
}

TEST(Explain, TlsrptTypesAreThoseOfRfc8460) {
  const std::set<std::string_view> known = {"starttls-not-supported", "certificate-host-mismatch",
                                            "certificate-expired",    "certificate-not-trusted",
                                            "validation-failure",     "tlsa-invalid",
                                            "dnssec-invalid",         "dane-required",
                                            "sts-policy-fetch-error", "sts-policy-invalid",
                                            "sts-webpki-invalid"};
  std::size_t with_one = 0;
  for (const auto code : all_codes()) {
    SCOPED_TRACE(wire_name(code));
    const auto type = explain(finding(code)).tlsrpt;
    if (!type) continue;
    ++with_one;
    EXPECT_TRUE(known.contains(*type)) << *type;
  }
  EXPECT_GT(with_one, 10U);
}

TEST(Explain, SaysWhichTlsrptTypeSendersWouldReport) {
  const std::pair<Code, std::string_view> rows[] = {
      {Code::tlsa_mismatch, "certificate-not-trusted"},
      {Code::starttls_missing, "starttls-not-supported"},
      {Code::name_mismatch, "certificate-host-mismatch"},
      {Code::certificate_expired, "certificate-expired"},
      {Code::tls_handshake_failed, "validation-failure"},
      {Code::all_unusable, "tlsa-invalid"},
      {Code::tlsa_lookup_failed, "dnssec-invalid"},
  };
  for (const auto& [code, type] : rows)
    EXPECT_THAT(explain(finding(code)).tlsrpt, testing::Optional(testing::Eq(type)));
  EXPECT_FALSE(explain(finding(Code::dane_lost)).tlsrpt) << "senders are silent";
}

TEST(Explain, ANameThatLooksLikeAPlaceholderIsTakenAsItIs) {
  EXPECT_THAT(explain(finding(Code::tlsa_mismatch, "{name}.test")).title,
              StartsWith("{name}.test: "));
}

TEST(Explain, TheOldKeyIsNoWayBackWhereItIsRefusedToo) {
  for (const auto code : {Code::tlsa_mismatch, Code::stale_cache_window}) {
    auto late = finding(code);
    const auto steps = explain(late).fix;
    late.is_old_key_refused = true;
    EXPECT_EQ(explain(late).fix.size() + 1, steps.size()) << wire_name(code);
    EXPECT_THAT(explain(late).fix, Each(Not(HasSubstr("put "))));
  }
}

TEST(Explain, MailThatOtherHostsTakeDoesNotWait) {
  auto refused = finding(Code::tlsa_mismatch);
  EXPECT_THAT(explain(refused).senders_now, HasSubstr("bounces"));
  refused.is_carried = true;
  EXPECT_THAT(explain(refused).senders_now, HasSubstr("but to other hosts of the domain"));
  EXPECT_THAT(explain(refused).senders_now, Not(HasSubstr("bounces")));
}

TEST(Explain, AHostWithoutAddressIsCalledThat) {
  auto invalid = finding(Code::mx_invalid);
  EXPECT_THAT(explain(invalid).fix, Each(HasSubstr("Correct or remove")));
  invalid.evidence = {{"detail", "the host has no address"}};
  const auto told = explain(invalid);
  EXPECT_THAT(told.title, HasSubstr(": the host has no address"));
  EXPECT_THAT(told.senders_now, HasSubstr("mail bounces"));
  EXPECT_THAT(told.fix.front(), HasSubstr("address records"));
  invalid.is_carried = true;
  EXPECT_THAT(explain(invalid).senders_now, HasSubstr("deliver to other hosts"));
}

TEST(Explain, WhatWasLostIsNamedWithItsMoment) {
  auto lost = finding(Code::dane_lost);
  EXPECT_THAT(explain(lost).fix, Each(HasSubstr("Find out")));
  lost.remedy = Remedy{
      .owner = "_25._tcp.mx.example.test", .ttl = config::Seconds{240}, .publish = {"3 1 1 ab"}};
  lost.key =
      KeyPast{.since = config::Time{}, .record_removed_at = config::Time{} + config::Seconds{60}};
  EXPECT_THAT(explain(lost).explanation, HasSubstr("3 1 1 ab was removed at 1970-01-01 00:01 UTC"));
  EXPECT_THAT(explain(lost).fix, Each(HasSubstr("240 IN TLSA 3 1 1 ab")));
}

TEST(Explain, WhatFollowsHasNoStepsOfItsOwnWithTheSameRecords) {
  for (const auto code : {Code::early_retire, Code::stale_cache_window, Code::nameserver_lagging}) {
    auto part = finding(code);
    part.consequence_of = Code::nameserver_split;
    EXPECT_THAT(explain(part).fix, Each(HasSubstr("what `nameserver-split` says")));
    EXPECT_THAT(explain(part).senders_now, HasSubstr("nameserver-split"));
  }
  auto other = finding(Code::downgrade);
  other.consequence_of = Code::tlsa_mismatch;
  EXPECT_EQ(explain(other).senders_now, explain(finding(Code::downgrade)).senders_now);
}

}  // namespace
}  // namespace probes

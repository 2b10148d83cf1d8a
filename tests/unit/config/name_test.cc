#include "config/name.h"

#include <span>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace config {
namespace {

using testing::HasSubstr;
using Answer = Result<std::string, std::string>;

std::string times(int count, std::string_view text) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

const std::string label_63 = times(63, "a");
const std::string name_253 = label_63 + "." + label_63 + "." + label_63 + "." + times(61, "b");

struct Row {
  std::string_view says;
  std::string text;
  std::string want;  // the normal form, or a piece of the complaint
};

void expect_accepted(Answer (*normal)(std::string_view), std::span<const Row> rows) {
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto answer = normal(row.text);
    EXPECT_TRUE(answer) << (answer ? "" : answer.error());
    if (answer) {
      EXPECT_EQ(*answer, row.want);
    }
  }
}

void expect_refused(Answer (*normal)(std::string_view), std::span<const Row> rows) {
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto answer = normal(row.text);
    EXPECT_FALSE(answer) << (answer ? *answer : "");
    if (!answer) {
      EXPECT_THAT(answer.error(), HasSubstr(row.want));
    }
  }
}

TEST(NormalDomain, IsLowerCaseALabelsWithoutTrailingDot) {
  const Row rows[] = {
      {"as it is", "example.org", "example.org"},
      {"lower case", "Mail.EXAMPLE.Org", "mail.example.org"},
      {"one trailing dot goes", "example.org.", "example.org"},
      {"digits, hyphens and underscores inside", "3-a._x9.example", "3-a._x9.example"},
      {"hyphens in third and fourth place, as DNS has them", "r3---x.example", "r3---x.example"},
      {"a U-label", "bücher.example", "xn--bcher-kva.example"},
      {"a U-label with capitals", "BÜCHER.Example.", "xn--bcher-kva.example"},
      {"an A-label stays", "XN--Bcher-KVA.example", "xn--bcher-kva.example"},
      {"non-transitional: sharp s is itself", "faß.example", "xn--fa-hia.example"},
      {"all labels in another script", "例え.テスト", "xn--r8jz45g.xn--zckzah"},
      {"ideographic full stops are dots", "example。org。", "example.org"},
      {"decomposed characters are composed", "bu\u0308cher.example", "xn--bcher-kva.example"},
      {"a label of 63", label_63 + ".example", label_63 + ".example"},
      {"a name of 253", name_253, name_253},
      {"253 and a trailing dot", name_253 + ".", name_253},
      {"a last label that only begins with a digit", "example.4com", "example.4com"},
  };
  expect_accepted(normal_domain, rows);
}

TEST(NormalDomain, RefusesWhatCannotBeAMailDomainAndSaysWhy) {
  const Row rows[] = {
      {"empty", "", "no name"},
      {"the root", ".", "no name"},
      {"a dot in front", ".example.org", "empty label"},
      {"two dots in a row", "example..org", "empty label"},
      {"two dots at the end", "example.org..", "empty label"},
      {"one label", "localhost", "one label only"},
      {"one label and a dot", "org.", "one label only"},
      {"a label of 64", label_63 + "a.example", "label of 64 characters"},
      {"a name of 254", name_253 + "b", "name of 254 characters"},
      {"hyphen in front", "-a.example", "\"-a\" begins or ends with a hyphen"},
      {"hyphen at the end", "a-.example", "\"a-\" begins or ends with a hyphen"},
      {"dotted quad", "192.0.2.1", "an address"},
      {"last label a number", "example.123", "last label is a number"},
      {"IPv6 address", "2001:db8::1", "only letters"},
      {"space", "exam ple.org", "only letters"},
      {"a mail address", "user@Example.org", "is the domain example.org?"},
      {"a link", "https://example.org:443/mail", "is the domain example.org?"},
      {"neither", "a@b@", "only letters"},
      {"wildcard", "*.example.org", "only letters"},
      {"a newline, for logs", "example.org\n", "only letters"},
      {"a NUL, where C would stop reading", std::string("example.org\0.evil", 17), "NUL"},
      {"not UTF-8", "\xff.example", "internationalized"},
      {"a character IDNA2008 disallows", "i❤.example", "internationalized"},
      {"broken punycode", "xn--zz.example", "internationalized"},
      {"far too long", times(100000, "ü") + ".example", "far too long"},
      {"too long only as A-label", times(63, "ü") + ".example", "internationalized"},
  };
  expect_refused(normal_domain, rows);
}

TEST(NormalAddress, IsTheShortestForm) {
  const Row rows[] = {
      {"IPv4", "192.0.2.1", "192.0.2.1"},
      {"IPv6", "::1", "::1"},
      {"long IPv6", "2001:0DB8:0:0:0:0:0:1", "2001:db8::1"},
  };
  expect_accepted(normal_address, rows);
}

TEST(NormalAddress, RefusesNamesPortsAndZones) {
  const Row rows[] = {
      {"empty", "", "not an IPv4 or IPv6"},
      {"a name", "localhost", "not an IPv4 or IPv6"},
      {"a number too large", "192.0.2.256", "not an IPv4 or IPv6"},
      {"short IPv4", "127.1", "not an IPv4 or IPv6"},
      {"brackets", "[::1]", "not an IPv4 or IPv6"},
      {"zone", "fe80::1%lo", "not an IPv4 or IPv6"},
      {"a NUL, where C would stop reading", std::string("127.0.0.1\0x", 11), "not an IPv4 or IPv6"},
  };
  expect_refused(normal_address, rows);
}

// The resolver as one text, for rows.
Answer resolver(std::string_view text) {
  auto address = parse_resolver(text);
  if (!address) return Failure<std::string>{address.error()};
  return address->address + " " + std::to_string(address->port);
}

TEST(Resolver, IsAnAddressAndPerhapsAPort) {
  const Row rows[] = {
      {"IPv4", "127.0.0.1", "127.0.0.1 53"},
      {"IPv6", "::1", "::1 53"},
      {"IPv4 and port", "127.0.0.1@5353", "127.0.0.1 5353"},
      {"IPv6 and port", "[::1]@5353", "::1 5353"},
      {"IPv6 without brackets", "::1@65535", "::1 65535"},
  };
  expect_accepted(resolver, rows);
}

TEST(Resolver, RefusesTheRestAndSaysWhy) {
  const Row rows[] = {
      {"empty", "", "not an IPv4 or IPv6"},
      {"a name", "dns.example.org", "not an IPv4 or IPv6"},
      {"a colon before the port", "127.0.0.1:53", "192.0.2.1@5353"},
      {"brackets around IPv4", "[127.0.0.1]@53", "not an IPv4 or IPv6"},
      {"brackets without a port", "[::1]", "not an IPv4 or IPv6"},
      {"port 0", "127.0.0.1@0", "port"},
      {"port 65536", "127.0.0.1@65536", "port"},
      {"no port behind @", "127.0.0.1@", "port"},
      {"a sign", "127.0.0.1@-53", "port"},
      {"two ports", "127.0.0.1@53@54", "port"},
  };
  expect_refused(resolver, rows);
}

TEST(HeloName, IsADomainOrAnAddressLiteral) {
  const Row accepted[] = {
      {"empty: this machine's name", "", ""},
      {"a domain", "Monitor.Example.org", "monitor.example.org"},
      {"IPv4 literal", "[192.0.2.1]", "[192.0.2.1]"},
      {"IPv6 literal", "[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"},
  };
  expect_accepted(helo_name, accepted);
  const Row refused[] = {
      {"a bare address", "192.0.2.1", "an address"},
      {"IPv6 literal without its tag", "[2001:db8::1]", "address literal"},
      {"IPv4 with the tag of IPv6", "[IPv6:192.0.2.1]", "address literal"},
      {"not closed", "[192.0.2.1", "address literal"},
      {"nothing in it", "[]", "address literal"},
      {"only opened", "[", "address literal"},
      {"a second command", "a.example\r\nMAIL FROM:<>", "only letters"},
      {"an underscore, which Exim refuses", "mon_1.example.org", "underscore"},
      {"one label", "monitor", "label"},
      {"an empty label", "monitor..example.org", "label"},
      {"a hyphen first", "-monitor.example.org", "hyphen"},
      {"an address literal without end of label", "[IPv6:2001:db8::1", "address literal"},
      {"an octet too great", "[192.0.2.256]", "address literal"},
      {"a literal with a name", "[monitor.example.org]", "address literal"},
  };
  expect_refused(helo_name, refused);
}

TEST(HostName, IsDoubtedWhereServersWouldRefuseIt) {
  EXPECT_EQ(doubt_about_host_name("monitor.example.org"), std::nullopt);
  EXPECT_THAT(doubt_about_host_name("monitor").value_or(""),
              testing::HasSubstr("not fully qualified"));
  EXPECT_THAT(doubt_about_host_name("localhost").value_or(""), testing::HasSubstr("smtp.helo"));
  EXPECT_THAT(doubt_about_host_name("mon_1.example.org").value_or(""),
              testing::HasSubstr("mon_1.example.org is none that they accept"));
}

TEST(GroupName, IsShortAndPrintable) {
  const Row accepted[] = {
      {"empty", "", ""},
      {"words", "our customers", "our customers"},
      {"64 characters of two octets", times(64, "ü"), times(64, "ü")},
      {"three and four octets, up to the last", "例\xed\x9f\xbf\ue000😀\U0010ffff",
       "例\xed\x9f\xbf\ue000😀\U0010ffff"},
  };
  expect_accepted(group_name, accepted);
  const Row refused[] = {
      {"65 characters", times(65, "a"), "longer than 64"},
      {"a newline", "a\nb", "printable"},
      {"escape, which terminals obey", "\x1b[31m", "printable"},
      {"delete", "\x7f", "printable"},
      {"a C1 control character", "\u009b31m", "printable"},
      {"a NUL", std::string("a\0b", 3), "printable"},
      {"an octet that is no character, which JSON and Prometheus cannot hold", "a\xff", "UTF-8"},
      {"a character cut short", "a\xc3", "UTF-8"},
      {"a slash in a longer form than need be", "\xc0\xaf", "UTF-8"},
      {"the same in three octets", "\xe0\x80\xaf", "UTF-8"},
      {"the same in four", "\xf0\x80\x80\xaf", "UTF-8"},
      {"half of a surrogate pair", "\xed\xa0\x80", "UTF-8"},
      {"beyond the last character", "\xf4\x90\x80\x80", "UTF-8"},
  };
  expect_refused(group_name, refused);
}

TEST(WebAddress, IsHttpWithAHost) {
  const Row accepted[] = {
      {"http", "http://127.0.0.1:9672", "http://127.0.0.1:9672"},
      {"https with a path", "https://example.org/dane", "https://example.org/dane"},
      {"slashes at the end go", "https://example.org//", "https://example.org"},
  };
  expect_accepted(web_address, accepted);
  const Row refused[] = {
      {"empty", "", "begins neither"},
      {"a script", "javascript:alert(1)", "begins neither"},
      {"another scheme", "ftp://example.org", "begins neither"},
      {"no scheme", "example.org", "begins neither"},
      {"no host", "https://", "no host"},
      {"no host before the path", "https:///path", "no host"},
      {"a quote, which could leave an attribute", "https://example.org/\"onclick=", "not a web"},
      {"a space", "https://example.org/a b", "not a web"},
      {"not ASCII", "https://bücher.example", "not a web"},
      {"far too long", "https://example.org/" + times(2048, "a"), "not a web"},
  };
  expect_refused(web_address, refused);
}

TEST(MailAddress, IsALocalPartAndADomainInItsNormalForm) {
  const Row accepted[] = {
      {"usual", "postmaster@example.org", "postmaster@example.org"},
      {"the local part is the receiver's affair", "A.b+c/d=e'!{}~@example.org",
       "A.b+c/d=e'!{}~@example.org"},
      {"the domain is not", "a@Bücher.Example.", "a@xn--bcher-kva.example"},
      {"254 octets", times(64, "a") + "@" + name_253.substr(64),
       times(64, "a") + "@" + name_253.substr(64)},
  };
  expect_accepted(mail_address, accepted);
  const Row refused[] = {
      {"empty", "", "not a mail address"},
      {"no @", "example.org", "not a mail address"},
      {"nobody", "@example.org", "not a mail address"},
      {"nowhere", "a@", "behind '@': no name"},
      {"an address literal", "a@[192.0.2.1]", "behind '@'"},
      {"a second command", "a@example.org>\r\nRCPT TO:<b@example.org", "not a mail address"},
      {"a line break behind", "a@example.org\r\nBcc: b",
       "behind '@': a domain name may contain only"},
      {"a second recipient", "a@example.org,b@example.org", "not a mail address"},
      {"two @, of which only the last counts for some", "a@example.net@example.org",
       "not a mail address"},
      {"brackets", "<a@example.org>", "not a mail address"},
      {"a blank", "a b@example.org", "not a mail address"},
      {"quotes", "\"a\"@example.org", "not a mail address"},
      {"a control character", "a\x1b@example.org", "not a mail address"},
      {"not ASCII: no SMTPUTF8", "ü@example.org", "not a mail address"},
      {"255 octets", times(65, "a") + "@" + name_253.substr(64), "too long"},
      {"255 octets only as A-label", times(230, "a") + "@" + times(8, "ü") + ".example.org",
       "too long"},
  };
  expect_refused(mail_address, refused);
}

TEST(MailServer, IsASchemeAHostAndAPort) {
  const Row accepted[] = {
      {"submission", "smtp://mail.example.org:25", "smtp://mail.example.org:25"},
      {"the port of submission where none is given", "smtp://mail.example.org",
       "smtp://mail.example.org:587"},
      {"the port of submission over TLS", "smtps://mail.example.org",
       "smtps://mail.example.org:465"},
      {"a host in its normal form", "smtp://Bücher.Example.:65535",
       "smtp://xn--bcher-kva.example:65535"},
      {"this machine", "smtp://localhost:2525", "smtp://localhost:2525"},
      {"IPv4", "smtp://192.0.2.1", "smtp://192.0.2.1:587"},
      {"IPv6", "smtps://[2001:DB8:0::1]", "smtps://[2001:db8::1]:465"},
      {"IPv6 and port", "smtp://[::1]:2525", "smtp://[::1]:2525"},
  };
  expect_accepted(mail_server, accepted);
  const Row refused[] = {
      {"empty", "", "write as smtp://"},
      {"no scheme", "mail.example.org:587", "write as smtp://"},
      {"another scheme", "https://mail.example.org", "write as smtp://"},
      {"no host", "smtp://", "names no host"},
      {"no host before the port", "smtp://:25", "names no host"},
      {"no port behind the colon", "smtp://mail.example.org:", "the port is none"},
      {"port 0", "smtp://mail.example.org:0", "the port is none"},
      {"port 65536", "smtp://mail.example.org:65536", "the port is none"},
      {"a user: that has a key of its own", "smtp://user:password@mail.example.org:25",
       "names no host"},
      {"a path", "smtp://mail.example.org/a", "names no host"},
      {"a slash", "smtp://mail.example.org:25/", "the port is none"},
      {"IPv6 without brackets, whose end looks like a port", "smtp://::1:25", "names no host"},
      {"IPv4 in brackets", "smtp://[192.0.2.1]:25", "names no host"},
      {"a name in brackets", "smtp://[mail.example.org]", "names no host"},
      {"brackets around nothing", "smtp://[]", "names no host"},
      {"a line break", "smtp://mail.example.org\r\n:25", "names no host"},
  };
  expect_refused(mail_server, refused);
}

TEST(LabelValue, IsAWord) {
  const Row accepted[] = {
      {"one letter", "a", "a"},
      {"all that may stand in it", "Az09._-", "Az09._-"},
      {"64 characters", times(64, "a"), times(64, "a")},
  };
  expect_accepted(label_value, accepted);
  const Row refused[] = {
      {"empty", "", "not a word"},
      {"65 characters", times(65, "a"), "not a word"},
      {"a blank", "a b", "not a word"},
      {"a slash, which ids of letters use", "a/b", "not a word"},
      {"a line break", "a\n", "not a word"},
      {"not ASCII", "ü", "not a word"},
      {"a NUL", std::string("a\0", 2), "not a word"},
  };
  expect_refused(label_value, refused);
}

TEST(LabelName, IsThatOfAPrometheusLabel) {
  const Row accepted[] = {
      {"one letter", "a", "a"},
      {"all that may stand in it", "_Az09", "_Az09"},
      {"two underscores inside", "a__b", "a__b"},
      {"64 characters", times(64, "a"), times(64, "a")},
  };
  expect_accepted(label_name, accepted);
  const Row refused[] = {
      {"empty", "", "not the name of a label"},
      {"65 characters", times(65, "a"), "not the name of a label"},
      {"a digit first", "1a", "not the name of a label"},
      {"two underscores first: those are Prometheus's own", "__a", "not the name of a label"},
      {"a hyphen", "a-b", "not the name of a label"},
      {"a dot", "a.b", "not the name of a label"},
      {"a quote", "a\"", "not the name of a label"},
      {"not ASCII", "ü", "not the name of a label"},
  };
  expect_refused(label_name, refused);
}

TEST(PrintableText, IsUtf8WithoutControlCharacters) {
  const Row accepted[] = {
      {"empty", "", ""},
      {"whatever people write", "Straße 5, \"Berlin\"", "Straße 5, \"Berlin\""},
      {"256 octets", times(128, "ü"), times(128, "ü")},
  };
  expect_accepted(printable_text, accepted);
  const Row refused[] = {
      {"257 octets", times(257, "a"), "too long"},
      {"a line break", "a\nb", "printable"},
      {"escape", "\x1b[31m", "printable"},
      {"delete", "\x7f", "printable"},
      {"a C1 control character", "\u009b31m", "printable"},
      {"a NUL", std::string("a\0b", 3), "printable"},
      {"not UTF-8", "\xff", "not UTF-8"},
  };
  expect_refused(printable_text, refused);
}

// ---- where lists of domains are

TEST(ListAddress, IsHttpsOrOfThisMachine) {
  for (const auto* url : {"https://a.test", "https://a.test:8443/list/?q=1", "http://127.0.0.1:80/",
                          "http://[::1]/x", "http://localhost:8080", "http://127.8.9.1"})
    EXPECT_EQ(list_address(url).value_or("refused"), url);
}

TEST(ListAddress, IsNothingElse) {
  struct Bad {
    std::string url, want;
  };
  for (const auto& [url, want] : {
           Bad{"ftp://a.test/", "neither"},
           Bad{"http://a.test/", "http:// only to this machine"},
           Bad{"http://127.0.0.1.a.test/", "http:// only to this machine"},
           Bad{"http://127.1/", "http:// only to this machine"},
           Bad{"http://127.0.0.1@a.test/", "no user or password"},
           Bad{"https://user:word@a.test/", "no user or password"},
           Bad{"https://a.test/#x", "fragment"},
           Bad{"https://a.test/ x", "not a web address"},
           Bad{"https:///x", "no host"},
       }) {
    const auto read = list_address(url);
    ASSERT_FALSE(read) << url;
    EXPECT_THAT(read.error(), testing::HasSubstr(want)) << url;
  }
}

TEST(HostOf, IsWithoutPortAndPath) {
  EXPECT_EQ(host_of("https://a.test"), "a.test");
  EXPECT_EQ(host_of("https://a.test:8443/x:1"), "a.test");
  EXPECT_EQ(host_of("https://a.test?x=:1"), "a.test");
  EXPECT_EQ(host_of("http://[::1]:80/"), "[::1]");
  EXPECT_EQ(host_of("http://[::1]"), "[::1]");
  EXPECT_EQ(host_of("a.test"), "");
}

}  // namespace
}  // namespace config

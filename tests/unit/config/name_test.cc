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
      {"a mail address", "user@example.org", "only letters"},
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
  };
  expect_refused(helo_name, refused);
}

TEST(GroupName, IsShortAndPrintable) {
  const Row accepted[] = {
      {"empty", "", ""},
      {"words", "our customers", "our customers"},
      {"64 characters of two octets", times(64, "ü"), times(64, "ü")},
  };
  expect_accepted(group_name, accepted);
  const Row refused[] = {
      {"65 characters", times(65, "a"), "longer than 64"},
      {"a newline", "a\nb", "printable"},
      {"escape, which terminals obey", "\x1b[31m", "printable"},
      {"delete", "\x7f", "printable"},
      {"a C1 control character", "\u009b31m", "printable"},
      {"a NUL", std::string("a\0b", 3), "printable"},
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

}  // namespace
}  // namespace config

#include "probes/dns/name.h"

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace probes::dns {

// For messages of failing tests.
inline void PrintTo(const Name& name, std::ostream* out) {
  *out << name.text();
}

namespace {

using testing::Eq;
using testing::Optional;

const std::string label_63(63, 'a');
// 3 * 64 + 62 + 1: the longest name there can be.
const std::string text_of_255 =
    label_63 + "." + label_63 + "." + label_63 + "." + std::string(61, 'b');

Name parsed(std::string_view text) {
  const auto name = Name::parse(text);
  EXPECT_TRUE(name) << "not a name: " << text;
  return name.value_or(Name{});
}

std::optional<Name> from_octets(std::string_view octets) {
  const std::vector<std::uint8_t> wire(octets.begin(), octets.end());
  return Name::from_wire(wire);
}

TEST(DnsName, TextBecomesLabelsAndBack) {
  using namespace std::string_view_literals;
  struct Row {
    std::string_view says, text;
    std::string_view wire;
    std::string_view back;
  };
  const Row rows[] = {
      {"a host", "mx.example.org", "\2mx\7example\3org\0"sv, "mx.example.org"},
      {"a trailing dot says nothing", "mx.example.org.", "\2mx\7example\3org\0"sv,
       "mx.example.org"},
      {"the root", ".", "\0"sv, "."},
      {"letters are folded, RFC 4343 §3", "MX.Example.ORG", "\2mx\7example\3org\0"sv,
       "mx.example.org"},
      {"services, wildcards and RFC 2317 names stay readable", "*._25._tcp.0/25.a-b",
       "\1*\3_25\4_tcp\4"
       "0/25\3a-b\0"sv,
       "*._25._tcp.0/25.a-b"},
      {"from A to Z and nothing beside", "AZ\\064\\091az", "\6az@[az\0"sv, "az\\064\\091az"},
      {"an escaped dot is no boundary, RFC 1035 §5.1", "a\\.b.c", "\3a.b\1c\0"sv, "a\\046b.c"},
      {"decimal escapes", "\\000\\255\\032", "\3\0\377 \0"sv, "\\000\\255\\032"},
      {"an escaped backslash", "a\\\\b", "\3a\\b\0"sv, "a\\092b"},
      {"an escaped capital is folded too", "\\A\\066", "\2ab\0"sv, "ab"},
      {"octets over 127 are not letters", "\xC3\x84", "\2\xC3\x84\0"sv, "\\195\\132"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const Name name = parsed(row.text);
    EXPECT_EQ(name.wire(), row.wire);
    EXPECT_EQ(name.text(), row.back);
    EXPECT_THAT(Name::parse(name.text()), Optional(Eq(name)));
    EXPECT_THAT(from_octets(row.wire), Optional(Eq(name)));
  }
}

TEST(DnsName, EveryOctetSurvivesItsTextForm) {
  for (int octet = 0; octet < 256; ++octet) {
    SCOPED_TRACE(octet);
    const auto name = from_octets(std::string{'\1', static_cast<char>(octet), '\0'});
    ASSERT_TRUE(name);
    EXPECT_THAT(Name::parse(name->text()), Optional(Eq(*name)));
    for (const char c : name->text()) EXPECT_TRUE(c > ' ' && c < '\x7f') << name->text();
  }
}

TEST(DnsName, RefusesTextThatIsNoName) {
  struct Row {
    std::string_view says;
    std::string text;
  };
  const Row rows[] = {
      {"nothing", ""},
      {"a dot in front", ".example.org"},
      {"two dots", "example..org"},
      {"two dots at the end", "example.org.."},
      {"only dots", ".."},
      {"a label of 64 octets", label_63 + "a.org"},
      {"a label of 64 octets, one escaped", label_63 + "\\097.org"},
      {"256 octets of wire form", "c" + text_of_255},
      {"256 octets in more labels", "c." + text_of_255.substr(1)},
      {"a backslash at the end", "example.org\\"},
      {"an escape over 255", "\\256"},
      {"an escape of two digits", "\\25"},
      {"an escape of two digits and a letter", "\\25a"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    EXPECT_FALSE(Name::parse(row.text)) << row.text;
  }
}

TEST(DnsName, MayBe255OctetsLongInLabelsOf63) {
  EXPECT_EQ(parsed(text_of_255).wire().size(), 255U);
  EXPECT_EQ(parsed(text_of_255 + ".").wire().size(), 255U);
  EXPECT_THAT(from_octets(parsed(text_of_255).wire()), Optional(Eq(parsed(text_of_255))));
}

TEST(DnsName, RefusesWireThatIsNotExactlyOneUncompressedName) {
  using namespace std::string_literals;
  struct Row {
    std::string_view says;
    std::string wire;
  };
  const Row rows[] = {
      {"nothing", ""s},
      {"no root label", "\1a"s},
      {"a label that passes the end", "\5ab\0"s},
      {"a label that ends where the root label should be", "\2a\0"s},
      {"octets behind the root", "\1a\0b"s},
      {"two roots", "\0\0"s},
      {"a compression pointer", "\1a\xC0\0"s},
      {"a label of 64 octets", "\x40" + std::string(64, 'a') + "\0"s},
      {"256 octets", "\x3f" + label_63 + "\x3f" + label_63 + "\x3f" + label_63 + "\x3e" +
                         std::string(62, 'b') + "\0"s},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    EXPECT_FALSE(from_octets(row.wire));
  }
}

TEST(DnsName, EqualityKnowsNoCase) {
  EXPECT_EQ(parsed("MX.example.ORG"), parsed("mx.EXAMPLE.org"));
  EXPECT_THAT(from_octets(std::string_view{"\2MX\0", 4}), Optional(Eq(parsed("mx"))));
  EXPECT_THAT(Name{}.child("Org"), Optional(Eq(parsed("org"))));
  EXPECT_NE(parsed("a.b"), parsed("a\\.b"));
}

TEST(DnsName, KnowsItsLabels) {
  const Name name = parsed("_25._tcp.mx.example.org");
  EXPECT_EQ(name.label_count(), 5U);
  EXPECT_EQ(name.parent(), parsed("_tcp.mx.example.org"));
  EXPECT_EQ(name.suffix(2), parsed("example.org"));
  EXPECT_EQ(name.suffix(5), name);
  EXPECT_EQ(name.suffix(99), name);
  EXPECT_TRUE(name.suffix(0).is_root());
  EXPECT_EQ(parsed("a\\.b.c").label_count(), 2U);
}

TEST(DnsName, TheRootIsItsOwnParentAndHasNoLabels) {
  EXPECT_TRUE(Name{}.is_root());
  EXPECT_EQ(Name{}, parsed("."));
  EXPECT_EQ(Name{}.parent(), Name{});
  EXPECT_EQ(Name{}.label_count(), 0U);
  EXPECT_FALSE(parsed("org").is_root());
  EXPECT_TRUE(parsed("org").parent().is_root());
}

TEST(DnsName, IsWithinGoesByLabels) {
  const Name name = parsed("mx.example.org");
  EXPECT_TRUE(name.is_within(name));
  EXPECT_TRUE(name.is_within(parsed("EXAMPLE.org")));
  EXPECT_TRUE(name.is_within(Name{}));
  EXPECT_TRUE(Name{}.is_within(Name{}));
  EXPECT_FALSE(Name{}.is_within(name));
  EXPECT_FALSE(name.is_within(parsed("ample.org"))) << "letters at the end are no ancestor";
  EXPECT_FALSE(name.is_within(parsed("a.mx.example.org")));
  EXPECT_FALSE(name.is_within(parsed("example.net")));
  EXPECT_FALSE(parsed("a\\.example.org").is_within(parsed("example.org")));
}

TEST(DnsName, ChildFitsOrIsNothing) {
  EXPECT_THAT(parsed("example.org").child("mx"), Optional(Eq(parsed("mx.example.org"))));
  EXPECT_THAT(parsed("org").child("a.b"), Optional(Eq(parsed("a\\.b.org"))));
  EXPECT_FALSE(parsed("org").child(""));
  EXPECT_TRUE(parsed("org").child(label_63));
  EXPECT_FALSE(parsed("org").child(label_63 + "a"));
  const Name of_253 = parsed(text_of_255.substr(2));
  EXPECT_EQ(of_253.wire().size(), 253U);
  EXPECT_TRUE(of_253.child("a"));
  EXPECT_FALSE(of_253.child("ab"));
}

TEST(TlsaOwner, StandsAtPortAndProtocolBelowTheBaseDomain) {
  // RFC 6698 §3. B-25: the port is the one that is used.
  EXPECT_THAT(tlsa_owner(parsed("MX.example.org"), 25),
              Optional(Eq(parsed("_25._tcp.mx.example.org"))));
  EXPECT_THAT(tlsa_owner(parsed("mx.example.org"), 2525),
              Optional(Eq(parsed("_2525._tcp.mx.example.org"))));
  EXPECT_THAT(tlsa_owner(parsed("mx.example.org"), 65535),
              Optional(Eq(parsed("_65535._tcp.mx.example.org"))));
}

TEST(TlsaOwner, IsNothingWhereTheNameWouldBeTooLong) {
  const Name fits = parsed(text_of_255.substr(9));  // "_25._tcp." takes nine octets
  EXPECT_EQ(fits.wire().size(), 246U);
  EXPECT_TRUE(tlsa_owner(fits, 25));
  EXPECT_FALSE(tlsa_owner(fits, 465));
  EXPECT_FALSE(tlsa_owner(parsed(text_of_255), 25));
}

}  // namespace
}  // namespace probes::dns

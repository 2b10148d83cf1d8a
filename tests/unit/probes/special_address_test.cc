#include "probes/net/special_address.h"

#include <string_view>

#include <gtest/gtest.h>

namespace probes::net {
namespace {

struct Range {
  std::string_view says;
  std::string_view first, last;     // special, both
  std::string_view before, behind;  // not special; empty where there is none or it is in another
};

void expect(const Range& range) {
  SCOPED_TRACE(range.says);
  EXPECT_TRUE(is_special_address(range.first)) << range.first;
  EXPECT_TRUE(is_special_address(range.last)) << range.last;
  for (const auto& neighbour : {range.before, range.behind}) {
    if (!neighbour.empty()) {
      EXPECT_FALSE(is_special_address(neighbour)) << neighbour;
    }
  }
}

TEST(SpecialAddress, S01IsWhatIanaListsForIpv4) {
  const Range ranges[] = {
      {"this network", "0.0.0.0", "0.255.255.255", "", "1.0.0.0"},
      {"private", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"},
      {"shared with the provider", "100.64.0.0", "100.127.255.255", "100.63.255.255",
       "100.128.0.0"},
      {"loopback", "127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0"},
      {"link-local", "169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0"},
      {"private", "172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0"},
      {"IETF protocols", "192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0"},
      {"documentation", "192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0"},
      {"6to4 relays, deprecated", "192.88.99.0", "192.88.99.255", "192.88.98.255", "192.88.100.0"},
      {"private", "192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0"},
      {"benchmarks", "198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0"},
      {"documentation", "198.51.100.0", "198.51.100.255", "198.51.99.255", "198.51.101.0"},
      {"documentation", "203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0"},
      {"multicast", "224.0.0.0", "239.255.255.255", "223.255.255.255", ""},
      {"reserved, and broadcast", "240.0.0.0", "255.255.255.255", "", ""},
  };
  for (const auto& range : ranges) expect(range);
}

TEST(SpecialAddress, S01IsWhatIanaListsForIpv6) {
  const Range ranges[] = {
      {"unspecified and loopback", "::", "::1", "", ""},
      {"IPv4-compatible, deprecated", "::8.8.8.8", "::ffff:ffff", "", "0:0:0:0:0:1:0:0"},
      {"IPv4-mapped, whatever IPv4 it is", "::ffff:0.0.0.0", "::ffff:8.8.8.8", "::fffe:ffff:ffff",
       "::1:0:0:0"},
      {"NAT64 of one's own", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
       "64:ff9b:0:ffff:ffff:ffff:ffff:ffff", "64:ff9b:2::"},
      {"discard and dummy", "100::", "100:0:0:1:ffff:ffff:ffff:ffff",
       "ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "100:0:0:2::"},
      {"IETF protocols, Teredo and ORCHID among them",
       "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
       "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"},
      {"documentation", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
       "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
      {"6to4", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
       "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"},
      {"documentation", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
       "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"},
      {"segment routing", "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
       "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "5f01::"},
      {"unique local", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
       "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe00::"},
      {"link-local", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
       "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fec0::"},
      {"multicast", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
       "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
  };
  for (const auto& range : ranges) expect(range);
}

TEST(SpecialAddress, ANat64AddressIsAsSpecialAsTheIpv4AddressInIt) {
  // RFC 6052 §3.1: the well-known prefix must not stand before a non-global IPv4 address; a gateway
  // that translates it all the same would lead us inside.
  EXPECT_FALSE(is_special_address("64:ff9b::8.8.8.8"));
  EXPECT_FALSE(is_special_address("64:ff9b::808:808"));
  for (const std::string_view inside :
       {"64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::192.168.1.1"}) {
    EXPECT_TRUE(is_special_address(inside)) << inside;
  }
  EXPECT_FALSE(is_special_address("64:ff9b:0:0:0:1:7f00:1")) << "only the /96 is NAT64";
}

TEST(SpecialAddress, MailServersAreNot) {
  for (const std::string_view address :
       {"8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001:80b::1a",
        "2620:4f:8000::1", "2001:4860:4860::8888"}) {
    EXPECT_FALSE(is_special_address(address)) << address;
  }
}

TEST(SpecialAddress, WhatIsNoAddressIs) {
  for (const std::string_view text :
       {"", "mx.example.org", "8.8.8", "8.8.8.8.8", "8.8.8.256", "010.8.8.8", "0x8.8.8.8",
        "134744072", " 8.8.8.8", "8.8.8.8 ", "8.8.8.8:25", "[2606:4700::1111]",
        "2606:4700::1111%eth0", "2606:4700::1111/64", "2606::4700::1111", "1:2:3:4:5:6:7:8:9"}) {
    EXPECT_TRUE(is_special_address(text)) << text;
  }
}

}  // namespace
}  // namespace probes::net

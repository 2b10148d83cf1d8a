#include "probes/remedy.h"

#include <gtest/gtest.h>

// What is pasted must be right to the letter.
namespace {

using namespace probes;

const config::Time kNow{std::chrono::seconds{1'800'000'000}};

Remedy remedy() {
  return {.owner = "_25._tcp.mx.example.test",
          .zone = "example.test",
          .ttl = std::chrono::seconds{300},
          .publish = {"3 1 1 ab"},
          .remove = {"3 1 1 cd"}};
}

TEST(Remedy, IsALineOfAZoneFile) {
  EXPECT_EQ(record_line(remedy(), "3 1 1 ab"), "_25._tcp.mx.example.test. 300 IN TLSA 3 1 1 ab");
  auto unknown = remedy();
  unknown.ttl.reset();
  EXPECT_EQ(record_line(unknown, "3 1 1 ab"), "_25._tcp.mx.example.test. 3600 IN TLSA 3 1 1 ab");
  EXPECT_EQ(zone_file_text(remedy()),
            "_25._tcp.mx.example.test. 300 IN TLSA 3 1 1 ab\n"
            "; take out: _25._tcp.mx.example.test. 300 IN TLSA 3 1 1 cd\n");
}

TEST(Remedy, IsInputForNsupdateAtOneServerOrAtThePrimary) {
  EXPECT_EQ(nsupdate_text(remedy()),
            "zone example.test\n"
            "update add _25._tcp.mx.example.test. 300 TLSA 3 1 1 ab\n"
            "update delete _25._tcp.mx.example.test. TLSA 3 1 1 cd\n"
            "send\n");
  auto at_one = remedy();
  at_one.server = "ns2.example.test (2001:db8::53)";
  EXPECT_TRUE(nsupdate_text(at_one).starts_with("server 2001:db8::53\nzone "));
}

TEST(Remedy, IsAZoneTransactionOfKnot) {
  EXPECT_EQ(knotc_text(remedy()),
            "knotc zone-begin example.test.\n"
            "knotc zone-set example.test. _25._tcp.mx.example.test. 300 TLSA 3 1 1 ab\n"
            "knotc zone-unset example.test. _25._tcp.mx.example.test. TLSA 3 1 1 cd\n"
            "knotc zone-commit example.test.\n");
}

TEST(Remedy, HasNothingToPasteWhereOnlyTimeHelps) {
  const Remedy none{.owner = "_25._tcp.mx.example.test", .recovers_at = kNow};
  EXPECT_EQ(nsupdate_text(none) + zone_file_text(none) + knotc_text(none), "");
  EXPECT_EQ(recovers_at(none, kNow + std::chrono::hours{1}), kNow);
}

// Whoever names an MX host must not get a word into the operator's shell.
TEST(Remedy, IsNotMadeOfNamesThatAShellWouldObey) {
  for (const auto* name : {"$(reboot).example.test", "a;b.example.test", "a`b`.test", "a b.test"}) {
    auto hostile = remedy();
    hostile.owner = name;
    EXPECT_EQ(nsupdate_text(hostile) + zone_file_text(hostile) + knotc_text(hostile), "") << name;
    hostile = remedy();
    hostile.zone = name;
    EXPECT_EQ(knotc_text(hostile), "") << name;
  }
}

TEST(Remedy, EndsItWhenTheLastCacheKnows) {
  auto one = remedy();
  EXPECT_EQ(recovers_at(one, kNow), std::nullopt);
  one.recovers_after = std::chrono::seconds{300};
  EXPECT_EQ(recovers_at(one, kNow), kNow + std::chrono::seconds{300});
  one.recovers_at = kNow + std::chrono::hours{1};  // what caches hold already
  EXPECT_EQ(recovers_at(one, kNow), kNow + std::chrono::hours{1});
}

}  // namespace

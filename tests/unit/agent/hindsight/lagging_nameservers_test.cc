#include "agent/hindsight/lagging_nameservers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/explain.h"

namespace agent {
namespace {

using config::Seconds;
using probes::dns::Name;
using probes::dns::Server;
using std::chrono::minutes;

const Server kFirst{.name = *Name::parse("ns1.example.org"), .address = "192.0.2.1"};
const Server kSecond{.name = *Name::parse("ns2.example.org"), .address = "192.0.2.2"};

// A zone with two servers and a refresh of an hour, looked at every ten minutes.
class Zone {
 public:
  std::optional<std::uint32_t> first = 10, second = 10;

  std::optional<probes::Finding> look() {
    now_ += minutes{10};
    const probes::dns::ZoneSerials seen{.zone = *Name::parse("example.org"),
                                        .asked_at = now_,
                                        .refresh = std::chrono::hours{1},
                                        .by_server = {{kFirst, first}, {kSecond, second}}};
    record_serials(known_, seen);
    return find_lagging(known_, seen, {.name = "example.org"});
  }

 private:
  config::Time now_{std::chrono::hours{490'000}};
  LaggingServers known_;
};

// H-06: the secondary stays where it was for longer than the zone's refresh.
TEST(LaggingServers, a_server_that_keeps_its_serial_longer_than_the_refresh_is_told) {
  Zone zone;
  EXPECT_FALSE(zone.look());
  zone.first = 11;
  for (int i = 0; i <= 6; ++i) EXPECT_FALSE(zone.look()) << i;  // an hour at most
  zone.first = 12;
  const auto found = zone.look();
  ASSERT_TRUE(found);
  EXPECT_EQ(wire_name(found->code), "nameserver-lagging");
  EXPECT_EQ(found->severity, probes::Severity::low);
  EXPECT_THAT(found->evidence,
              testing::ElementsAre(probes::Evidence{"zone", "example.org"},
                                   probes::Evidence{"server",
                                                    "ns2.example.org (192.0.2.2): serial 10 since "
                                                    "2025-11-24T16:20:00Z"},
                                   probes::Evidence{"newest-serial", "12"},
                                   probes::Evidence{"refresh", "3600 s"}));
  const auto words = probes::explain(*found);
  EXPECT_EQ(words.title,
            "example.org: ns2.example.org (192.0.2.2) lacks the changes of the zone example.org "
            "since 2025-11-24 16:20 UTC");
  EXPECT_THAT(words.explanation,
              testing::HasSubstr("ns2.example.org (192.0.2.2) gives serial number 10 since "
                                 "2025-11-24 16:20 UTC; ns1.example.org (192.0.2.1) gives 12."));
  EXPECT_THAT(words.fix.front(), testing::HasSubstr("Make ns2.example.org (192.0.2.2) take the "
                                                    "zone over: `knotc zone-retransfer "
                                                    "example.org`"));
  zone.second = 12;
  EXPECT_FALSE(zone.look());
}

TEST(LaggingServers, a_server_that_is_slow_and_goes_on_is_not_late) {
  Zone zone;
  for (std::uint32_t serial = 10; serial < 40; ++serial) {
    zone.first = serial + 1;
    zone.second = serial;
    EXPECT_FALSE(zone.look()) << serial;
  }
}

TEST(LaggingServers, a_server_that_does_not_answer_shows_nothing) {
  Zone zone;
  zone.first = 11;
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(zone.look());
  zone.second.reset();
  for (int i = 0; i < 10; ++i) {
    const auto found = zone.look();
    EXPECT_EQ(found.has_value(), i >= 3) << "it was behind, and nothing shows that it is no more";
  }
  zone.second = 11;
  EXPECT_FALSE(zone.look());
  zone.first.reset();
  zone.second.reset();
  EXPECT_FALSE(zone.look());
}

// H-06: the one that was up to date is gone, and the old copy is what is left.
TEST(LaggingServers, it_is_late_too_when_the_newest_is_silent) {
  Zone zone;
  zone.first = 11;
  EXPECT_FALSE(zone.look());
  zone.first.reset();
  for (int i = 1; i <= 6; ++i) EXPECT_FALSE(zone.look()) << i;
  EXPECT_TRUE(zone.look());
}

TEST(LaggingServers, a_zone_may_begin_to_count_anew) {
  Zone zone;
  zone.first = zone.second = 2'026'112'701;
  EXPECT_FALSE(zone.look());
  zone.first = zone.second = 1;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(zone.look()) << i;
}

// After 4294967295 comes 0.
TEST(LaggingServers, serial_numbers_go_round) {
  Zone zone;
  zone.first = 1;
  zone.second = 4'294'967'290;
  for (int i = 0; i <= 6; ++i) EXPECT_FALSE(zone.look()) << i;
  ASSERT_TRUE(zone.look());
  EXPECT_TRUE(probes::dns::is_newer(0, 4'294'967'295));
  EXPECT_FALSE(probes::dns::is_newer(4'294'967'295, 0));
  EXPECT_FALSE(probes::dns::is_newer(5, 5));
}

}  // namespace
}  // namespace agent

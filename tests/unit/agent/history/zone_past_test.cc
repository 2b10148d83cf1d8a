#include "agent/history/zone_past.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/cause_of.h"

namespace agent {
namespace {

using config::Seconds;
using config::Time;
using probes::dns::KeyId;
using probes::dns::KeySets;
using std::chrono::hours;

const auto kZone = *probes::dns::Name::parse("example.org");
constexpr KeyId kOld{.algorithm = 13, .tag = 1111};
constexpr KeyId kNew{.algorithm = 13, .tag = 2222};
constexpr Seconds kDsTtl = hours{24};
constexpr Seconds kKeyTtl = hours{1};

Time hour(int n) {
  return Time{hours{490'000 + n}};
}

// A zone and its parent on a clock of hours, looked at every hour.
class Rollover {
 public:
  std::set<KeyId> ds{kOld};
  std::set<KeyId> dnskey{kOld};

  void look(int at) {
    now_ = at;
    (void)record_key_set(past_,
                         std::make_shared<const KeySets>(KeySets{.zone = kZone,
                                                                 .ds = {ds, kDsTtl},
                                                                 .dnskey = {dnskey, kKeyTtl},
                                                                 .ds_given_at = hour(at),
                                                                 .dnskey_given_at = hour(at)}));
  }
  void look_until(int end) {
    while (now_ < end) look(now_ + 1);
  }
  [[nodiscard]] std::optional<StaleLink> stale() const { return stale_link(past_, hour(now_)); }

  ZonePast past_;
  int now_ = -1;
};

// H-13: the old key leaves the zone six hours after the parent dropped its DS, which caches hold
// for a day.
TEST(ZonePast, an_old_key_that_leaves_before_its_ds_left_every_cache_breaks_some_resolvers) {
  Rollover zone;
  zone.look_until(10);
  zone.dnskey = {kOld, kNew};
  zone.look_until(20);
  zone.ds = {kNew};
  zone.look_until(25);
  EXPECT_FALSE(zone.stale());

  zone.dnskey = {kNew};
  zone.look_until(26);
  const auto stale = zone.stale();
  ASSERT_TRUE(stale);
  EXPECT_TRUE(stale->is_ds_old);
  EXPECT_EQ(stale->until, hour(20 + 24)) << "the DS was last given in hour 20";
  zone.look_until(43);
  EXPECT_TRUE(zone.stale());
  zone.look_until(44);
  EXPECT_FALSE(zone.stale()) << "the last cache has let go";

  const auto finding =
      finding_of(*stale, "example.org", {.kind = probes::Subject::Kind::host, .name = "mx"});
  EXPECT_EQ(finding.severity, probes::Severity::critical);
  EXPECT_EQ(cause_of(finding, nullptr, nullptr),
            (probes::Subject{.kind = probes::Subject::Kind::zone, .name = "example.org"}));
}

// H-13, the other way round: the parent names the new key before every cache has it.
TEST(ZonePast, a_ds_that_comes_before_the_new_key_is_in_every_cache_breaks_some_resolvers) {
  Rollover zone;
  zone.look_until(10);
  zone.ds = {kNew};
  zone.dnskey = {kNew};
  zone.look_until(11);
  const auto stale = zone.stale();
  ASSERT_TRUE(stale);
  EXPECT_TRUE(stale->is_ds_old) << "of both, the DS stays longer";
  EXPECT_EQ(stale->until, hour(10 + 24));

  Rollover patient;
  patient.look_until(10);
  patient.ds = {kOld, kNew};
  patient.look_until(40);
  patient.dnskey = {kNew};
  patient.look_until(42);
  patient.ds = {kNew};
  patient.look_until(80);
  EXPECT_FALSE(patient.stale());
}

TEST(ZonePast, a_rollover_that_waits_for_every_cache_breaks_nothing_at_any_moment) {
  Rollover zone;
  zone.look_until(10);
  zone.dnskey = {kOld, kNew};
  zone.look_until(12);
  zone.ds = {kNew};
  zone.look_until(12 + 25);
  zone.dnskey = {kNew};
  for (int at = 38; at < 80; ++at) {
    zone.look(at);
    EXPECT_FALSE(zone.stale()) << at;
  }
}

// A key published but not yet signing the DNSKEY RRset vouches for nothing.
TEST(ZonePast, a_ds_that_no_signing_key_fits_is_left_to_the_look_while_it_is_what_holds) {
  Rollover zone;
  zone.look_until(3);
  zone.ds = {kNew};
  zone.look_until(4);
  const auto stale = zone.stale();
  EXPECT_FALSE(stale) << "now nothing fits: the look says ds-broken";
}

TEST(ZonePast, what_an_older_cache_gives_is_no_news) {
  Rollover zone;
  zone.look_until(10);
  zone.dnskey = {kOld, kNew};
  zone.ds = {kNew};
  zone.look_until(12);
  const auto before = zone.past_;
  const auto news = record_key_set(
      zone.past_, std::make_shared<const KeySets>(KeySets{.zone = kZone,
                                                          .ds = {{kOld}, kDsTtl},
                                                          .dnskey = {{kOld, kNew}, kKeyTtl},
                                                          .ds_given_at = hour(9),
                                                          .dnskey_given_at = hour(13)}));
  ASSERT_TRUE(news);
  EXPECT_FALSE(news->has_ds);
  EXPECT_TRUE(news->has_dnskey);
  EXPECT_EQ(zone.past_.ds.size(), before.ds.size());
  EXPECT_EQ(zone.past_.ds.back().what, before.ds.back().what);
}

// of a name whose zone lost its DS record.
TEST(ZonePast, the_delegation_that_counts_is_that_of_the_closest_zone_that_had_one) {
  Rollover zone;
  zone.look(0);
  const auto mx = *probes::dns::Name::parse("mx.mail.example.org");
  const auto of = [&](const probes::dns::Name& where) {
    return delegation_ttl(
        mx, [&](const probes::dns::Name& name) { return name == where ? zone.past_ : ZonePast{}; });
  };
  EXPECT_EQ(of(kZone), kDsTtl);
  EXPECT_EQ(of(mx), kDsTtl);
  EXPECT_EQ(of(*probes::dns::Name::parse("example.com")), Seconds{0});
}

}  // namespace
}  // namespace agent

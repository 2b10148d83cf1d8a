#include "agent/history/version.h"

#include <gtest/gtest.h>

#include "agent/history/host_history.h"
#include "agent/rollover/gate_decision.h"
#include "agent/rollover/rollover.h"
#include "tests/support/past.h"

// What one host may cost, whatever it shows at every look.
namespace {

using support::kNow;
using support::Past;
using support::Pki;
using support::record;

constexpr config::Seconds kMinute{60};
constexpr int kLooks = 5'000;

template <class What>
std::size_t versions_of(const std::map<std::string, std::vector<agent::Version<What>>>& known) {
  std::size_t out = 0;
  for (const auto& [name, versions] : known) out += versions.size();
  return out;
}

// Other records, another key and another signature at every look; the address is another, too.
agent::Sample restless(int look, bool is_moving) {
  const auto& pki = Pki::get();
  const auto number = std::to_string(look);
  auto given = Past::give({record(3, 1, 1, *pki.leaf.certificate)}, config::Seconds{look + 1});
  const auto& leaf = look % 2 == 0 ? pki.leaf.certificate : pki.old_leaf.certificate;
  const auto at = kNow + look * kMinute;
  return {.servers = {{is_moving ? "ns" + number : "ns1", given}},
          .endpoints = {{(is_moving ? number : "192.0.2.1") + "/default", agent::Chain{leaf}}},
          .knows_servers = true,
          .knows_endpoints = true,
          .seen_at = at,
          .signatures = {{agent::kAllServers, agent::Signature{.expiration = at}}}};
}

agent::HostHistory played(bool is_moving) {
  agent::HostHistory out;
  for (int look = 0; look < kLooks; ++look) {
    const auto at = kNow + look * kMinute;
    agent::record_sample(out, agent::completed(out, restless(look, is_moving)), at, at);
  }
  return out;
}

TEST(Versions, OfAHostThatChangesAtEveryLookAreBounded) {
  const auto host_history = played(false);
  EXPECT_EQ(versions_of(host_history.servers), agent::kMostVersions);
  EXPECT_EQ(versions_of(host_history.endpoints), agent::kMostVersions);
  EXPECT_EQ(versions_of(host_history.signatures), agent::kMostVersions);
  EXPECT_EQ(host_history.servers.begin()->second.back().first_seen, kNow + (kLooks - 1) * kMinute);
}

TEST(Versions, OfAHostThatMovesAtEveryLookAreBoundedAndThoseThatWentLastAreKept) {
  const auto host_history = played(true);
  EXPECT_EQ(host_history.servers.size(), agent::kMostNames);
  EXPECT_EQ(host_history.endpoints.size(), agent::kMostNames);
  EXPECT_LE(versions_of(host_history.servers), agent::kMostVersionsOfAll);
  // What a cache may still hold is what the server gave that went last.
  for (int look = kLooks - static_cast<int>(agent::kMostNames); look < kLooks; ++look)
    EXPECT_TRUE(host_history.servers.contains("ns" + std::to_string(look))) << look;
}

TEST(Versions, OfWhatIsThereAreNeverForgottenAsAWhole) {
  agent::Sample sample{.knows_endpoints = true};
  constexpr std::size_t kMany = agent::kMostNames + 30;
  for (std::size_t i = 0; i < kMany; ++i)
    sample.endpoints["192.0.2." + std::to_string(i) + "/default"] =
        agent::Chain{Pki::get().leaf.certificate};
  agent::HostHistory host_history;
  EXPECT_TRUE(
      agent::record_sample(host_history, agent::completed(host_history, sample), kNow, kNow));
  EXPECT_EQ(host_history.endpoints.size(), kMany);
  const auto later = kNow + kMinute;
  EXPECT_FALSE(
      agent::record_sample(host_history, agent::completed(host_history, sample), later, later))
      << "nothing is news that was there before";
}

// A set that refuses the key, and then within its TTL more changes than are kept: caches may hold
// it, though nothing that is remembered says so.
TEST(Versions, ThatWereForgottenMayBeInCachesAndNothingIsProvenUntilTheyAreNot) {
  const auto& pki = Pki::get();
  const agent::Chain chain{pki.leaf.certificate};
  const config::Seconds ttl{3600};
  const auto fits = record(3, 1, 1, *pki.leaf.certificate);
  Past past;
  past.look(kNow - kMinute, Past::give({fits}, ttl), chain);
  past.look(kNow, Past::give({record(3, 1, 1, *pki.old_leaf.certificate)}, ttl), chain);
  const auto second = [](int n) { return kNow + config::Seconds{n}; };
  constexpr int kChanges = agent::kMostVersions + 50;
  for (int i = 1; i <= kChanges; ++i)
    past.look(second(i), Past::give({fits}, config::Seconds{60 + i % 2}), chain);
  // The one that refuses was replaced a second after it had come.
  EXPECT_EQ(past.host_history.forgotten_until, second(1) + ttl);

  const std::vector<std::string> names{"mx.example.test"};
  const agent::Rollovers rollovers(agent::history_of(past.host_history, names));
  for (const auto at : {second(kChanges), second(1) + ttl - config::Seconds{1}}) {
    const auto standing = rollovers.at(at);
    EXPECT_EQ(wire_name(standing.state), "unknown");
    EXPECT_FALSE(standing.failing_share);
    EXPECT_FALSE(standing.safe_to_switch_at);
    EXPECT_TRUE(standing.findings.empty());
    EXPECT_EQ(
        wire_name(
            agent::clear(past.host_history, {}, chain, {.own = names, .users = {}}, at).answer),
        "unknown");
  }
  EXPECT_EQ(rollovers.at(second(1) + ttl).state, agent::RolloverState::steady);
  EXPECT_EQ(rollovers.at(second(1) + ttl).failing_share, 0.0);
  EXPECT_EQ(wire_name(agent::clear(past.host_history, {}, chain, {.own = names, .users = {}},
                                   second(1) + ttl)
                          .answer),
            "yes");
}

// The moment for the next key is proven only beyond that.
TEST(Versions, ThatWereForgottenHoldUpTheNextKey) {
  const auto& pki = Pki::get();
  const auto now = record(3, 1, 1, *pki.old_leaf.certificate);
  const auto next = record(3, 1, 1, *pki.leaf.certificate);
  Past past;
  past.look(kNow, Past::give({now}, config::Seconds{7200}), {pki.old_leaf.certificate});
  constexpr int kChanges = agent::kMostVersions + 50;
  for (int i = 1; i <= kChanges; ++i)
    past.look(kNow + config::Seconds{i}, Past::give({now, next}, config::Seconds{60 + i % 2}),
              {pki.old_leaf.certificate});
  const agent::Rollovers rollovers(agent::history_of(past.host_history, {"mx.example.test"}));
  const auto standing = rollovers.at(kNow + 5 * kMinute);
  EXPECT_EQ(wire_name(standing.state), "unknown");
  EXPECT_EQ(standing.safe_to_switch_at, kNow + config::Seconds{7201});
  EXPECT_EQ(rollovers.at(kNow + config::Seconds{7201}).safe_to_switch_at,
            kNow + config::Seconds{7201});
}

// What demands nothing of anybody may be forgotten: an unsigned set whose TTL is a cache's rest.
TEST(Versions, ThatDemandNothingMayBeForgotten) {
  Past past;
  for (int i = 0; i < static_cast<int>(agent::kMostVersions) + 50; ++i)
    past.look(kNow + config::Seconds{i}, agent::Published{.ttl = config::Seconds{3600 - i}},
              {Pki::get().leaf.certificate});
  EXPECT_EQ(past.host_history.forgotten_until, agent::kEver);
}

// A rollover after more changes than are kept is told as if they had never been.
TEST(Versions, WithinTheBoundTellTheSameOfARollover) {
  const auto& pki = Pki::get();
  const auto old_one = Past::give({record(3, 1, 1, *pki.old_leaf.certificate)});
  const auto both = Past::give(
      {record(3, 1, 1, *pki.old_leaf.certificate), record(3, 1, 1, *pki.leaf.certificate)});
  const auto new_one = Past::give({record(3, 1, 1, *pki.leaf.certificate)});
  const agent::Chain before{pki.old_leaf.certificate}, after{pki.leaf.certificate};
  const auto hour = [](int n) { return kNow + n * 60 * kMinute; };
  Past calm, restless;
  for (int i = 0; i < kLooks; ++i)
    restless.look(hour(-100) - (kLooks - i) * kMinute, i % 2 == 0 ? new_one : both,
                  i % 2 == 0 ? after : before);
  for (auto* host : {&calm, &restless}) {
    for (int i = -90; i < 0; i += 10) host->look(hour(i), old_one, before);
    host->look(hour(0), both, before);
    host->look(hour(5), both, after);
    host->look(hour(6), both, after);
    host->look(hour(9), new_one, after);
  }
  EXPECT_EQ(versions_of(restless.host_history.servers), 2 * agent::kMostVersions);
  const agent::Rollovers want(agent::history_of(calm.host_history, {"mx.example.test"}));
  const agent::Rollovers got(agent::history_of(restless.host_history, {"mx.example.test"}));
  for (int i = -20; i < 15; ++i) {
    EXPECT_EQ(got.at(hour(i)).state, want.at(hour(i)).state) << i;
    EXPECT_EQ(got.at(hour(i)).safe_to_switch_at, want.at(hour(i)).safe_to_switch_at) << i;
    EXPECT_EQ(got.at(hour(i)).safe_to_remove_at, want.at(hour(i)).safe_to_remove_at) << i;
    EXPECT_EQ(got.at(hour(i)).failing_share, want.at(hour(i)).failing_share) << i;
  }
}

}  // namespace

#include "agent/history/host_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/rollover/rollover.h"
#include "tests/support/past.h"

// What a look is evidence of, and for when.
namespace {

using support::kNow;
using support::Past;
using support::Pki;
using support::record;
using testing::IsEmpty;

constexpr config::Seconds kMinute{60};

TEST(HostHistory, ALongLookProvesWhatItSawOnlyAtTheSafeEndOfItself) {
  const auto old_one = Past::give({record(3, 1, 1, *Pki::get().old_leaf.certificate)});
  const auto new_one = Past::give({record(3, 1, 1, *Pki::get().leaf.certificate)});
  agent::HostHistory host_history;
  const auto look = [&](const agent::Published& given, config::Time began, config::Time ended) {
    return agent::record_sample(host_history, {.servers = {{"ns1", given}}, .knows_servers = true},
                                began, ended);
  };
  EXPECT_TRUE(look(old_one, kNow, kNow + kMinute));
  EXPECT_FALSE(look(old_one, kNow + 10 * kMinute, kNow + 11 * kMinute));
  EXPECT_TRUE(look(new_one, kNow + 20 * kMinute, kNow + 21 * kMinute));
  const auto history = agent::history_of(host_history, {"mx.example.test"});
  ASSERT_EQ(history.servers.size(), 1U);
  ASSERT_EQ(history.servers[0].size(), 2U);
  const auto began = history.servers[0][1].began;
  EXPECT_EQ(began.after, kNow + 10 * kMinute) << "the name server may have been asked at the begin";
  EXPECT_EQ(began.by, kNow + 21 * kMinute) << "or at the end";
}

// Of a provider with very many users their names are a long list.
TEST(HostHistory, NamesOfUsersAreAskedForWhereTheHostsOwnAreNotEnough) {
  const auto& pki = Pki::get();
  const agent::Chain chain{pki.leaf.certificate, pki.inter.certificate};
  int asked = 0;
  const agent::NamesOfUsers users = [&asked]() -> std::vector<std::string> {
    ++asked;
    return {"a.test", "mx.example.test"};
  };
  const auto fits = [&](const probes::dane::TlsaRecord& record, const std::string& own) -> bool {
    Past host;
    host.look(kNow, Past::give({record}), chain);
    asked = 0;
    return agent::history_of(host.host_history, {own}, users).fits.at(0).at(0);
  };
  const auto anchor = record(2, 0, 1, *pki.inter.certificate);
  EXPECT_TRUE(fits(anchor, "mx.example.test"));
  EXPECT_EQ(asked, 0);
  EXPECT_TRUE(fits(anchor, "other.test"));
  EXPECT_EQ(asked, 1);
  EXPECT_FALSE(fits(record(3, 1, 1, *pki.old_leaf.certificate), "other.test"));
  EXPECT_EQ(asked, 0) << "no name is asked of DANE-EE";
}

// of hosts with one TLSA owner the record of a key may not go before the last has left it.
TEST(HostHistory, HostsThatShareAnOwnerRollOverTogether) {
  const auto& pki = Pki::get();
  const auto both = Past::give(
      {record(3, 1, 1, *pki.old_leaf.certificate), record(3, 1, 1, *pki.leaf.certificate)});
  const auto hour = [](int n) { return kNow + n * 60 * kMinute; };
  const agent::Chain before{pki.old_leaf.certificate}, after{pki.leaf.certificate};
  Past first, fourth;
  for (auto* host : {&first, &fourth}) {
    host->look(hour(0), Past::give({record(3, 1, 1, *pki.old_leaf.certificate)}), before);
    host->look(hour(1), both, before);
  }
  first.look(hour(10), both, after);
  fourth.look(hour(10), both, before);
  const auto standing = [&](const agent::HostHistory& host_history, int at = 10) {
    return agent::Rollovers(agent::history_of(host_history, {"mx.example.test"})).at(hour(at));
  };
  EXPECT_TRUE(standing(first.host_history).safe_to_remove_at) << "for all that it alone can tell";
  auto shared = first.host_history;
  agent::add_endpoints(shared, "mx4.example.test", fourth.host_history);
  EXPECT_EQ(standing(shared).state, agent::RolloverState::switching);
  EXPECT_FALSE(standing(shared).safe_to_remove_at);
  fourth.look(hour(11), both, after);
  agent::add_endpoints(shared, "mx4.example.test", fourth.host_history);
  EXPECT_TRUE(standing(shared, 11).safe_to_remove_at);
}

// Records and what they are for are one story; how senders fare is each host's own.
TEST(HostHistory, ARefusalAtAnotherHostOfTheOwnerIsNotItsOwn) {
  const auto& pki = Pki::get();
  const auto hour = [](int n) { return kNow + n * 60 * kMinute; };
  const auto published = Past::give({record(3, 1, 1, *pki.old_leaf.certificate)});
  const agent::Chain before{pki.old_leaf.certificate}, after{pki.leaf.certificate};
  Past mended, left_wrong;
  for (auto* host : {&mended, &left_wrong}) {
    host->look(hour(0), published, before);
    host->look(hour(1), published, after);
  }
  mended.look(hour(2), published, before);
  left_wrong.look(hour(2), published, after);
  const auto rollovers = [](const Past& own, const Past& other) {
    auto shared = own.host_history;
    agent::add_endpoints(shared, "other.example.test", other.host_history);
    return agent::Rollovers(agent::history_of(shared, {"mx.example.test"}));
  };
  const auto well = rollovers(mended, left_wrong), wrong = rollovers(left_wrong, mended);
  EXPECT_EQ(well.at(hour(3)).failing_share, 0);
  EXPECT_FALSE(well.at(hour(3)).window);
  EXPECT_THAT(well.refused_keys(hour(3)), IsEmpty());
  EXPECT_EQ(wrong.at(hour(3)).state, agent::RolloverState::mismatch);
  EXPECT_EQ(wrong.at(hour(3)).failing_share, 1);
  EXPECT_TRUE(wrong.at(hour(3)).window);
}

// Its old record may be what it comes back to.
TEST(HostHistory, TheRecordOfAHostOfTheOwnerThatIsRefusedIsNoLeftover) {
  const auto& pki = Pki::get();
  const auto hour = [](int n) { return kNow + n * 60 * kMinute; };
  const auto mine = record(3, 1, 1, *pki.leaf.certificate),
             theirs = record(3, 1, 1, *pki.old_leaf.certificate);
  const auto published = Past::give({mine, theirs});
  const agent::Chain ours{pki.leaf.certificate}, before{pki.old_leaf.certificate},
      after{pki.rsa_leaf.certificate};
  Past steady, other;
  steady.look(hour(0), published, ours).look(hour(1), published, ours);
  other.look(hour(0), published, before).look(hour(1), published, after);
  auto shared = steady.host_history;
  agent::add_endpoints(shared, "other.example.test", other.host_history);
  const auto standing =
      agent::Rollovers(agent::history_of(shared, {"mx.example.test"})).at(hour(2));
  EXPECT_EQ(standing.state, agent::RolloverState::steady);
  EXPECT_FALSE(standing.safe_to_remove_at);
}

// the DS record is gone; the records still stand there, and are for nobody.
TEST(HostHistory, RecordsThatNobodyBelievesAreTakenForWithdrawn) {
  support::Scene scene;
  auto& host = scene.mx();
  const auto look = [&](agent::HostHistory& host_history, config::Time at) {
    agent::record_sample(host_history, agent::completed(host_history, agent::sample_of(host)), at,
                         at);
  };
  agent::HostHistory host_history;
  look(host_history, kNow);
  host.tlsa.status = host.a.status = host.aaaa.status = probes::dns::DnssecStatus::insecure;
  look(host_history, kNow + 10 * kMinute);
  const agent::Rollovers rollovers(agent::history_of(host_history, {"mx.example.test"}));
  EXPECT_EQ(rollovers.at(kNow).state, agent::RolloverState::steady);
  EXPECT_EQ(rollovers.at(kNow + 11 * kMinute).state, agent::RolloverState::withdrawn);
  EXPECT_EQ(rollovers.at(kNow + 71 * kMinute).state, agent::RolloverState::no_dane);
}

// Nobody asked for them: that is no sign that they are gone, and DANE is not lost.
TEST(HostHistory, RecordsOfAHostWithoutAddressStayAsTheyWereSeen) {
  support::Scene scene;
  auto& host = scene.mx();
  agent::HostHistory host_history;
  const auto look = [&](config::Time at) {
    const auto sample = agent::sample_of(host);
    EXPECT_FALSE(agent::is_loss(host_history, sample));
    agent::record_sample(host_history, agent::completed(host_history, sample), at, at);
  };
  look(kNow);
  host.a.outcome = host.aaaa.outcome = probes::dns::Outcome::absent;
  host.a.data = host.aaaa.data = {};
  host.addresses = {};
  host.sessions = {};
  host.records = {};
  host.tlsa = {};
  look(kNow + 10 * kMinute);
  const agent::Rollovers rollovers(agent::history_of(host_history, {"mx.example.test"}));
  EXPECT_EQ(rollovers.at(kNow + 11 * kMinute).state, agent::RolloverState::unknown)
      << "no key is seen";
  EXPECT_EQ(agent::served(rollovers.history(), kNow + 11 * kMinute).size(), 1U);
}

// R-29, and what is worse: the key is replaced while caches still hold the DS record. They take the
// old records in for its TTL, and hold them for theirs.
TEST(HostHistory, RecordsAreBelievedWhileCachesHoldTheDsRecord) {
  constexpr config::Seconds kDsTtl = 24 * 60 * kMinute;
  constexpr config::Seconds kTtl = 60 * kMinute;
  const auto& pki = Pki::get();
  support::Scene scene;
  auto& host = scene.mx();
  agent::HostHistory host_history;
  const auto look = [&](config::Time at) {
    auto sample = agent::sample_of(host);
    sample.delegation_ttl = agent::is_loss(host_history, sample) ? kDsTtl : config::Seconds{0};
    agent::record_sample(host_history, agent::completed(host_history, sample), at, at);
  };
  // A signer that is late: but the zone will be signed anew, and what is new is believed, too.
  host.tlsa.signatures = {kNow - 60 * kMinute, kNow + 6 * 60 * kMinute};
  look(kNow);
  host.tlsa.status = host.a.status = host.aaaa.status = probes::dns::DnssecStatus::insecure;
  const auto lost = kNow + 10 * kMinute;
  look(lost);
  for (auto& session : host.sessions) session.tls->chain = {pki.old_leaf.certificate};
  const auto replaced = lost + 20 * kMinute;
  look(replaced);
  look(replaced + 10 * kMinute);
  const agent::Rollovers rollovers(agent::history_of(host_history, {"mx.example.test"}));
  const auto end = lost + kDsTtl + kTtl;
  EXPECT_EQ(rollovers.at(lost).safe_to_switch_at, end) << "until when the key must stay";
  const auto windows = rollovers.windows();
  ASSERT_EQ(windows.size(), 1U);
  EXPECT_EQ(windows[0].from, replaced);
  EXPECT_EQ(windows[0].until, end);
  EXPECT_EQ(rollovers.at(end - kMinute).state, agent::RolloverState::withdrawn);
  EXPECT_EQ(rollovers.at(end).state, agent::RolloverState::no_dane);
  EXPECT_EQ(*rollovers.at(lost + kDsTtl).failing_share, 1) << "all may, as far as anybody can tell";
  EXPECT_NEAR(*rollovers.at(end - kTtl / 2).failing_share, 0.5, 0.01);
}

}  // namespace

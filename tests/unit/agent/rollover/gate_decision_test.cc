#include "agent/rollover/gate_decision.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/rollover/rollover.h"
#include "tests/support/past.h"

namespace {

using agent::Chain;
using agent::GateAnswer;
using agent::GateDecision;
using std::chrono::hours;
using std::chrono::minutes;
using support::kNow;
using support::new_chain;
using support::new_record;
using support::old_chain;
using support::old_record;
using support::Past;
using support::Pki;
using support::record;
using testing::ElementsAre;
using testing::IsEmpty;

GateDecision clear(const Past& past, config::Time at, const Chain& chain = new_chain(),
                   const std::vector<std::string>& unheard = {}) {
  return agent::clear(past.host_history, unheard, chain, {.own = {"mx.example.test"}, .users = {}},
                      at);
}

TEST(GateDecision, WaitsUntilTheLastCacheHasLostTheSetWithoutTheNewRecord) {
  Past past;
  past.look(kNow - hours{24}, Past::give({old_record()}), old_chain())
      .look(kNow, Past::give({old_record(), new_record()}), old_chain())
      .look(kNow + minutes{30}, Past::give({old_record(), new_record()}), old_chain());
  const auto early = clear(past, kNow + minutes{30});
  EXPECT_EQ(early.answer, GateAnswer::not_before);
  EXPECT_EQ(early.not_before, kNow + hours{1}) << "one TTL after every server has it";
  EXPECT_EQ(early.recommended, kNow + hours{2}) << "RFC 7671 §8.1: two TTLs";
  const auto tight = clear(past, kNow + hours{1});
  EXPECT_EQ(tight.answer, GateAnswer::yes);
  EXPECT_EQ(tight.recommended, kNow + hours{2}) << "no cache refuses it, but there is no margin";
  const auto safe = clear(past, kNow + hours{2});
  EXPECT_EQ(safe.answer, GateAnswer::yes);
  EXPECT_EQ(safe.recommended, std::nullopt);
}

TEST(GateDecision, CountsWithTheTtlThatWasPublishedBeforeItWasLowered) {
  Past past;
  past.look(kNow - hours{24}, Past::give({old_record()}, hours{24}), old_chain())
      .look(kNow, Past::give({old_record(), new_record()}, minutes{5}), old_chain());
  EXPECT_EQ(clear(past, kNow + hours{1}).not_before, kNow + hours{24});
}

TEST(GateDecision, NeverWithoutARecordAndPrintsTheMissingOne) {
  Past past;
  past.look(kNow - hours{24}, Past::give({old_record()}), old_chain());
  const auto out = clear(past, kNow);
  EXPECT_EQ(out.answer, GateAnswer::never);
  EXPECT_THAT(out.missing, ElementsAre(new_record()));
  EXPECT_EQ(out.not_before_then, kNow + hours{1});
}

TEST(GateDecision, NeverNamesNoTimeBeforeTheCertificateIsValid) {
  const auto leaf = support::issue({.common_name = "mx.example.test",
                                    .dns_names = {"mx.example.test"},
                                    .not_before = kNow + hours{48}},
                                   support::Key::ecdsa(), Pki::get().inter);
  Past past;
  past.look(kNow - hours{24}, Past::give({old_record()}), old_chain());
  const auto out = clear(past, kNow, {leaf.certificate});
  EXPECT_EQ(out.answer, GateAnswer::never);
  EXPECT_EQ(out.not_before_then, kNow + hours{48});
}

// Whoever publishes what it names is let through as soon as caches have it.
TEST(GateDecision, WhatItNamesIsEnoughWhateverDigestsArePublished) {
  const auto& before = *old_chain().front();
  const auto& issuer = *Pki::get().root.certificate;
  struct Row {
    std::string_view says;
    Past::Records published;
    std::size_t want;
  };
  for (const auto& [says, published, want] : std::vector<Row>{
           {"SHA2-256", {record(3, 1, 1, before)}, 1},
           {"SHA2-512", {record(3, 1, 2, before)}, 1},
           {"both", {record(3, 1, 1, before), record(3, 1, 2, before)}, 2},
           {"of another selector", {record(3, 1, 1, before), record(3, 0, 2, before)}, 1},
           {"SHA2-512 of another usage alone", {record(2, 1, 2, issuer)}, 1},
           {"and the whole key", {record(3, 1, 0, before), record(3, 1, 2, before)}, 2},
           {"one is there", {record(3, 1, 2, before), record(3, 1, 1, before), new_record()}, 1},
       }) {
    Past past;
    past.look(kNow - hours{24}, Past::give(published), old_chain());
    const auto out = clear(past, kNow);
    EXPECT_EQ(out.answer, GateAnswer::never) << says;
    EXPECT_EQ(out.missing.size(), want) << says;
    auto then = published;
    then.insert(then.end(), out.missing.begin(), out.missing.end());
    past.look(kNow, Past::give(then), old_chain());
    EXPECT_EQ(clear(past, kNow + hours{2}).answer, GateAnswer::yes) << says;
  }
}

TEST(GateDecision, NeverWhileOneServerLags) {
  Past past;
  past.look(kNow - hours{24}, Past::give({old_record()}), old_chain())
      .look(kNow, Past::give({old_record(), new_record()}), Past::give({old_record()}),
            old_chain());
  const auto out = clear(past, kNow + hours{5});
  EXPECT_EQ(out.answer, GateAnswer::never);
  EXPECT_THAT(out.missing, IsEmpty()) << "it is published, but not everywhere";
  ASSERT_EQ(out.why.size(), 1U);
  EXPECT_EQ(out.why[0].find("ns2 still gives"), 0U) << out.why[0];
}

TEST(GateDecision, DoesNotKnowWhatWasPublishedBeforeTheFirstLook) {
  Past past;
  past.look(kNow, Past::give({old_record(), new_record()}));
  const auto out = clear(past, kNow);
  EXPECT_EQ(out.answer, GateAnswer::not_before);
  EXPECT_EQ(out.not_before, kNow + hours{1});
}

TEST(GateDecision, AKeyThatIsInUseAlreadyChangesNothing) {
  Past past;
  past.look(kNow, Past::give({new_record()}), new_chain());
  EXPECT_EQ(clear(past, kNow).answer, GateAnswer::yes);
}

TEST(GateDecision, SendersThatKnowNoSha512MustAcceptItToo) {
  Past past;
  past.look(kNow - hours{24},
            Past::give({old_record(), record(3, 1, 2, *Pki::get().leaf.certificate)}), old_chain());
  EXPECT_EQ(clear(past, kNow).answer, GateAnswer::never);
}

TEST(GateDecision, SaysWhenOnlyTheIssuerVouchesForIt) {
  Past past;
  past.look(kNow - hours{24},
            Past::give({old_record(), record(2, 1, 1, *Pki::get().inter.certificate)}),
            old_chain());
  const auto out = clear(past, kNow);
  ASSERT_EQ(out.answer, GateAnswer::yes);
  ASSERT_EQ(out.why.size(), 2U);
  EXPECT_NE(out.why[1].find("RFC 7671 §8"), std::string::npos);
}

// A host that several domains share under DANE-TA(2): senders to each take the host's name or that
// domain's, and no other's (RFC 7672 §3.2.2).
TEST(GateDecision, SendersToEveryDomainMustAcceptIt) {
  const auto& inter = Pki::get().inter;
  Past past;
  past.look(kNow - hours{24}, Past::give({record(2, 1, 1, *inter.certificate)}), old_chain());
  struct Row {
    std::string_view says;
    std::vector<std::string> names, users;
    GateAnswer want;
  };
  for (const auto& [says, names, users, want] : std::vector<Row>{
           {"the host's name is enough",
            {"mx.example.test"},
            {"a.test", "b.test"},
            GateAnswer::yes},
           {"so is a wildcard for it", {"*.example.test"}, {"a.test"}, GateAnswer::yes},
           {"each domain's name", {"a.test", "b.test"}, {"a.test", "b.test"}, GateAnswer::yes},
           {"one domain's", {"a.test"}, {"a.test", "b.test"}, GateAnswer::never},
           {"whichever is first", {"b.test"}, {"a.test", "b.test"}, GateAnswer::never},
           {"the only one's", {"a.test"}, {"a.test"}, GateAnswer::yes},
           {"nobody's", {"c.test"}, {}, GateAnswer::never},
       }) {
    const auto leaf = support::issue({.common_name = names.front(), .dns_names = names},
                                     support::Key::ecdsa(), inter);
    const auto out = agent::clear(past.host_history, {}, {leaf.certificate, inter.certificate},
                                  {.own = {"mx.example.test"}, .users = users}, kNow);
    EXPECT_EQ(out.answer, want) << says;
  }
}

TEST(GateDecision, AsksForTheIssuersWhenARecordNamesOne) {
  Past past;
  past.look(kNow - hours{24}, Past::give({record(2, 1, 1, *Pki::get().inter.certificate)}),
            old_chain());
  const auto out = clear(past, kNow, {new_chain().front()});
  EXPECT_EQ(out.answer, GateAnswer::never);
  ASSERT_EQ(out.why.size(), 2U);
  EXPECT_NE(out.why[1].find("fullchain.pem"), std::string::npos);
}

TEST(GateDecision, AnythingGoesWhereNoRecordDemandsAnything) {
  Past past;
  past.look(kNow, Past::give({}));
  EXPECT_EQ(clear(past, kNow).answer, GateAnswer::yes);
}

TEST(GateDecision, WhatWasWithdrawnIsStillInCaches) {
  Past past;
  past.look(kNow - hours{24}, Past::give({old_record()}), old_chain())
      .look(kNow, Past::give({}), old_chain());
  const auto out = clear(past, kNow + minutes{1});
  EXPECT_EQ(out.answer, GateAnswer::not_before);
  EXPECT_EQ(out.not_before, kNow + hours{1});
}

TEST(GateDecision, AServerNeverHeardMayGiveAnything) {
  Past past;
  past.look(kNow - hours{2}, Past::give({old_record(), new_record()}), old_chain());
  EXPECT_EQ(clear(past, kNow, new_chain(), {"ns3 192.0.2.3"}).answer, GateAnswer::unknown);
  const auto lame = clear(past, kNow + hours{24}, new_chain(), {"ns3 192.0.2.3"});
  EXPECT_EQ(lame.answer, GateAnswer::yes) << "after a day it is lame, and serves nobody";
  EXPECT_EQ(lame.why.size(), 2U);
}

TEST(GateDecision, CouldNotTellWhereNoServerGivesAnAnswer) {
  Past past;
  past.look(kNow, {.is_gone = true});
  EXPECT_EQ(clear(past, kNow).answer, GateAnswer::unknown);
}

// Random histories of two servers: the gate, asked about the new key, and the state say the same.
TEST(GateDecision, NamesTheMomentThatTheStateNames) {
  std::mt19937 random(1);
  const auto below = [&](int n) { return std::uniform_int_distribution<>(0, n - 1)(random); };
  constexpr int kTtls[] = {0, 60, 300, 900, 3600, 7200};
  int compared = 0;
  for (int history = 0; history < 100; ++history) {
    Past past;
    auto at = kNow;
    const bool has_alias = below(2) == 0;
    std::string alias = "t0.example.test";
    std::vector<agent::Published> now(2, Past::give({old_record()}, config::Seconds{3600}));
    for (int step = 0; step < 8; ++step) {
      const config::Seconds ttl{kTtls[below(6)]};
      if (below(4) == 0) alias = "t" + std::to_string(below(2)) + ".example.test";
      const config::Seconds alias_ttl{kTtls[below(6)]};
      const bool has_new = step > 1 && below(4) != 0;
      for (auto& server : now) {
        if (below(4) == 0) continue;  // it lags
        server = has_new ? Past::give({old_record(), new_record()}, ttl)
                         : Past::give({old_record()}, ttl);
      }
      for (auto& server : now) {
        if (has_alias) server.alias = alias;
        server.alias_ttl = has_alias ? alias_ttl : config::Seconds{0};
      }
      past.look(at, now[0], now[1], old_chain());
      const agent::Rollovers rollovers(agent::history_of(past.host_history, {"mx.example.test"}));
      const auto standing = rollovers.at(at);
      const auto gate = clear(past, at);
      SCOPED_TRACE("history " + std::to_string(history) + " step " + std::to_string(step));
      EXPECT_EQ(gate.answer == GateAnswer::yes || gate.answer == GateAnswer::not_before,
                standing.safe_to_switch_at.has_value());
      if (standing.safe_to_switch_at) {
        ++compared;
        EXPECT_EQ(gate.not_before.value_or(at), std::max(at, *standing.safe_to_switch_at));
        if (gate.recommended) {
          EXPECT_EQ(gate.recommended, standing.recommended_switch_at);
        }
      }
      if (HasFailure()) return;
      at += config::Seconds{1 + below(5000)};
    }
  }
  EXPECT_GT(compared, 200);
}

}  // namespace

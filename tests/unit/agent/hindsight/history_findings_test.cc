#include "agent/hindsight/history_findings.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/alerts/lifecycle.h"
#include "agent/rollover/rollover.h"
#include "tests/support/past.h"

// What history makes of a look that went by a resolver's cache.
namespace {

using agent::Chain;
using probes::Code;
using std::chrono::hours;
using std::chrono::minutes;
using support::kNow;
using support::new_chain;
using support::new_record;
using support::old_chain;
using support::old_record;
using support::Past;
using testing::Contains;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

struct Outlook {
  agent::RolloverStanding standing;
  std::vector<Code> codes;
  std::vector<Code> overruled;
};

Outlook outlook(const Past& past, config::Time at) {
  const agent::Rollovers rollovers(agent::history_of(past.host_history, {"mx.example.test"}));
  Outlook out{.standing = rollovers.at(at), .codes = {}, .overruled = {}};
  const auto known =
      agent::foresee(past.host_history, rollovers.history(), out.standing, {}, "mx.example.test");
  for (const auto& finding : known.findings) out.codes.push_back(finding.code);
  out.overruled = known.overruled;
  return out;
}

std::map<Code, probes::Finding> found(const Past& past, config::Time at) {
  const agent::Rollovers rollovers(agent::history_of(past.host_history, {"mx.example.test"}));
  std::map<Code, probes::Finding> out;
  const auto known = agent::foresee(past.host_history, rollovers.history(), rollovers.at(at), {},
                                    "mx.example.test");
  for (const auto& finding : known.findings) out.emplace(finding.code, finding);
  return out;
}

bool do_most_caches_refuse(const Past& past, config::Time at) {
  const agent::Rollovers rollovers(agent::history_of(past.host_history, {"mx.example.test"}));
  return agent::foresee(past.host_history, rollovers.history(), rollovers.at(at), {},
                        "mx.example.test")
      .past.most_caches_refuse;
}

TEST(Caches, RefuseMostMailUntilHalfOfThemHaveForgotten) {
  Past past;
  past.look(kNow - hours{24}, Past::give({old_record()}), old_chain())
      .look(kNow, Past::give({old_record(), new_record()}), new_chain());
  EXPECT_TRUE(do_most_caches_refuse(past, kNow));
  EXPECT_TRUE(do_most_caches_refuse(past, kNow + minutes{30}));
  EXPECT_FALSE(do_most_caches_refuse(past, kNow + minutes{31}));
}

TEST(Caches, RefuseNothingWhereAnotherAddressTakesTheMail) {
  Past past;
  past.look(kNow - hours{24}, Past::give({old_record()}), old_chain())
      .show(kNow - hours{24}, "192.0.2.2/default", old_chain())
      .look(kNow, Past::give({old_record(), new_record()}), new_chain());
  EXPECT_FALSE(do_most_caches_refuse(past, kNow)) << "the second address has the old key";
  past.show(kNow, "192.0.2.2/default", new_chain()).show(kNow, "192.0.2.2/rsa", old_chain());
  EXPECT_TRUE(do_most_caches_refuse(past, kNow)) << "nobody asks for RSA alone";
}

// H-07: verdict from authoritative data; the cache's view is a stale window (RFC 7671 §8.1).
TEST(Outlook, H_07_WhatIsPublishedAcceptsTheKeySoThatARefusalByOurCacheIsAWindowAndNoMismatch) {
  Past past;
  past.look(kNow - hours{24}, Past::give({old_record()}), old_chain())
      .look(kNow, Past::give({old_record(), new_record()}), old_chain())
      .look(kNow + minutes{10}, Past::give({old_record(), new_record()}), new_chain());
  const auto out = outlook(past, kNow + minutes{10});
  EXPECT_EQ(out.standing.state, agent::RolloverState::stale_risk);
  EXPECT_THAT(out.codes, Contains(Code::stale_cache_window));
  EXPECT_THAT(out.overruled,
              UnorderedElementsAre(Code::tlsa_mismatch, Code::tlsa_mismatch_insecure_mx));
}

TEST(Outlook, H_07_ARecordThatIsGoneEverywhereIsAMismatchThoughOurCacheStillHoldsIt) {
  Past past;
  past.look(kNow - hours{24}, Past::give({old_record(), new_record()}), old_chain())
      .look(kNow, Past::give({new_record()}), old_chain());
  const auto out = outlook(past, kNow);
  EXPECT_EQ(out.standing.state, agent::RolloverState::mismatch);
  EXPECT_THAT(out.codes, Contains(Code::tlsa_mismatch));
  EXPECT_THAT(out.codes, Contains(Code::early_retire));
  EXPECT_THAT(out.overruled, IsEmpty());
}

TEST(Outlook, WhatALateServerDoesIsOneAlertOfWhichTheWindowIsAConsequence) {
  Past past;
  const auto both = Past::give({old_record(), new_record()});
  past.look(kNow - hours{24}, Past::give({old_record()}), old_chain())
      .look(kNow, both, Past::give({old_record()}), old_chain())
      .look(kNow + hours{3}, both, Past::give({old_record()}), new_chain());
  const auto findings = found(past, kNow + hours{3});
  EXPECT_TRUE(findings.contains(Code::nameserver_split));
  EXPECT_FALSE(findings.contains(Code::early_retire));
  ASSERT_TRUE(findings.contains(Code::stale_cache_window));
  EXPECT_TRUE(findings.at(Code::nameserver_split).is_whole_cause);
}

TEST(Outlook, AWindowThatNoServerCausesNowIsNoConsequence) {
  Past past;
  past.look(kNow - hours{24}, Past::give({old_record()}), old_chain())
      .look(kNow, Past::give({old_record(), new_record()}), new_chain());
  EXPECT_THAT(outlook(past, kNow).codes, Not(Contains(Code::nameserver_split)));
}

TEST(Outlook, OverrulesNothingOfAHostAtRest) {
  Past past;
  past.look(kNow - hours{24}, Past::give({old_record()}), old_chain())
      .look(kNow, Past::give({old_record()}), old_chain());
  const auto out = outlook(past, kNow);
  EXPECT_THAT(out.codes, Not(Contains(Code::tlsa_mismatch)));
  EXPECT_THAT(out.overruled, IsEmpty());
}

// At publication, not when the next key goes live and nobody accepts it.
TEST(Outlook, ARecordWithAMistakeIsToldAtOnceAndDoesNotCountAsTheNextKey) {
  const probes::dane::TlsaRecord of_nothing{
      .usage = 3,
      .selector = 1,
      .matching_type = 1,
      .data = probes::tls::digest(probes::tls::Digest::sha256, {})};
  Past past;
  past.look(kNow, Past::give({old_record()}), old_chain())
      .look(kNow + hours{1}, Past::give({old_record(), of_nothing}), old_chain());
  const agent::Rollovers rollovers(agent::history_of(past.host_history, {"mx.example.test"}));
  const auto standing = rollovers.at(kNow + hours{1});
  EXPECT_EQ(standing.state, agent::RolloverState::steady);
  const auto known =
      agent::foresee(past.host_history, rollovers.history(), standing, {}, "mx.example.test");
  ASSERT_THAT(known.findings, testing::SizeIs(1));
  EXPECT_EQ(known.findings[0].code, Code::tlsa_orphan);
  EXPECT_TRUE(agent::is_alertable(known.findings[0]));
  ASSERT_THAT(known.findings[0].evidence, testing::SizeIs(2));
  EXPECT_EQ(known.findings[0].evidence[0].value, probes::dane::to_text(of_nothing));
  EXPECT_THAT(known.findings[0].evidence[1].value, testing::HasSubstr("digest of nothing"));
}

// after a compromise nothing is published in advance, and the window is the price.
TEST(Outlook, R_20_AKeyReplacedAtOnceIsMarkedAsAnEmergency) {
  const auto is_marked = [](const Past& past, config::Time at) {
    const agent::Rollovers rollovers(agent::history_of(past.host_history, {"mx.example.test"}));
    const auto known =
        agent::foresee(past.host_history, rollovers.history(), rollovers.at(at), {}, "mx");
    for (const auto& finding : known.findings) {
      if (finding.code != Code::stale_cache_window) continue;
      return std::ranges::find(finding.evidence, "emergency", &probes::Evidence::name) !=
             finding.evidence.end();
    }
    throw std::runtime_error("no window");
  };
  Past at_once;
  at_once.look(kNow, Past::give({old_record()}), old_chain())
      .look(kNow + minutes{10}, Past::give({new_record()}), new_chain());
  EXPECT_TRUE(is_marked(at_once, kNow + minutes{10}));
  Past too_early;
  too_early.look(kNow, Past::give({old_record()}), old_chain())
      .look(kNow + minutes{10}, Past::give({old_record(), new_record()}), old_chain())
      .look(kNow + minutes{20}, Past::give({old_record(), new_record()}), new_chain());
  EXPECT_FALSE(is_marked(too_early, kNow + minutes{20}));
}

TEST(Outlook, RecordsThatAreGoneAreNamedWhereTheyFitTheKeyInUse) {
  Past past;
  past.look(kNow - hours{24}, Past::give({old_record(), new_record()}, minutes{4}), old_chain())
      .look(kNow, Past::give({}), old_chain());
  const auto findings = found(past, kNow + minutes{1});
  ASSERT_TRUE(findings.contains(Code::dane_lost));
  const auto& [remedy, key] =
      std::tie(findings.at(Code::dane_lost).remedy, findings.at(Code::dane_lost).key);
  ASSERT_TRUE(remedy);
  EXPECT_EQ(remedy->ttl, minutes{4}) << "as it was";
  ASSERT_TRUE(key);
  EXPECT_EQ(key->record_removed_at, kNow);
  EXPECT_THAT(remedy->publish, testing::ElementsAre(probes::dane::to_text(old_record())));
}

}  // namespace

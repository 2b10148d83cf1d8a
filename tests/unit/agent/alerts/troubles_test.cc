#include "agent/alerts/troubles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/findings.h"
#include "tests/support/scene.h"

// One cause, one trouble.
namespace {

using agent::Trouble;
using probes::Code;
using probes::Finding;
using probes::Severity;
using probes::Subject;
using support::Pki;
using support::Scene;
using testing::ElementsAre;
using testing::IsEmpty;

const config::Domain kInbound{.name = "example.test"};

// The baseline host, refused or not, with these findings of it beside its own.
class House {
 public:
  explicit House(bool refuses, void (*change)(Scene&) = nullptr) {
    if (change != nullptr) change(scene_);
    if (refuses) scene_.publish({support::record(3, 1, 1, *Pki::get().old_leaf.certificate)});
    judged_ = scene_.judge();
  }
  House& add(Code code, Severity severity = Severity::critical) {
    probes::add_finding(
        judged_,
        {.code = code, .severity = severity, .subject = {Subject::Kind::host, "mx.example.test"}});
    return *this;
  }
  // As what is a partner's may be.
  House& lower(Code code, Severity severity) {
    judged_.findings.edit([&](std::vector<probes::Finding>& all) {
      for (auto& finding : all) {
        if (finding.code == code) finding.severity = severity;
      }
    });
    return *this;
  }
  std::vector<Trouble> troubles(const std::set<Code>& firing = {}) const {
    return agent::troubles_of_host(*judged_.hosts.front().seen, {{&kInbound, &judged_}}, {},
                                   firing);
  }
  std::vector<Code> codes(const std::set<Code>& firing = {}) const {
    std::vector<Code> out;
    for (const auto& one : troubles(firing)) out.push_back(one.finding.code);
    return out;
  }
  bool hides(Code code, const std::set<Code>& firing) const {
    return agent::is_hidden(code, *judged_.hosts.front().seen, troubles(firing), firing);
  }

 private:
  Scene scene_;
  probes::DomainJudgement judged_;
};

void strip_starttls(Scene& scene) {
  for (auto& [name, host] : scene.hosts) {
    for (auto& session : host.sessions) {
      session.stage = probes::smtp::Stage::starttls;
      session.stop = probes::smtp::SessionStop::not_offered;
      session.has_masked_starttls = true;
      session.tls.reset();
    }
  }
}

TEST(Troubles, WhatExplainsARefusalIsTheOneThatFires) {
  House house(true);
  EXPECT_THAT(house.codes(), ElementsAre(Code::tlsa_mismatch));
  house.add(Code::early_retire).add(Code::stale_cache_window, Severity::high);
  EXPECT_THAT(house.codes(), ElementsAre(Code::early_retire));
  const auto consequences = house.troubles().front().finding.consequences;
  ASSERT_EQ(consequences.size(), 2U);
  EXPECT_EQ(consequences[0].code, Code::tlsa_mismatch);
  EXPECT_EQ(consequences[1].code, Code::stale_cache_window);
}

TEST(Troubles, WhatPeopleKnowOfGoesOnUnderItsName) {
  House house(true);
  house.add(Code::early_retire);
  EXPECT_THAT(house.codes({Code::tlsa_mismatch}), ElementsAre(Code::tlsa_mismatch));
  EXPECT_THAT(house.codes({Code::early_retire}), ElementsAre(Code::early_retire));
}

// The record came: what is left of the mismatch is what caches hold, and nothing is to be
// published.
TEST(Troubles, ARefusalThatWasPutRightGoesOnInCachesUnderItsName) {
  House house(false);
  house.add(Code::stale_cache_window, Severity::high);
  EXPECT_THAT(house.codes(), ElementsAre(Code::stale_cache_window));
  const auto troubles = house.troubles({Code::tlsa_mismatch});
  ASSERT_EQ(troubles.size(), 1U);
  EXPECT_EQ(troubles[0].finding.code, Code::tlsa_mismatch);
  EXPECT_TRUE(troubles[0].finding.is_in_caches_only);
  EXPECT_EQ(troubles[0].cause, (Subject{Subject::Kind::host, "mx.example.test"}));
}

TEST(Troubles, ARefusalThatIsStillPublishedIsNotCalledPutRight) {
  House house(true);
  house.add(Code::stale_cache_window, Severity::high);
  const auto troubles = house.troubles({Code::tlsa_mismatch});
  ASSERT_EQ(troubles.size(), 1U);
  EXPECT_FALSE(troubles[0].finding.is_in_caches_only);
}

// Two alerts with advice that contradicts would be open: publish a record, mend the firewall.
TEST(Troubles, WhatCannotBeSeenBehindAStrippedStarttlsIsNamedBelowIt) {
  House house(true, strip_starttls);
  house.add(Code::early_retire).add(Code::stale_cache_window).add(Code::rollover_late);
  const std::set known{Code::tlsa_mismatch};
  EXPECT_THAT(house.codes(known), testing::Contains(Code::early_retire))
      << "until it is certain what hides it";
  const std::set firing{Code::tlsa_mismatch, Code::starttls_stripped};
  EXPECT_THAT(house.codes(firing), ElementsAre(Code::starttls_stripped));
  std::vector<Code> below;
  const auto troubles = house.troubles(firing);
  for (const auto& one : troubles.front().finding.consequences) below.push_back(one.code);
  EXPECT_THAT(below, testing::IsSupersetOf({Code::tlsa_mismatch, Code::early_retire}));
  EXPECT_TRUE(house.hides(Code::tlsa_mismatch, firing));
  EXPECT_FALSE(house.hides(Code::tlsa_mismatch, known));
  EXPECT_FALSE(house.hides(Code::nameserver_split, firing)) << "that is seen all the same";
}

TEST(Troubles, WhatAnotherAddressShowsIsNotHidden) {
  House house(true);
  house.add(Code::starttls_stripped);
  const std::set firing{Code::tlsa_mismatch, Code::starttls_stripped};
  EXPECT_THAT(house.codes(firing), ElementsAre(Code::tlsa_mismatch, Code::starttls_stripped));
}

// A cause that is too calm for an alert silences nothing.
TEST(Troubles, WhatFollowsFromAFindingThatIsNoneIsOne) {
  House house(true);
  house.add(Code::early_retire, Severity::medium);
  EXPECT_THAT(house.codes(), ElementsAre(Code::early_retire)) << "as grave as what comes of it";
  house.lower(Code::early_retire, Severity::medium);
  EXPECT_THAT(house.codes(), ElementsAre(Code::tlsa_mismatch));
}

TEST(Troubles, HoldMailWhereNoHostTakesIt) {
  EXPECT_TRUE(House(true).troubles().front().holds_mail);
  House open(false);
  open.add(Code::rrsig_expiring, Severity::high);
  EXPECT_FALSE(open.troubles().front().holds_mail);
}

}  // namespace

#include "agent/watch/domain_list.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

// What is known of a domain in brief is what its state says, and names lead to places.
namespace {

using namespace agent;
using support::kNow;
using support::Scene;
using testing::ElementsAre;

DomainState called(const std::string& name, const Scene& scene = {}) {
  return {.configured = config::Domain{.name = name},
          .judged = std::make_shared<const probes::DomainJudgement>(scene.judge()),
          .next_check_at = {}};
}

DomainState refused(const std::string& name) {
  Scene scene;
  const auto& pki = support::Pki::get();
  scene.serve({pki.old_leaf.certificate, pki.inter.certificate});
  return called(name, scene);
}

TEST(DomainList, TellsInBriefWhatTheStateSays) {
  DomainList list{called("a.test"), refused("b.test"),
                  DomainState{.configured = config::Domain{.name = "new.test"}}};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& judged = *list[i].judged;
    EXPECT_EQ(list.brief(i).status, probes::status_of(judged));
    EXPECT_EQ(list.brief(i).delivery, probes::delivery_of(judged));
    EXPECT_EQ(list.brief(i).verdict, judged.verdict);
    EXPECT_EQ(list.brief(i).observed_at, judged.seen.open()->observed_at);
    EXPECT_EQ(list.brief(i).has_findings, !judged.findings.empty());
    EXPECT_EQ(list.brief(i).hosts, judged.hosts.identity());
    EXPECT_TRUE(list.brief(i).is_judged);
  }
  EXPECT_EQ(list.brief(1).delivery, probes::Delivery::held_up);
  EXPECT_EQ(list.brief(2).status, probes::Status::unknown);
  EXPECT_FALSE(list.brief(2).is_judged);

  list.set(0, refused("a.test"));
  EXPECT_EQ(list.brief(0).delivery, probes::Delivery::held_up);
  list.change(1, [](auto& state) { state.judged = nullptr; });
  EXPECT_EQ(list.brief(1).delivery, probes::Delivery::unknown);
  list.set_next_check(0, kNow);
  EXPECT_EQ(list[0].next_check_at, kNow);
  EXPECT_EQ(list.brief(0).delivery, probes::Delivery::held_up);
}

TEST(DomainList, TakesABriefThatIsKnownWithTheRoleOfNow) {
  DomainList before{refused("a.test")};
  auto state = before[0];
  state.configured.change().role = config::Role::outbound;
  DomainList list;
  list.push_back(state, before.brief(0));
  EXPECT_EQ(list.brief(0).delivery, probes::Delivery::held_up);
  EXPECT_EQ(list.brief(0).role, config::Role::outbound);
}

TEST(DomainList, ACopyStaysAsItWas) {
  DomainList list;
  for (int i = 0; i < 600; ++i) list.push_back(called(fmt::format("d{:03}.test", i)));
  const auto before = list;
  list.change(599, [](auto& state) { state.judged = nullptr; });
  EXPECT_TRUE(before.brief(599).is_judged);
  EXPECT_FALSE(list.brief(599).is_judged);
  EXPECT_EQ(before[0].judged, list[0].judged);
}

TEST(DomainList, FindsPlacesByName) {
  DomainList list{called("c.test"), called("a.test"), called("b.test")};
  EXPECT_THAT(*list.by_name(), ElementsAre(1, 2, 0));
  list.keep_order();
  EXPECT_EQ(list.place_of("c.test"), 0U);
  EXPECT_EQ(list.place_of("nobody.test"), std::nullopt);
  list.push_back(called("aa.test"));
  EXPECT_EQ(list.place_of("aa.test"), 3U) << "also one that came after the order was kept";
  list.keep_order();
  list.change(0, [](auto& state) { state.configured.change().name = "zz.test"; });
  EXPECT_EQ(list.place_of("zz.test"), 0U);
  EXPECT_EQ(list.place_of("c.test"), std::nullopt);
}

}  // namespace

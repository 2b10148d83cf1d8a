#include "agent/watch/agenda.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

namespace agent {
namespace {

using config::Seconds;
using support::name;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::Optional;
using testing::SizeIs;

Target host_target(const std::string& host) {
  return {.kind = Target::Kind::host, .name = name(host)};
}

// Two hosts of one operator, each of a partner's domain, whom nobody has seen yet.
class WithAgenda : public testing::Test {
 protected:
  WithAgenda() {
    config_.politeness.at_once = 1;
    agenda_.emplace(shown_, config_);
    inventory_.adopt({{.name = "one.test", .role = config::Role::outbound}});
    auto change = inventory_.use(*inventory_.domain(name("one.test")),
                                 {{.name = name("mx1.mail.test"), .preference = 10},
                                  {.name = name("mx2.mail.test"), .preference = 10}});
    for (const auto& target : change.appeared)
      agenda_->add(target, inventory_.host(target.name), at_);
  }
  Agenda& agenda() { return *agenda_; }
  void give_back(const Target& target) {
    const Agenda::Ending well{.pace = ProbeOutcome::steady};
    agenda_->give_back(target, well, at_, agenda_->due_after(target, well, at_));
  }

  config::Config config_;
  Inventory inventory_;
  SnapshotSource shown_;
  std::optional<Agenda> agenda_;
  Ticks at_{Seconds{100'000}};
  const Target first_ = host_target("mx1.mail.test"), second_ = host_target("mx2.mail.test");
};

TEST_F(WithAgenda, StrangersOfOneOperatorAreProbedOneAfterTheOther) {
  EXPECT_EQ(agenda().take(at_), first_);
  EXPECT_EQ(agenda().take(at_), std::nullopt) << "it is held: the operator is asked already";
  give_back(first_);
  at_ += Seconds{60};
  EXPECT_EQ(agenda().take(at_), second_);
}

TEST_F(WithAgenda, WhomAPersonAsksForIsNotHeld) {
  ASSERT_EQ(agenda().take(at_), first_);
  agenda().ask_for(second_, at_);
  EXPECT_EQ(agenda().take(at_), second_);
}

TEST_F(WithAgenda, OwnHostsAreNotHeld) {
  Inventory::Host ours{.name = second_.name};
  ours.own_users = 1;
  agenda().add(second_, &ours, at_);
  ASSERT_EQ(agenda().take(at_), first_);
  EXPECT_EQ(agenda().take(at_), second_);
}

TEST_F(WithAgenda, WhoSentUsAwayIsSparedForAll) {
  ASSERT_EQ(agenda().take(at_), first_);
  const Agenda::Ending away{.pace = ProbeOutcome::steady, .was_sent_away = true};
  agenda().give_back(first_, away, at_, at_ + Seconds{3600});
  EXPECT_THAT(agenda().spared(at_), ElementsAre(Field(&Manners::Held::provider, "mail.test")));
  EXPECT_EQ(agenda().take(at_), std::nullopt);
}

TEST_F(WithAgenda, LendsOnlyWhatNoWorkerIsFreeFor) {
  config_.politeness.at_once = 10;
  agenda().adopt(config_);
  EXPECT_THAT(agenda().lend(10, 1, at_), IsEmpty()) << "our worker is free";
  ASSERT_EQ(agenda().take(at_), first_);
  EXPECT_THAT(agenda().lend(10, 1, at_), ElementsAre(second_));
  EXPECT_EQ(agenda().looking(), 1U) << "what is lent is not with us";
  EXPECT_FALSE(agenda().take_back(first_)) << "it is with us";
  EXPECT_TRUE(agenda().take_back(second_));
  EXPECT_FALSE(agenda().take_back(second_)) << "once";
}

TEST_F(WithAgenda, DoesNotLendOurselvesNorErrands) {
  for (const auto& target : {first_, second_}) agenda().drop(target);
  agenda().add(ourselves(), nullptr, at_);
  EXPECT_THAT(agenda().lend(10, 0, at_), IsEmpty());
  agenda().drop(ourselves());
  ASSERT_TRUE(agenda().begin_errand(host_target("mx.elsewhere.test"), at_));
  EXPECT_FALSE(agenda().begin_errand(host_target("mx.elsewhere.test"), at_)) << "on its way";
  EXPECT_THAT(agenda().lend(10, 0, at_), IsEmpty());
  EXPECT_EQ(agenda().take(at_), host_target("mx.elsewhere.test"));
  EXPECT_TRUE(agenda().end_errand(host_target("mx.elsewhere.test")));
  EXPECT_THAT(agenda().all(), IsEmpty());
}

TEST_F(WithAgenda, OtherPlacesProbeEveryHostInTheirTime) {
  inventory_.host(first_.name)->asked_since = config::Time{};
  agenda().set_places({"b"}, inventory_, at_);
  EXPECT_THAT(agenda().take_from("b", 10, at_), ElementsAre(first_)) << "others see it in trouble";
  EXPECT_THAT(agenda().take_from("c", 10, at_), IsEmpty()) << "no place of the fleet";
  agenda().give_back_there("b", first_, {.pace = ProbeOutcome::steady, .interval = Seconds{5}},
                           at_);
  at_ += config_.fleet.cross_check + Seconds{1};
  EXPECT_THAT(agenda().take_from("b", 1, at_), SizeIs(1));
}

TEST_F(WithAgenda, AProviderIsSparedWhicheverPlaceAsks) {
  ASSERT_EQ(agenda().take(at_), first_);
  agenda().set_places({"b"}, inventory_, at_);
  agenda().move_there("b", second_, at_);
  EXPECT_THAT(agenda().take_from("b", 10, at_), IsEmpty());
}

TEST_F(WithAgenda, APlaceThatIsGoneHoldsNobody) {
  agenda().set_places({"b"}, inventory_, at_);
  agenda().move_there("b", first_, at_);
  ASSERT_THAT(agenda().take_from("b", 1, at_), ElementsAre(first_));
  ASSERT_EQ(agenda().take(at_), std::nullopt);
  agenda().set_places({}, inventory_, at_);
  at_ += Seconds{60};
  EXPECT_NE(agenda().take(at_), std::nullopt);
}

TEST_F(WithAgenda, WeCheckOurselvesTwiceAMinuteWhateverTheInterval) {
  config_.schedule.interval = Seconds{7200};
  agenda().adopt(config_);
  EXPECT_EQ(agenda().due_after(ourselves(), {.pace = ProbeOutcome::steady}, at_),
            at_ + kVantageEvery);
  config_.schedule.confirm_after = Seconds{7};
  agenda().adopt(config_);
  EXPECT_EQ(agenda().due_after(ourselves(), {.pace = ProbeOutcome::confirming}, at_),
            at_ + Seconds{7});
}

}  // namespace
}  // namespace agent

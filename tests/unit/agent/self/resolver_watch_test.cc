#include "agent/self/resolver_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

namespace {

using namespace agent;
using probes::dns::Answer;
using probes::dns::Cause;
using probes::dns::DnssecStatus;
using probes::dns::Outcome;
using probes::dns::Question;
using probes::dns::ResolverFault;
using support::kNow;
using support::name;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace type = probes::dns::type;

const ResolverFault kSlip{.resolver = "192.0.2.53", .what = "refuses TLSA of a.test"};
const ResolverFault kOther{.resolver = "192.0.2.53", .what = "refuses TLSA of b.test"};

const auto kA = name("mx.a.test");
const auto kB = name("b.test");

TEST(Watch, one_slip_is_no_fault_and_two_are) {
  ResolverWatch watch;
  EXPECT_TRUE(watch.check(kNow).is_up);
  watch.record_faults({kSlip, kSlip}, kA, kNow);
  watch.record_faults({kSlip}, name("a.test"), kNow);
  EXPECT_TRUE(watch.check(kNow).is_up);
  watch.record_faults({kOther}, kB, kNow + config::Seconds{60});
  const auto check = watch.check(kNow + config::Seconds{60});
  EXPECT_FALSE(check.is_up);
  EXPECT_THAT(blinding({check}), IsEmpty());
  EXPECT_EQ(check.check, "resolver");
  EXPECT_EQ(check.detail, "the resolver 192.0.2.53 refuses TLSA of b.test; refuses TLSA of a.test");
}

TEST(Watch, a_fault_is_over_when_nothing_was_seen_for_a_while) {
  ResolverWatch watch;
  watch.record_faults({kSlip}, kA, kNow);
  watch.record_faults({kOther}, kB, kNow);
  EXPECT_FALSE(watch.check(kNow + ResolverWatch::kHeld).is_up);
  EXPECT_TRUE(watch.check(kNow + ResolverWatch::kHeld + config::Seconds{1}).is_up);
}

TEST(Watch, what_lasts_is_a_fault_though_it_is_about_one_name) {
  ResolverWatch watch;
  for (auto at = kNow; at < kNow + ResolverWatch::kPersistent; at += config::Seconds{120}) {
    watch.record_faults({kSlip}, kA, at);
    EXPECT_TRUE(watch.check(at).is_up);
  }
  watch.record_faults({kSlip}, kA, kNow + ResolverWatch::kPersistent);
  EXPECT_FALSE(watch.check(kNow + ResolverWatch::kPersistent).is_up);
}

TEST(Watch, names_the_one_of_two_that_fails) {
  ResolverWatch watch;
  watch.record_faults({kSlip, {.resolver = "192.0.2.54", .what = "does not answer"}, kSlip},
                      std::nullopt, kNow);
  EXPECT_EQ(watch.check(kNow).detail, "the resolver 192.0.2.53 refuses TLSA of a.test");
}

TEST(Watch, does_not_grow_with_what_it_is_told) {
  ResolverWatch watch;
  for (int i = 0; i < 1000; ++i)
    watch.record_faults({{.resolver = std::to_string(i), .what = "x"}, kSlip}, std::nullopt, kNow);
  EXPECT_LT(watch.check(kNow).detail->size(), 200U);
}

Answer answer(const std::string& of, std::uint16_t rtype, const std::string& zone) {
  Answer out;
  out.name = out.final_name = name(of);
  out.type = rtype;
  out.outcome = Outcome::answer;
  out.status = DnssecStatus::secure;
  out.signer = name(zone);
  return out;
}

class Learned : public testing::Test {
 protected:
  void see(const Answer& tlsa) {
    probes::HostObservation seen;
    seen.tlsa = tlsa;
    controls.learn(seen);
  }
  Controls controls;
};

TEST_F(Learned, controls_are_of_each_kind_and_only_what_validated) {
  auto tlsa = answer("_25._tcp.mx.a.test", type::tlsa, "a.test");
  see(tlsa);
  EXPECT_EQ(controls.each().at(Controls::Kind::tlsa).name, tlsa.name);
  auto denied = answer("_25._tcp.mx.b.test", type::tlsa, "b.test");
  denied.outcome = Outcome::absent;
  see(denied);
  EXPECT_EQ(controls.each().at(Controls::Kind::denied_tlsa).name, denied.name);
  auto alias = answer("_25._tcp.mx.c.test", type::tlsa, "d.test");
  alias.aliases.push_back({.from = alias.name, .to = name("d.test")});
  see(alias);
  EXPECT_EQ(controls.each().at(Controls::Kind::alias).name, alias.name);
  auto unsigned_one = answer("_25._tcp.mx.e.test", type::tlsa, "e.test");
  unsigned_one.status = DnssecStatus::insecure;
  see(unsigned_one);
  auto bogus = answer("_25._tcp.mx.f.test", type::tlsa, "f.test");
  bogus.outcome = Outcome::failed;
  bogus.cause = Cause::bogus;
  see(bogus);
  EXPECT_EQ(controls.each().at(Controls::Kind::bogus).name, bogus.name);
  EXPECT_EQ(controls.each().at(Controls::Kind::tlsa).name, alias.name);
}

TEST_F(Learned, what_fails_now_is_no_control_any_more) {
  auto tlsa = answer("_25._tcp.mx.a.test", type::tlsa, "a.test");
  see(tlsa);
  tlsa.outcome = Outcome::failed;
  tlsa.cause = Cause::servfail;
  see(tlsa);
  EXPECT_THAT(controls.each(), IsEmpty());
  EXPECT_THAT(controls.unrelated(type::tlsa, {}), IsEmpty());
}

TEST_F(Learned, witnesses_are_of_other_zones_each_of_another) {
  for (const auto* zone : {"a.test", "b.test", "c.test", "d.test"}) {
    see(answer(std::string("one.") + zone, type::tlsa, zone));
    see(answer(std::string("two.") + zone, type::tlsa, zone));
  }
  const auto found = controls.unrelated(type::tlsa, {name("d.test")});
  EXPECT_THAT(found, ElementsAre(Question{name("two.c.test"), type::tlsa},
                                 Question{name("two.b.test"), type::tlsa},
                                 Question{name("two.a.test"), type::tlsa}));
  EXPECT_THAT(controls.unrelated(type::mx, {}), IsEmpty()) << "of another type nobody can tell";
}

TEST_F(Learned, a_denial_is_no_witness) {
  auto denied = answer("_25._tcp.mx.a.test", type::tlsa, "a.test");
  denied.outcome = Outcome::absent;
  see(denied);
  EXPECT_THAT(controls.unrelated(type::tlsa, {}), IsEmpty());
}

class Alone : public testing::Test {
 protected:
  void look(const std::string& target, bool fails, std::uint16_t rtype = type::tlsa) {
    Answer seen = answer("_25._tcp." + target, rtype, target);
    if (fails) {
      seen.outcome = Outcome::failed;
      seen.is_unconfirmed = true;
    }
    unconfirmed.record(name(target), {&seen});
  }
  bool is_shared(const std::string& target, bool has_witnesses) {
    return unconfirmed.is_shared(name(target), type::tlsa, has_witnesses);
  }
  Unconfirmed unconfirmed;
};

TEST_F(Alone, one_that_fails_is_its_own_fault) {
  look("mx.a.test", true);
  look("a.test", true);
  EXPECT_FALSE(is_shared("mx.a.test", false)) << "the other is the same owner's";
}

TEST_F(Alone, an_owner_counts_as_long_as_one_of_its_targets_fails) {
  for (int i = 0; i < 100; ++i) look("good" + std::to_string(i) + ".test", false);
  look("mx.a.test", true);
  look("mx1.b.test", true);
  look("mx2.b.test", true);
  look("mx2.b.test", true);
  unconfirmed.forget(*probes::dns::Name::parse("mx1.b.test"));
  EXPECT_TRUE(is_shared("mx.a.test", false));
  unconfirmed.forget(*probes::dns::Name::parse("mx2.b.test"));
  unconfirmed.forget(*probes::dns::Name::parse("mx2.b.test"));
  EXPECT_FALSE(is_shared("mx.a.test", false));
}

TEST_F(Alone, two_that_fail_alike_are_not_when_nobody_bears_witness) {
  for (int i = 0; i < 100; ++i) look("good" + std::to_string(i) + ".test", false);
  look("mx.a.test", true);
  look("mx.b.test", true);
  EXPECT_TRUE(is_shared("mx.a.test", false));
  EXPECT_FALSE(is_shared("mx.a.test", true));
  look("mx.b.test", true, type::mx);
  EXPECT_FALSE(is_shared("mx.a.test", false)) << "another type is another fault";
  look("mx.b.test", false);
  EXPECT_FALSE(is_shared("mx.a.test", false));
}

TEST_F(Alone, a_tenth_of_all_is_too_many) {
  for (int i = 0; i < 27; ++i) look("good" + std::to_string(i) + ".test", false);
  look("mx.a.test", true);
  look("mx.b.test", true, type::mx);
  EXPECT_FALSE(is_shared("mx.a.test", true));
  look("mx.c.test", true, type::a);
  EXPECT_TRUE(is_shared("mx.a.test", true));
  look("good27.test", false);
  EXPECT_FALSE(is_shared("mx.a.test", true));
}

TEST(Witnesses, two_that_fail_are_too_many_or_all_there_are) {
  EXPECT_FALSE(is_too_many(0, 0));
  EXPECT_FALSE(is_too_many(1, 3));
  EXPECT_TRUE(is_too_many(2, 3));
  EXPECT_TRUE(is_too_many(1, 1));
  EXPECT_FALSE(is_too_many(0, 1));
}

}  // namespace

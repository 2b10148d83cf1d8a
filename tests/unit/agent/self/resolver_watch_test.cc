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

TEST(Watch, one_slip_is_no_fault_and_two_are) {
  ResolverWatch watch;
  EXPECT_TRUE(watch.check(kNow).is_up);
  watch.note({kSlip}, kNow);
  EXPECT_TRUE(watch.check(kNow).is_up);
  watch.note({kOther}, kNow + config::Seconds{60});
  const auto check = watch.check(kNow + config::Seconds{60});
  EXPECT_FALSE(check.is_up);
  EXPECT_FALSE(check.blinds);
  EXPECT_EQ(check.check, "resolver");
  EXPECT_EQ(check.detail, "the resolver 192.0.2.53 refuses TLSA of b.test; refuses TLSA of a.test");
}

TEST(Watch, a_fault_is_over_when_nothing_was_seen_for_a_while) {
  ResolverWatch watch;
  watch.note({kSlip, kOther}, kNow);
  EXPECT_FALSE(watch.check(kNow + ResolverWatch::kHeld).is_up);
  EXPECT_TRUE(watch.check(kNow + ResolverWatch::kHeld + config::Seconds{1}).is_up);
}

TEST(Watch, names_the_one_of_two_that_fails) {
  ResolverWatch watch;
  watch.note({kSlip, {.resolver = "192.0.2.54", .what = "does not answer"}, kSlip}, kNow);
  EXPECT_EQ(watch.check(kNow).detail, "the resolver 192.0.2.53 refuses TLSA of a.test");
}

TEST(Watch, does_not_grow_with_what_it_is_told) {
  ResolverWatch watch;
  for (int i = 0; i < 1000; ++i)
    watch.note({{.resolver = std::to_string(i), .what = "x"}, kSlip}, kNow);
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
    controls.note(seen);
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
  EXPECT_THAT(controls.unrelated(type::mx, {name("a.test")}).size(), 3U);
}

}  // namespace

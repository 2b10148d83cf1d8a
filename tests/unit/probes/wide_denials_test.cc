#include "probes/findings/wide_denials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

namespace probes {
namespace {

using dns::DnssecStatus;
using support::name;
using support::Scene;
using testing::Contains;
using testing::Not;

// The baseline's host without an AAAA record, which is denied as `types` of `owner`.
Scene without_aaaa(std::string_view owner, std::vector<std::uint16_t> types,
                   DnssecStatus status = DnssecStatus::secure) {
  Scene scene;
  auto& host = scene.mx();
  host.aaaa = support::absent("mx.example.test", dns::type::aaaa, status);
  host.aaaa.denial = dns::Denial{.owner = name(owner), .types = std::move(types)};
  host.addresses.pop_back();
  host.sessions.pop_back();
  return scene;
}

// A set of types at the name or at the wildcard; what resolvers that use it would deny.
TEST(WideDenials, AreThoseThatLeaveOutWhatThereIs) {
  constexpr auto kFound = "denial-too-wide/high";
  for (const auto* owner : {"mx.example.test", "*.example.test"}) {
    EXPECT_THAT(support::findings_of(without_aaaa(owner, {dns::type::txt}).judge()),
                Contains(kFound))
        << owner;
    EXPECT_THAT(support::findings_of(without_aaaa(owner, {}).judge()), Contains(kFound)) << owner;
    EXPECT_THAT(support::findings_of(
                    without_aaaa(owner, {dns::type::a, dns::type::txt, dns::type::rrsig}).judge()),
                Not(Contains(kFound)))
        << owner;
  }
  EXPECT_THAT(
      support::findings_of(without_aaaa("mx.example.test", {}, DnssecStatus::insecure).judge()),
      Not(Contains(kFound)))
      << "nobody uses what is not proven for other questions";
}

TEST(WideDenials, SayWhatIsDeniedByWhat) {
  const auto judged = without_aaaa("*.example.test", {dns::type::txt}).judge();
  const auto found = std::ranges::find(judged.findings, Code::denial_too_wide, &Finding::code);
  ASSERT_NE(found, judged.findings.end());
  EXPECT_THAT(
      found->evidence,
      testing::ElementsAre(Evidence{"lookup", "mx.example.test AAAA"},
                           Evidence{"denies", "mx.example.test A"},
                           Evidence{"proof", "lists the types of *.example.test without it"}));
}

// One wildcard may stand for the host and for the TLSA records below it.
TEST(WideDenials, ReachOtherNamesOfTheSameWildcard) {
  auto scene = without_aaaa("*.example.test", {dns::type::a});
  EXPECT_THAT(support::findings_of(scene.judge()), Not(Contains("denial-too-wide/high")));
  scene.mx().tlsa.source = name("*.example.test");
  EXPECT_THAT(support::findings_of(scene.judge()), Contains("denial-too-wide/high"));
}

// RFC 4074 §4.2: NXDOMAIN for a type that the name does not have. Signed or not, resolvers keep it.
TEST(WideDenials, DenyTheWholeName) {
  for (const auto status : {DnssecStatus::secure, DnssecStatus::insecure}) {
    auto scene = without_aaaa("mx.example.test", {}, status);
    scene.mx().aaaa.denial.reset();
    EXPECT_THAT(support::findings_of(scene.judge()), Not(Contains("denial-too-wide/high")));
    scene.mx().aaaa.rcode = dns::rcode::nxdomain;
    EXPECT_THAT(support::findings_of(scene.judge()), Contains("denial-too-wide/high"));
  }
}

// A name that is denied has nothing below it either; its neighbours are none of its business.
TEST(WideDenials, OfAnotherNameAreNoneOfThisOne) {
  Scene scene;
  scene.mx().tlsa = support::absent("_25._tcp.mx.example.test", dns::type::tlsa);
  scene.mx().tlsa.rcode = dns::rcode::nxdomain;
  scene.mx().records.clear();
  EXPECT_THAT(support::findings_of(scene.judge()), Not(Contains("denial-too-wide/high")));
}

// The domain that it is judged in there is made up, and no denial's business.
TEST(WideDenials, OfAHostByItselfAreNotHeldAgainstAnExchange) {
  auto scene = without_aaaa("mx.example.test", {dns::type::a, dns::type::rrsig});
  const auto judged =
      judge_alone(std::make_shared<const HostObservation>(scene.mx()), support::kNow);
  EXPECT_THAT(support::findings_of(judged), Not(Contains("denial-too-wide/high")));
}

// Our own resolver makes such use of it: the host seems to have no address, though every server
// gives one.
TEST(WideDenials, AreTheCauseWhereTheyTakeTheHostsOnlyAddress) {
  auto scene = without_aaaa("*.example.test", {dns::type::txt});
  auto& host = scene.mx();
  host.a = support::absent("mx.example.test", dns::type::a);
  host.a.denial = host.aaaa.denial;
  host.addresses.clear();
  host.sessions.clear();
  EXPECT_THAT(support::findings_of(scene.judge()), Not(Contains("denial-too-wide/critical")))
      << "nobody says that there is one";
  dns::ServerAnswer given;
  given.question = {name("mx.example.test"), dns::type::a};
  given.outcome = dns::Outcome::answer;
  given.data = {{192, 0, 2, 1}};
  host.survey.answers = {given};
  const auto judged = scene.judge();
  EXPECT_THAT(support::findings_of(judged), Contains("denial-too-wide/critical"));
  const auto none = std::ranges::find(judged.findings, Code::mx_invalid, &Finding::code);
  ASSERT_NE(none, judged.findings.end());
  EXPECT_EQ(none->consequence_of, probes::Code::denial_too_wide);
}

}  // namespace
}  // namespace probes

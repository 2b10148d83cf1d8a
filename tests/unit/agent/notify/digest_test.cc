#include "agent/notify/notifiers/digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace agent;
using config::DigestEvery;
using config::Time;
using testing::HasSubstr;
using testing::Not;

Time at(const std::string& text) {
  return *config::parse_rfc3339(text);
}
const Time kNow = at("2027-01-15T08:00:00Z");  // a Friday

TEST(Digest, IsDueAtItsTimeOfDayAndWeekly) {
  config::Mail mail{.digest = DigestEvery::daily};
  EXPECT_EQ(last_due(mail, kNow), at("2027-01-15T07:00:00Z"));
  EXPECT_EQ(last_due(mail, at("2027-01-15T07:00:00Z")), at("2027-01-15T07:00:00Z"));
  EXPECT_EQ(last_due(mail, at("2027-01-15T06:59:59Z")), at("2027-01-14T07:00:00Z"));
  mail.digest = DigestEvery::weekly;
  EXPECT_EQ(last_due(mail, kNow), at("2027-01-11T07:00:00Z"));
  EXPECT_EQ(last_due(mail, at("2027-01-11T06:00:00Z")), at("2027-01-04T07:00:00Z"));
  EXPECT_EQ(last_due(mail, at("2027-01-17T23:59:59Z")), at("2027-01-11T07:00:00Z"));
}

Alert alert(const std::string& domain, probes::Severity severity) {
  Alert out{.id = "tlsa-mismatch." + domain,
            .state = AlertState::firing,
            .cause = {.kind = probes::Subject::Kind::host, .name = "mx." + domain}};
  out.finding.code = probes::Code::tlsa_mismatch;
  out.finding.severity = severity;
  out.finding.subject = out.cause;
  out.hits = {{.subject = out.cause, .domains = {domain}, .severity = severity}};
  out.domains = {domain};
  out.first_seen_at = kNow;
  return out;
}

Snapshot snapshot(std::vector<Alert> alerts) {
  Snapshot out{.now = kNow};
  out.domains = {{.configured = config::Domain{.name = "a.test", .group = "shop"}},
                 {.configured = config::Domain{.name = "b.test", .role = config::Role::outbound}}};
  for (auto& one : alerts) out.alerts.push_back(std::move(one));
  return out;
}

std::vector<DigestLine> lines() {
  return {{.at = kNow, .text = "of b", .domains = {"b.test"}},
          {.at = kNow - std::chrono::hours{1}, .text = "of a", .domains = {"a.test", "c.test"}},
          {.at = kNow, .text = "of nobody", .domains = {}}};
}

Digest digest(const Snapshot& seen, const std::vector<Matcher>& matchers,
              const std::vector<DigestLine>& deadlines = {},
              const std::optional<std::string>& unread = {}) {
  return digest_of({.snapshot = seen,
                    .matchers = matchers,
                    .deadlines = deadlines,
                    .changes = {},
                    .unread = unread,
                    .since = kNow,
                    .page = "http://page.test"});
}

TEST(Digest, SaysThatAllIsWellOnlyWhenItIs) {
  auto seen = snapshot({});
  auto calm = digest(seen, {});
  EXPECT_EQ(calm.subject, "danelaw: all is well");
  EXPECT_TRUE(calm.is_well && calm.says_nothing);
  EXPECT_FALSE(digest(seen, {}, lines()).says_nothing);
  EXPECT_FALSE(digest(seen, {}, {}, "the disk").says_nothing);
  EXPECT_THAT(digest(seen, {}, {}, "the disk").text, HasSubstr("could not be read: the disk"));

  seen.vantage = {{.check = "dns", .is_up = false, .detail = "no answer", .checked_at = kNow}};
  const auto blind = digest(seen, {});
  EXPECT_FALSE(blind.is_well);
  EXPECT_EQ(blind.subject, "danelaw: its own checks fail");
  EXPECT_THAT(blind.text, HasSubstr("dns: no answer"));

  seen = snapshot({});
  seen.vantage = {{.check = "storage", .is_up = false, .detail = "full", .checked_at = kNow}};
  const auto full = digest(seen, {});
  EXPECT_EQ(full.subject, "danelaw: one of its own checks fails") << "the domains are seen";
  EXPECT_THAT(full.text, HasSubstr("storage: full"));
}

TEST(Digest, TellsEachOwnerOfTheirOwn) {
  const auto seen = snapshot(
      {alert("b.test", probes::Severity::high), alert("a.test", probes::Severity::critical)});
  const auto all = digest(seen, {}, lines());
  EXPECT_EQ(all.subject, "danelaw: 2 alerts open");
  EXPECT_LT(all.text.find("critical: "), all.text.find("high: ")) << "the worst first";
  EXPECT_LT(all.text.find("of a\n"), all.text.find("of b\n")) << "by time";

  const auto shop = digest(seen, matchers_of({"group=shop"}), lines());
  EXPECT_EQ(shop.subject, "danelaw: 1 alert open");
  EXPECT_THAT(shop.text, HasSubstr("of a\n"));
  EXPECT_THAT(shop.text, Not(HasSubstr("of nobody\n"))) << "who is told of all is told of that";
  EXPECT_THAT(all.text, HasSubstr("of nobody\n"));
  EXPECT_THAT(shop.text, Not(HasSubstr("of b\n")));

  const auto partners = digest(seen, matchers_of({"role=outbound", "severity=critical"}), lines());
  EXPECT_EQ(partners.subject, "danelaw: all is well");
  EXPECT_THAT(partners.text, HasSubstr("of b\n")) << "a deadline has no severity";
}

TEST(Digest, TellsOfAnAlertWhatIsTheirs) {
  auto shared = alert("a.test", probes::Severity::critical);
  shared.hits.push_back({.subject = {.kind = probes::Subject::Kind::host, .name = "mx.b.test"},
                         .domains = {"b.test"},
                         .severity = probes::Severity::high});
  shared.domains = {"a.test", "b.test"};
  const auto seen = snapshot({shared});
  EXPECT_THAT(digest(seen, {}).text, HasSubstr("critical: mx.a.test and 1 more: "));
  const auto partners = digest(seen, matchers_of({"role=outbound"}));
  EXPECT_THAT(partners.text, HasSubstr("high: mx.b.test: "));
  EXPECT_THAT(partners.text, HasSubstr("1 domain)"));
  EXPECT_THAT(partners.text, Not(HasSubstr("a.test")));
}

TEST(Digest, CallsAFaultThatBlindsNobodyWhatItIs) {
  auto seen = snapshot({});
  seen.vantage = {{.check = "domain_list:inventory",
                   .is_up = false,
                   .detail = "lost 1 of 2 names: c.test",
                   .checked_at = kNow},
                  {.check = "smtp_ipv6",
                   .is_up = false,
                   .detail = "this machine has no IPv6 route",
                   .checked_at = kNow,
                   .is_limit = true}};
  const auto all = digest(seen, {});
  EXPECT_FALSE(all.is_well);
  EXPECT_EQ(all.subject, "danelaw: one of its own checks fails");
  EXPECT_THAT(all.text, HasSubstr("domain_list:inventory: lost 1 of 2 names: c.test"));
  EXPECT_THAT(all.text, Not(HasSubstr("cannot see everything")));
  EXPECT_THAT(all.text, Not(HasSubstr("IPv6"))) << "a limit that operators live with";
  const auto shop = digest(seen, matchers_of({"group=shop"}));
  EXPECT_THAT(shop.text, HasSubstr("domain_list:inventory: the list cannot be read, or"));
  EXPECT_THAT(shop.text, Not(HasSubstr("c.test")));
}

TEST(Digest, IsBounded) {
  std::vector<DigestLine> many;
  for (int i = 0; i < 250; ++i) many.push_back({.at = kNow, .text = "x", .domains = {}});
  EXPECT_THAT(digest(snapshot({}), {}, many).text, HasSubstr("and 150 more\n"));
}

}  // namespace

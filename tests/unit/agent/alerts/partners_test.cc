#include "agent/alerts/partners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/findings.h"
#include "tests/support/scene.h"

// What a partner's trouble becomes: judgements of the baseline world, and ones made by hand where
// only the severity or the verdict matters.
namespace {

using namespace agent;
using config::Role;
using probes::Code;
using probes::DomainJudgement;
using probes::Finding;
using probes::Severity;
using probes::Verdict;
using std::chrono::hours;
using std::chrono::seconds;
using support::findings_of;
using support::kNow;
using support::Pki;
using support::Scene;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

probes::Subject domain() {
  return {.kind = probes::Subject::Kind::domain, .name = "example.test"};
}

Finding finding(Code code, Severity severity) {
  return {.code = code, .severity = severity, .subject = domain()};
}

DomainJudgement judged(Verdict verdict, std::vector<Finding> findings = {}) {
  DomainJudgement out{.seen = std::make_shared<const probes::DomainObservation>(Scene().domain),
                      .verdict = verdict,
                      .findings = std::move(findings)};
  probes::weigh(out);
  return out;
}

// The host shows a key that its records do not name.
Scene mismatched() {
  Scene scene;
  scene.serve({Pki::get().old_leaf.certificate, Pki::get().inter.certificate});
  return scene;
}

// ---- how grave it is

struct CalmCase {
  const char* says;
  Finding found;
  Severity want;
};

TEST(Tempered, IsADegreeCalmerForPartners) {
  const CalmCase rows[] = {
      {.says = "mail waits, ours is not lost",
       .found = finding(Code::tlsa_mismatch, Severity::critical),
       .want = Severity::high},
      {.says = "high", .found = finding(Code::host_down, Severity::high), .want = Severity::medium},
      {.says = "nobody is woken by medium as it is",
       .found = finding(Code::mx_insecure, Severity::medium),
       .want = Severity::medium},
      {.says = "low", .found = finding(Code::no_dane, Severity::low), .want = Severity::low},
      {.says = "info", .found = finding(Code::null_mx, Severity::info), .want = Severity::info},
      {.says = "a protection that disappeared is what partners are watched for",
       .found = finding(Code::dane_lost, Severity::high),
       .want = Severity::high},
      {.says = "an exception is in our own Postfix",
       .found = finding(Code::policy_override, Severity::high),
       .want = Severity::high},
  };
  for (const auto& row : rows) {
    const auto calm = with_partner_severity(judged(Verdict::unknown, {row.found}), Role::outbound);
    EXPECT_EQ(calm.findings.front().severity, row.want) << row.says;
    EXPECT_EQ(calm.severity, row.want) << row.says << ": the domain's follows";
    const auto ours = with_partner_severity(judged(Verdict::unknown, {row.found}), Role::inbound);
    EXPECT_EQ(ours.findings.front(), row.found) << row.says << ": our own stay as they are";
  }
}

// "Held up" on the page for days, and nobody was told.
TEST(Tempered, LeavesWhatHoldsAllMailAMatterForAnAlert) {
  const auto down = finding(Code::host_down, Severity::high);
  const auto of = [&](Verdict verdict, const Finding& found) {
    return with_partner_severity(judged(verdict, {found}), Role::outbound)
        .findings.front()
        .severity;
  };
  EXPECT_EQ(of(Verdict::deferred, down), Severity::high) << "no host takes it";
  EXPECT_EQ(of(Verdict::lookup_failed, finding(Code::mx_lookup_failed, Severity::high)),
            Severity::high);
  EXPECT_EQ(of(Verdict::authenticated, down), Severity::medium) << "another host takes it";
  EXPECT_EQ(of(Verdict::deferred, finding(Code::dane_fragile, Severity::high)), Severity::medium)
      << "that does not hold it";
  EXPECT_EQ(of(Verdict::deferred, finding(Code::tlsa_mismatch, Severity::critical)), Severity::high)
      << "a degree calmer than ours all the same";
}

TEST(Tempered, PutsTheWorstFirstAgain) {
  const auto calm =
      with_partner_severity(judged(Verdict::unknown, {finding(Code::host_down, Severity::critical),
                                                      finding(Code::dane_lost, Severity::high),
                                                      finding(Code::ttl_long, Severity::high)}),
                            Role::outbound);
  EXPECT_EQ(calm.findings.back().code, Code::ttl_long);
  EXPECT_EQ(calm.severity, Severity::high);
}

TEST(Tempered, ReachesTheFindingsOfTheHosts) {
  const auto hard = mismatched().judge();
  ASSERT_EQ(hard.hosts.front().findings.front().severity, Severity::critical);
  const auto calm = with_partner_severity(hard, Role::outbound);
  EXPECT_TRUE(calm.findings.front().is_theirs) << "for their operators to put right";
  EXPECT_FALSE(with_partner_severity(hard, Role::inbound).findings.front().is_theirs);
  EXPECT_EQ(calm.hosts.front().findings.front().severity, Severity::high);
  EXPECT_EQ(calm.verdict, hard.verdict) << "what senders do stays what it is";
}

// ---- a protection that disappeared

struct LossCase {
  const char* says;
  Verdict verdict = Verdict::opportunistic;
  std::vector<Finding> found = {};
  std::optional<config::Time> protected_until = kNow - hours{1};
  bool is_loss = true;
};

TEST(Loss, IsTheEndOfAProtectionThatWasThereLately) {
  const LossCase rows[] = {
      {.says = "TLS, but nobody checks with whom"},
      {.says = "not even TLS", .verdict = Verdict::cleartext},
      {.says = "for a fortnight", .protected_until = kNow - hours{24 * 14} + seconds{1}},
      {.says = "then it is how the domain is",
       .protected_until = kNow - hours{24 * 14},
       .is_loss = false},
      {.says = "never protected", .protected_until = std::nullopt, .is_loss = false},
      {.says = "still authenticated", .verdict = Verdict::authenticated, .is_loss = false},
      {.says = "DANE that nothing matches is still DANE",
       .verdict = Verdict::deferred,
       .is_loss = false},
      {.says = "records that cannot be used are a finding of their own",
       .verdict = Verdict::encrypted,
       .is_loss = false},
      {.says = "nobody could tell", .verdict = Verdict::unknown, .is_loss = false},
      {.says = "the look itself told of it",
       .found = {finding(Code::dane_lost, Severity::high)},
       .is_loss = false},
  };
  for (const auto& row : rows) {
    const auto loss = find_loss(judged(row.verdict, row.found), row.protected_until, kNow);
    EXPECT_EQ(loss.has_value(), row.is_loss) << row.says;
  }
}

TEST(Loss, SaysOfWhichDomainAndSinceWhen) {
  const auto loss = find_loss(judged(Verdict::opportunistic), kNow - hours{1}, kNow);
  ASSERT_TRUE(loss);
  EXPECT_EQ(loss->code, Code::dane_lost);
  EXPECT_EQ(loss->severity, Severity::high);
  EXPECT_EQ(loss->subject, domain());
  const probes::Evidence since{"protected-until", "2027-01-15T07:00:00Z"};
  EXPECT_THAT(loss->evidence, testing::ElementsAre(since));
}

// ---- words for the partner's postmaster

TEST(PostmasterText, IsALetterThatSaysWhatIsWrongAndHowToMendIt) {
  const auto text = postmaster_text(with_partner_severity(mismatched().judge(), Role::outbound));
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, StartsWith("To: postmaster@example.test\nSubject: Mail to example.test is "));
  EXPECT_THAT(*text, HasSubstr("\n1. mx.example.test"));
  EXPECT_THAT(*text, HasSubstr("Seen: "));
  EXPECT_THAT(*text, HasSubstr("; at 192.0.2.1; at 2001:db8::1 (2027-01-15T08:00:00Z)"));
  EXPECT_THAT(*text, HasSubstr("What helps:\n- "));
  EXPECT_THAT(*text, HasSubstr("See RFC "));
  EXPECT_THAT(*text, HasSubstr("posttls-finger -l dane example.test\n"));
}

TEST(PostmasterText, SaysWhetherMailWaits) {
  const auto trouble = finding(Code::tlsa_mismatch, Severity::medium);
  const auto waits = postmaster_text(judged(Verdict::deferred, {trouble}));
  ASSERT_TRUE(waits);
  EXPECT_THAT(*waits, HasSubstr("Subject: Mail to example.test is held up: DANE\n"));
  EXPECT_THAT(*waits, HasSubstr("cannot deliver\nto example.test as they should:\n"));
  const auto goes = postmaster_text(judged(Verdict::authenticated, {trouble}));
  ASSERT_TRUE(goes);
  EXPECT_THAT(*goes, HasSubstr("Subject: Mail to example.test is at risk: DANE\n"));
  EXPECT_THAT(*goes, HasSubstr("still deliver\nto example.test, but not as they should:\n"));
}

TEST(PostmasterText, NumbersTheTroublesWorstFirst) {
  const auto text =
      postmaster_text(judged(Verdict::deferred, {finding(Code::tlsa_mismatch, Severity::medium),
                                                 finding(Code::starttls_missing, Severity::high)}));
  ASSERT_TRUE(text);
  const auto first = text->find("\n1. ");
  const auto second = text->find("\n2. ");
  ASSERT_NE(second, std::string::npos);
  EXPECT_LT(text->find("STARTTLS", first), second);
  EXPECT_THAT(*text, Not(HasSubstr("\n3. ")));
  EXPECT_THAT(*text, HasSubstr("\n\nSeen (2027-01-15T08:00:00Z)\n")) << "without evidence";
}

TEST(PostmasterText, QuotesTheOutsideEscaped) {
  auto mismatch = finding(Code::tlsa_mismatch, Severity::high);
  mismatch.evidence = {{"reply", "220 \x1b[31m\r\nBcc: everybody@example.org"}};
  const auto text = postmaster_text(judged(Verdict::deferred, {mismatch}));
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("reply 220 \\x1b[31m\\x0d\\x0aBcc: "));
}

struct SilentCase {
  const char* says;
  Finding found;
  std::optional<probes::Code> consequence_of = std::nullopt;
};

TEST(PostmasterText, IsNotWrittenForLess) {
  EXPECT_EQ(postmaster_text(with_partner_severity(Scene().judge(), Role::outbound)), std::nullopt);
  const SilentCase rows[] = {
      {.says = "low", .found = finding(Code::tlsa_mismatch, Severity::low)},
      {.says = "held back by nobody", .found = finding(Code::host_down, Severity::high)},
      {.says = "our own resolver", .found = finding(Code::monitor_fault, Severity::high)},
      {.says = "our own exception", .found = finding(Code::policy_override, Severity::medium)},
      {.says = "a policy of MTA-STS holds up no DANE",
       .found = finding(Code::mta_sts_invalid, Severity::medium)},
      {.says = "records that nobody can use hold up no mail: RFC 7672 §2.2",
       .found = finding(Code::all_unusable, Severity::medium)},
      {.says = "the consequence of another",
       .found = finding(Code::tlsa_mismatch, Severity::high),
       .consequence_of = Code::tlsa_mismatch},
  };
  for (const auto& row : rows) {
    auto all = judged(Verdict::deferred, {row.found});
    all.findings.change(0).consequence_of = row.consequence_of;
    EXPECT_EQ(postmaster_text(all), std::nullopt) << row.says;
  }
}

TEST(PostmasterText, TellsOfALoss) {
  const auto text =
      postmaster_text(judged(Verdict::opportunistic, {finding(Code::dane_lost, Severity::high)}));
  EXPECT_TRUE(text);
}

// ---- the exception in the operator's own Postfix

TEST(Exception, LetsMailGoEncryptedWhereTlsWorks) {
  const auto made = exception_for(mismatched().judge(), kNow);
  ASSERT_TRUE(made);
  EXPECT_EQ(policy_line(*made), "example.test encrypt");
  EXPECT_EQ(made->made_at, kNow);
  EXPECT_EQ(made->until, kNow + hours{72}) << "what an attacker wants is that it stays";
}

TEST(Exception, LetsMailGoAsItMayWhereNotEvenStarttlsWorks) {
  Scene scene;
  for (auto& session : scene.mx().sessions) {
    session.offers_starttls = false;
    session.tls.reset();
    session.stage = probes::smtp::Stage::starttls;
    session.stop = probes::smtp::SessionStop::not_offered;
  }
  const auto made = exception_for(scene.judge(), kNow);
  ASSERT_TRUE(made);
  EXPECT_EQ(policy_line(*made), "example.test may");
}

TEST(Exception, IsNotProposedWhereDaneIsNotWhatStopsTheMail) {
  EXPECT_EQ(exception_for(Scene().judge(), kNow), std::nullopt) << "nothing stops it";
  Scene lame;
  lame.mx().tlsa = support::failed("_25._tcp.mx.example.test", probes::dns::type::tlsa,
                                   probes::dns::Cause::servfail);
  lame.mx().records.clear();
  EXPECT_TRUE(exception_for(lame.judge(), kNow)) << "TLSA records are asked for no more then";
  lame.mx().addresses.clear();
  lame.mx().a =
      support::failed("mx.example.test", probes::dns::type::a, probes::dns::Cause::servfail);
  EXPECT_EQ(exception_for(lame.judge(), kNow), std::nullopt) << "addresses are, all the same";
  auto other = mismatched();
  other.add_host("mx2.example.test", 20);
  EXPECT_EQ(exception_for(other.judge(), kNow), std::nullopt) << "another host takes the mail";
}

struct LeftoverCase {
  const char* says;
  Verdict verdict = Verdict::deferred;
  seconds age{60};
  const char* because = nullptr;  // null: it may stay
};

TEST(Leftover, AsksForRemovalOnceItIsNotNeededOrItsTimeIsOver) {
  const LeftoverCase rows[] = {
      {.says = "still held up"},
      {.says = "the last second", .age = kExceptionFor - seconds{1}},
      {.says = "its time is over", .age = kExceptionFor, .because = "its time is over"},
      {.says = "authenticated again",
       .verdict = Verdict::authenticated,
       .because = "the domain is authenticated again"},
      {.says = "authenticated, though the MX RRset is not",
       .verdict = Verdict::host_authenticated,
       .because = "the domain is authenticated again"},
      {.says = "well and too old: the good news",
       .verdict = Verdict::authenticated,
       .age = kExceptionFor,
       .because = "the domain is authenticated again"},
      {.says = "DANE was taken away: the exception hides nothing, but DANE may come back",
       .verdict = Verdict::opportunistic},
      {.says = "nobody could tell", .verdict = Verdict::unknown},
  };
  const agent::Exception made{
      .domain = "example.test", .level = "encrypt", .made_at = kNow, .until = kNow + kExceptionFor};
  for (const auto& row : rows) {
    const auto left = leftover_exception(judged(row.verdict), made, kNow + row.age);
    ASSERT_EQ(left.has_value(), row.because != nullptr) << row.says;
    if (!left) continue;
    EXPECT_EQ(left->code, Code::policy_override) << row.says;
    EXPECT_EQ(left->severity, Severity::medium) << row.says;
    const std::vector<probes::Evidence> want{{"line", "example.test encrypt"},
                                             {"because", row.because},
                                             {"since", "2027-01-15T08:00:00Z"}};
    EXPECT_EQ(left->evidence, want) << row.says;
  }
  EXPECT_EQ(leftover_exception(judged(Verdict::authenticated), std::nullopt, kNow), std::nullopt);
}

}  // namespace

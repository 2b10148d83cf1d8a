#include "agent/senders/refusals.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/findings.h"
#include "tests/support/scene.h"

namespace agent {
namespace {

using probes::Code;
using support::kNow;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

const config::Time kDay = std::chrono::floor<std::chrono::days>(kNow) - 24h;

SenderSessions failed(std::string organization, std::uint64_t sessions,
                      Agreement agrees = Agreement::no, int days_ago = 0) {
  return {.organization = std::move(organization),
          .from = kDay - days_ago * 24h,
          .until = kDay - days_ago * 24h + 24h - 1s,
          .domain = "example.test",
          .policy = probes::reports::PolicyType::tlsa,
          .mx_host = "mx.example.test",
          .result_type = "certificate-not-trusted",
          .sessions = sessions,
          .agrees = agrees};
}

SenderSessions well(std::string organization, std::uint64_t sessions, int days_ago = 0) {
  auto out = failed(std::move(organization), sessions, Agreement::not_seen, days_ago);
  out.result_type = "";
  out.mx_host = "";
  return out;
}

SenderSessions with(SenderSessions one, const std::function<void(SenderSessions&)>& change) {
  change(one);
  return one;
}

// "code subject" of what is added to the judgement.
std::vector<std::string> added(probes::DomainJudgement judged,
                               const std::vector<SenderSessions>& sessions) {
  const auto before = judged.findings.size();
  add_sender_findings(judged, reports_by_subject(sessions, kNow));
  std::vector<std::string> out;
  for (const auto& one : judged.findings) {
    if (one.code != Code::senders_refuse && one.code != Code::senders_disagree) continue;
    out.push_back(
        fmt::format("{} {} {}", wire_name(one.code), wire_name(one.severity), one.subject.name));
  }
  EXPECT_EQ(judged.findings.size(), before + out.size());
  return out;
}

const probes::Finding* find(const probes::DomainJudgement& judged, Code code) {
  for (const auto& one : judged.findings) {
    if (one.code == code) return &one;
  }
  return nullptr;
}

std::vector<std::string> evidence_of(const probes::Finding& finding, std::string_view name) {
  std::vector<std::string> out;
  for (const auto& one : finding.evidence) {
    if (one.name == name) out.push_back(one.value);
  }
  return out;
}

TEST(SenderFindings, AreOfWhatSeveralRefuseOrOneWithMuchOfTheMail) {
  struct Row {
    std::string_view says;
    std::vector<SenderSessions> sessions;
    std::vector<std::string> want;
  };
  const std::vector<std::string> refuse{"senders-refuse high mx.example.test"};
  const std::vector<std::string> disagree{"senders-disagree low mx.example.test"};
  const std::vector<Row> rows{
      {"nobody reports", {}, {}},
      {"everybody is well", {well("A", 10), well("B", 10)}, {}},
      {"one of few", {failed("A", 1), well("B", 1000)}, disagree},
      {"two, however few", {failed("A", 1), failed("B", 1), well("C", 1000)}, refuse},
      {"one with much of the mail", {failed("A", 200), well("B", 1000)}, refuse},
      {"one that reports alone has all of it, which says nothing", {failed("A", 200)}, disagree},
      {"we saw it, too", {failed("A", 9, Agreement::yes), failed("B", 9, Agreement::yes)}, {}},
      {"we could not tell",
       {failed("A", 9, Agreement::not_seen), failed("B", 9, Agreement::not_seen)},
       {}},
      {"we saw it of one: it is one that is left",
       {failed("A", 1), failed("B", 1, Agreement::yes), well("C", 1000)},
       disagree},
      {"two spellings of one",
       {failed("Mail.Ru", 1), failed("mail.ru", 1), well("C", 1000)},
       disagree},
      {"well again under its other spelling",
       {failed("Mail.Ru", 9, Agreement::no, 1), well("mail.ru", 9), well("C", 1000)},
       {}},
      {"its newest report is well again",
       {failed("A", 9, Agreement::no, 1), well("A", 9), failed("B", 1), well("C", 1000)},
       disagree},
      {"reports that are too old",
       {failed("A", 9, Agreement::no, 5), failed("B", 9, Agreement::no, 5)},
       {}},
      {"MTA-STS is another matter",
       {with(failed("A", 9), [](auto& one) { one.policy = probes::reports::PolicyType::sts; }),
        with(failed("B", 9), [](auto& one) { one.result_type = "sts-webpki-invalid"; })},
       {}},
      {"reports that name no host are of the domain",
       {with(failed("A", 9), [](auto& one) { one.mx_host = ""; }),
        with(failed("B", 9), [](auto& one) { one.mx_host = ""; })},
       {"senders-refuse high example.test"}},
      {"two organizations whatever each calls it, and one of them both",
       {failed("A", 1), with(failed("A", 1), [](auto& one) { one.result_type = "tlsa-invalid"; }),
        well("B", 1000)},
       disagree},
      {"sessions that went by MTA-STS or by nothing are no share of DANE's",
       {failed("A", 20), well("B", 100),
        with(well("B", 9000), [](auto& one) { one.policy = probes::reports::PolicyType::sts; }),
        with(well("C", 9000),
             [](auto& one) { one.policy = probes::reports::PolicyType::no_policy_found; })},
       refuse},
      {"nor does who reports of those only make the other one of several",
       {failed("A", 20),
        with(well("B", 9), [](auto& one) { one.policy = probes::reports::PolicyType::sts; })},
       disagree},
      {"reports that name the host for the domain are of the host",
       {with(failed("A", 9),
             [](auto& one) {
               one.domain = "mx.example.test";
               one.mx_host = "";
             }),
        failed("B", 9)},
       refuse},
      {"a host that is none of the domain's",
       {with(failed("A", 9), [](auto& one) { one.mx_host = "mx.other.test"; }),
        with(failed("B", 9), [](auto& one) { one.mx_host = "mx.other.test"; })},
       {}},
  };
  for (const auto& row : rows)
    EXPECT_EQ(added(support::Scene().judge(), row.sessions), row.want) << row.says;
}

TEST(SenderFindings, SayWhoRefusedHowManySessionsSinceWhen) {
  auto judged = support::Scene().judge();
  add_sender_findings(
      judged, reports_by_subject({failed("Google", 1000), failed("Microsoft", 200),
                                  failed("Microsoft", 4, Agreement::no, 1), well("Comcast", 796)},
                                 kNow));
  const auto* found = find(judged, Code::senders_refuse);
  ASSERT_NE(found, nullptr);
  const auto day = config::rfc3339(kDay - 24h).substr(0, 10);
  EXPECT_THAT(
      evidence_of(*found, "sender-reports"),
      ElementsAre("Google and Microsoft refused 1 204 sessions since " + day + " 00:00 UTC"));
  EXPECT_THAT(evidence_of(*found, "result-types"), ElementsAre("certificate-not-trusted"));
  EXPECT_THAT(evidence_of(*found, "reported"), ElementsAre("2000 sessions by 3 organizations"));
}

TEST(SenderFindings, NameAnOrganizationByItsFirstSpelling) {
  const auto reports = reports_by_subject(
      {failed("mail.ru", 2), failed("Mail.Ru", 3, Agreement::no, 1), well("MAIL.RU", 4)}, kNow);
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_THAT(reports.begin()->second.reporters, ElementsAre("Mail.Ru"));
  EXPECT_EQ(words_of(reports.begin()->second.refusers).substr(0, 26), "Mail.Ru refused 5 sessions");
}

TEST(SenderFindings, NameTheClassOfSendersThatExplainsThem) {
  support::Scene scene;
  scene.domain.mx.status = probes::dns::DnssecStatus::secure;
  // SHA2-512 fits, SHA2-256 does not: who knows only that one refuses.
  scene.publish({support::record(3, 1, 2, *support::Pki::get().leaf.certificate),
                 support::record(3, 1, 1, *support::Pki::get().old_leaf.certificate)});
  auto judged = scene.judge();
  ASSERT_EQ(support::verdict_of(judged), "authenticated");
  add_sender_findings(judged, reports_by_subject({failed("A", 9), failed("B", 9)}, kNow));
  const auto* found = find(judged, Code::senders_refuse);
  ASSERT_NE(found, nullptr);
  EXPECT_THAT(evidence_of(*found, "explained-by"), Contains(HasSubstr("sha256-only")));
}

TEST(SenderFindings, OfSignaturesHaveTheZoneForRoot) {
  const auto dnssec = [](auto& one) { one.result_type = "dnssec-invalid"; };
  support::Scene scene;
  scene.mx().tlsa.signer = support::name("example.test");
  auto judged = scene.judge();
  add_sender_findings(
      judged,
      reports_by_subject({with(failed("A", 9), dnssec), with(failed("B", 9), dnssec)}, kNow));
  const auto* found = find(judged, Code::senders_refuse);
  ASSERT_NE(found, nullptr);
  ASSERT_TRUE(found->root);
  EXPECT_EQ(found->root->kind, probes::Subject::Kind::zone);
  EXPECT_EQ(found->root->name, "example.test");
}

TEST(SenderFindings, ConfirmWhatIsSeenInsteadOfBeingTroubleOfTheirOwn) {
  support::Scene scene;
  scene.serve({support::Pki::get().old_leaf.certificate, support::Pki::get().inter.certificate});
  auto judged = scene.judge();
  const auto count = judged.findings.size();
  // Comcast met it when we saw none, and is explained by it by now; whether Mail.ru met it then
  // nobody knows.
  add_sender_findings(
      judged, reports_by_subject(
                  {failed("Google", 7, Agreement::yes), failed("Microsoft", 5, Agreement::yes),
                   failed("Google", 3, Agreement::no, 1), failed("Comcast", 90, Agreement::no),
                   failed("Mail.ru", 80, Agreement::not_seen)},
                  kNow));
  EXPECT_EQ(judged.findings.size(), count);
  const auto* found = find(judged, Code::tlsa_mismatch);
  ASSERT_NE(found, nullptr);
  EXPECT_THAT(evidence_of(*found, "sender-reports"),
              ElementsAre(HasSubstr("Google and Microsoft refused 12 sessions")));
}

// What a sender met without saying where, it met at one of the domain's hosts.
TEST(SenderFindings, WithoutAHostConfirmWhatIsSeenAtTheDomainsHosts) {
  support::Scene scene;
  scene.serve({support::Pki::get().old_leaf.certificate, support::Pki::get().inter.certificate});
  auto judged = scene.judge();
  const auto nowhere = [](auto& one) { one.mx_host = ""; };
  add_sender_findings(judged,
                      reports_by_subject({with(failed("Google", 7, Agreement::yes), nowhere),
                                          with(failed("Microsoft", 5, Agreement::yes), nowhere)},
                                         kNow));
  EXPECT_EQ(find(judged, Code::senders_refuse), nullptr);
  EXPECT_EQ(find(judged, Code::senders_disagree), nullptr);
  const auto* found = find(judged, Code::tlsa_mismatch);
  ASSERT_NE(found, nullptr);
  EXPECT_THAT(evidence_of(*found, "sender-reports"),
              ElementsAre(HasSubstr("Google and Microsoft refused 12 sessions")));
}

TEST(SenderFindings, ConfirmNothingThatIsAnotherFault) {
  const auto type = [](const char* what) {
    return [what](SenderSessions& one) { one.result_type = what; };
  };
  support::Scene scene;
  scene.serve({support::Pki::get().old_leaf.certificate, support::Pki::get().inter.certificate});
  auto judged = scene.judge();
  add_sender_findings(
      judged,
      reports_by_subject({failed("Google", 7, Agreement::yes),
                          with(failed("Google", 100), type("starttls-not-supported")),
                          with(failed("Microsoft", 5), type("starttls-not-supported")),
                          with(failed("Comcast", 3, Agreement::yes), type("dnssec-invalid"))},
                         kNow));
  const auto* mismatch = find(judged, Code::tlsa_mismatch);
  ASSERT_NE(mismatch, nullptr);
  EXPECT_THAT(evidence_of(*mismatch, "sender-reports"),
              ElementsAre(HasSubstr("Google refused 7 sessions")));
  const auto* refuse = find(judged, Code::senders_refuse);
  ASSERT_NE(refuse, nullptr) << "what they met besides, and we did not";
  EXPECT_THAT(evidence_of(*refuse, "sender-reports"),
              ElementsAre(HasSubstr("Google and Microsoft refused 105 sessions")));
  EXPECT_THAT(evidence_of(*refuse, "result-types"), ElementsAre("starttls-not-supported"));
}

TEST(SenderFindings, NameThreeOrganizationsAtMost) {
  std::vector<Refuser> refusers;
  for (const auto* name : {"V", "W", "X", "Y", "Z"})
    refusers.push_back({.organization = name, .refused = 1'234'567, .since = kDay});
  EXPECT_THAT(words_of(refusers), HasSubstr("V, W, X and 2 more refused 6 172 835 sessions"));
  EXPECT_THAT(words_of({{.organization = "X", .refused = 1, .since = kDay}}),
              HasSubstr("X refused 1 session since"));
}

}  // namespace
}  // namespace agent

#include "probes/findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

namespace {

using probes::Code;
using probes::Finding;
using probes::HistoryFindings;
using probes::Severity;
using support::findings_of;
using support::kNow;
using support::Scene;
using testing::ElementsAre;
using testing::IsEmpty;

Finding about_mx(Code code, Severity severity) {
  return {.code = code,
          .severity = severity,
          .subject = {.kind = probes::Subject::Kind::host, .name = "mx.example.test"}};
}

// The zone's signature has an hour left: a look calls that late.
probes::DomainJudgement judged_late() {
  Scene scene;
  scene.mx().tlsa.signatures->expiration = kNow + std::chrono::hours{1};
  return scene.judge();
}

void add(probes::DomainJudgement& judged, const HistoryFindings& known) {
  probes::add_history_findings(judged, support::name("mx.example.test"), known);
}

TEST(HistoryFindings, IsToldLikeWhatTheLookShowed) {
  auto judged = Scene{}.judge();
  add(judged, {.findings = {about_mx(Code::predicted_mismatch, Severity::high)}});
  EXPECT_THAT(findings_of(judged), ElementsAre("predicted-mismatch/high"));
  EXPECT_EQ(judged.severity, Severity::high);
  EXPECT_EQ(judged.hosts.front().findings.size(), 1U);
}

TEST(HistoryFindings, LeavesWhatTheLookFoundAsItIs) {
  auto judged = judged_late();
  ASSERT_THAT(findings_of(judged), ElementsAre("rrsig-expiring/high"));
  add(judged, {.findings = {about_mx(Code::rrsig_expiring, Severity::medium)}});
  EXPECT_THAT(findings_of(judged), ElementsAre("rrsig-expiring/high"));
}

TEST(HistoryFindings, OverrulesWhatItKnowsBetter) {
  auto judged = judged_late();
  add(judged, {.findings = {about_mx(Code::rrsig_expiring, Severity::medium)},
               .overruled = {Code::rrsig_expiring}});
  EXPECT_THAT(findings_of(judged), ElementsAre("rrsig-expiring/medium"));
  EXPECT_EQ(judged.severity, Severity::medium);
}

TEST(HistoryFindings, TakesBackAFalseAlarm) {
  auto judged = judged_late();
  add(judged, {.overruled = {Code::rrsig_expiring}});
  EXPECT_THAT(findings_of(judged), IsEmpty()) << "H-10: short-lived by design";
  EXPECT_THAT(judged.hosts.front().findings, IsEmpty());
  EXPECT_EQ(judged.severity, Severity::info);
}

TEST(HistoryFindings, LeavesTheDomainsOwnFindings) {
  Scene scene;
  scene.domain.mx.signatures->expiration = kNow + std::chrono::hours{1};
  auto judged = scene.judge();
  add(judged, {.overruled = {Code::rrsig_expiring}});
  EXPECT_THAT(findings_of(judged), ElementsAre("rrsig-expiring/high"));
}

}  // namespace

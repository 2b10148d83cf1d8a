#include "web/routes/mail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/web/service.h"

namespace {

using probes::Delivery;
using probes::Verdict;
using support::Scene;
using testing::ElementsAre;
using testing::IsEmpty;

// Two domains on one host, of which the second has a backup that takes its mail.
agent::Snapshot shared_host(bool is_matching) {
  Scene scene;
  if (!is_matching)
    scene.serve({support::Pki::get().old_leaf.certificate, support::Pki::get().inter.certificate});
  auto out = support::snapshot_of(scene);
  Scene second = scene;
  second.domain.domain = support::name("second.test");
  auto& backup = second.add_host("backup.example.test", 20);
  for (auto& session : backup.sessions) session.tls->chain = {support::Pki::get().leaf.certificate};
  auto state = support::domain_state(second);
  state.configured.change().name = "second.test";
  state.configured.change().role = config::Role::outbound;
  out.domains.push_back(state);
  return out;
}

web::HostMail mail_of(const agent::Snapshot& snapshot) {
  return web::mail_through(snapshot, *snapshot.hosts.front().second);
}

TEST(MailThrough, SaysWhatSendersDoAndWhichDomainsNobodyElseHelps) {
  const auto mail = mail_of(shared_host(false));
  EXPECT_EQ(mail.verdict, Verdict::refused);
  EXPECT_EQ(mail.delivery, Delivery::held_up);
  EXPECT_THAT(mail.domains, ElementsAre("example.test", "second.test"));
  EXPECT_THAT(mail.held_up, ElementsAre("example.test")) << "the other has a second host";
  EXPECT_TRUE(mail.has_shown_certificate);
}

TEST(MailThrough, IsFineWhereItIs) {
  const auto mail = mail_of(shared_host(true));
  EXPECT_EQ(mail.verdict, Verdict::authenticated);
  EXPECT_EQ(mail.delivery, Delivery::fine);
  EXPECT_THAT(mail.held_up, IsEmpty());
}

TEST(MailThrough, KnowsNoKeysWhereNoCertificateWasSeen) {
  Scene scene;
  for (auto& session : scene.mx().sessions) {
    session.tls.reset();
    session.stage = probes::smtp::Stage::connect;
    session.stop = probes::smtp::SessionStop::connect_refused;
  }
  const auto mail = mail_of(support::snapshot_of(scene));
  EXPECT_EQ(mail.verdict, Verdict::down);
  EXPECT_EQ(mail.delivery, Delivery::held_up);
  EXPECT_FALSE(mail.has_shown_certificate);
}

TEST(MailThrough, IsUnknownWhileNobodyWasJudged) {
  auto snapshot = support::snapshot_of(Scene{});
  snapshot.domains.change(0, [&](auto& state) { state.judged = nullptr; });
  const auto mail = mail_of(snapshot);
  EXPECT_EQ(mail.verdict, std::nullopt);
  EXPECT_EQ(mail.delivery, Delivery::unknown);
  EXPECT_THAT(mail.domains, IsEmpty());
}

TEST(AlertsOf, AHostAreThoseThatHitItFiringFirstTheWorstFirst) {
  agent::Snapshot snapshot;
  const auto add = [&](const std::string& id, agent::AlertState state, probes::Severity severity,
                       const std::string& host) {
    auto made = support::alert(id, state);
    made.cause = made.finding.subject = {.kind = probes::Subject::Kind::zone, .name = "test"};
    made.finding.severity = severity;
    made.hits = {{.subject = {.kind = probes::Subject::Kind::host, .name = host}}};
    snapshot.alerts.push_back(made);
  };
  add("pending", agent::AlertState::pending, probes::Severity::critical, "mx.example.test");
  add("high", agent::AlertState::firing, probes::Severity::high, "mx.example.test");
  add("other", agent::AlertState::firing, probes::Severity::critical, "mx.other.test");
  add("critical", agent::AlertState::firing, probes::Severity::critical, "mx.example.test");
  std::vector<std::string> ids;
  for (const auto* alert : web::alerts_of(snapshot, "mx.example.test")) ids.push_back(alert->id);
  EXPECT_THAT(ids, ElementsAre("critical", "high", "pending"));
}

}  // namespace

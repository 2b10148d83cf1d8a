#include "probes/status.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scene.h"

namespace {

using probes::Code;
using probes::Delivery;
using probes::delivery_of;
using probes::delivery_seen;
using probes::Finding;
using probes::Severity;
using probes::Status;
using probes::status_of;
using probes::Verdict;

Finding finding(Code code, Severity severity) {
  return {.code = code, .severity = severity};
}

const auto kBlind = finding(Code::monitor_fault, Severity::medium);
const auto kLimit = finding(Code::monitor_fault, Severity::info);

TEST(StatusOf, IsDecidedInOnePlace) {
  struct Row {
    std::string says;
    Verdict verdict;
    std::vector<Finding> findings;
    Status status;
    Delivery delivery;
  };
  const Row rows[] = {
      {"nothing was found", Verdict::authenticated, {}, Status::ok, Delivery::fine},
      {"what nobody has to act upon",
       Verdict::authenticated,
       {finding(Code::selector_cert, Severity::low)},
       Status::ok,
       Delivery::fine},
      {"medium and high are warnings",
       Verdict::authenticated,
       {finding(Code::ttl_long, Severity::medium)},
       Status::warning,
       Delivery::at_risk},
      {"the same",
       Verdict::authenticated,
       {finding(Code::rollover_late, Severity::high)},
       Status::warning,
       Delivery::at_risk},
      {"caches refuse while what is published fits",
       Verdict::authenticated,
       {finding(Code::stale_cache_window, Severity::critical)},
       Status::critical,
       Delivery::at_risk},
      {"nobody vouches for the MX RRset",
       Verdict::host_authenticated,
       {finding(Code::mx_insecure, Severity::low)},
       Status::ok,
       Delivery::at_risk},
      {"DANE never was there: no finding to act upon, and no protection",
       Verdict::opportunistic,
       {finding(Code::no_dane, Severity::info)},
       Status::ok,
       Delivery::unprotected},
      {"the same in the clear", Verdict::cleartext, {}, Status::ok, Delivery::unprotected},
      {"TLS, and anybody may be the peer",
       Verdict::encrypted,
       {finding(Code::all_unusable, Severity::medium)},
       Status::warning,
       Delivery::unprotected},
      {"the only host refuses",
       Verdict::deferred,
       {finding(Code::tlsa_mismatch, Severity::critical)},
       Status::critical,
       Delivery::held_up},
      {"a partner's trouble is a degree calmer, and their mail waits all the same",
       Verdict::deferred,
       {finding(Code::tlsa_mismatch, Severity::high)},
       Status::warning,
       Delivery::held_up},
      {"never ok while mail is not delivered",
       Verdict::deferred,
       {},
       Status::warning,
       Delivery::held_up},
      {"the same of mail that is returned",
       Verdict::bounced,
       {},
       Status::warning,
       Delivery::held_up},
      {"DNS fails", Verdict::lookup_failed, {}, Status::warning, Delivery::held_up},
      {"a domain that says it takes no mail", Verdict::no_mail, {}, Status::ok, Delivery::fine},
      {"nothing could be learned", Verdict::unknown, {kBlind}, Status::unknown, Delivery::unknown},
      {"the first MX has IPv6 only and we have none: another takes the mail, who knows of the "
       "first",
       Verdict::authenticated,
       {kBlind},
       Status::unknown,
       Delivery::unknown},
      {"the same without DANE at the other",
       Verdict::opportunistic,
       {kBlind},
       Status::unknown,
       Delivery::unknown},
      {"a warning does not tell what we could not see",
       Verdict::unknown,
       {finding(Code::partial_dane, Severity::high), kBlind},
       Status::unknown,
       Delivery::unknown},
      {"what is critical was seen, whatever was not",
       Verdict::unknown,
       {finding(Code::tlsa_mismatch, Severity::critical), kBlind},
       Status::critical,
       Delivery::unknown},
      {"a limit of ours that hid nothing",
       Verdict::authenticated,
       {kLimit},
       Status::ok,
       Delivery::fine},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    const auto status = status_of(row.verdict, row.findings);
    EXPECT_EQ(wire_name(status), wire_name(row.status));
    EXPECT_EQ(wire_name(delivery_seen(row.verdict, status)), wire_name(row.delivery));
  }
}

TEST(DeliveryOf, IsNeverCalmWhereMailIsNotDelivered) {
  for (const auto verdict : {Verdict::refused, Verdict::lookup_failed, Verdict::down,
                             Verdict::no_address, Verdict::deferred, Verdict::bounced}) {
    for (const auto status : {Status::ok, Status::warning, Status::critical, Status::unknown})
      EXPECT_EQ(delivery_seen(verdict, status), Delivery::held_up) << wire_name(verdict);
  }
}

TEST(DeliveryOf, OfAHostIsThatOfMailThroughIt) {
  support::Scene scene;
  scene.serve({support::Pki::get().old_leaf.certificate});
  auto& backup = scene.add_host("backup.example.test", 20);
  for (auto& session : backup.sessions) session.tls->chain = {support::Pki::get().leaf.certificate};
  const auto judged = scene.judge();
  ASSERT_EQ(judged.hosts.size(), 2U);
  EXPECT_EQ(delivery_of(judged.hosts[0]), Delivery::held_up);
  EXPECT_NE(delivery_of(judged.hosts[1]), Delivery::held_up);
  EXPECT_EQ(delivery_of(judged), Delivery::at_risk) << "the second host takes the mail";
}

TEST(StatusOf, AHostGoesByWhatIsFoundAtIt) {
  support::Scene scene;
  scene.serve({support::Pki::get().old_leaf.certificate});
  auto& backup = scene.add_host("backup.example.test", 20);
  for (auto& session : backup.sessions) session.tls->chain = {support::Pki::get().leaf.certificate};
  auto judged = scene.judge();
  ASSERT_EQ(judged.hosts.size(), 2U);
  const auto* worst = probes::worst_finding(judged, judged.hosts[0]);
  ASSERT_NE(worst, nullptr);
  EXPECT_EQ(worst->code, Code::tlsa_mismatch);
  EXPECT_EQ(status_of(judged, judged.hosts[0]), Status::warning) << "the second takes the mail";
  EXPECT_EQ(status_of(judged, judged.hosts[1]), Status::ok);
  judged.findings = {};
  EXPECT_EQ(status_of(judged, judged.hosts[0]), Status::warning) << "mail is not delivered";
  EXPECT_EQ(probes::worst_finding(judged, judged.hosts[0]), nullptr);
  judged.hosts.change(1).most_caches_refuse = true;
  EXPECT_EQ(status_of(judged, judged.hosts[1]), Status::warning);
}

TEST(DeliveryOf, IsHeldUpWhereMostCachesRefuseEachHostThatTakesMail) {
  support::Scene scene;
  scene.serve({support::Pki::get().leaf.certificate});
  auto& backup = scene.add_host("backup.example.test", 20);
  for (auto& session : backup.sessions) session.tls->chain = {support::Pki::get().leaf.certificate};
  auto judged = scene.judge();
  ASSERT_EQ(judged.verdict, Verdict::authenticated);
  judged.hosts.change(0).most_caches_refuse = true;
  EXPECT_EQ(delivery_of(judged.hosts[0]), Delivery::held_up);
  EXPECT_NE(delivery_of(judged.hosts[1]), Delivery::held_up);
  EXPECT_NE(delivery_of(judged), Delivery::held_up) << "the second host takes the mail";
  judged.hosts.change(1).most_caches_refuse = true;
  EXPECT_EQ(delivery_of(judged), Delivery::held_up);
  judged.findings = {};
  EXPECT_EQ(status_of(judged), Status::warning) << "never ok while mail waits";
  judged.findings = {kBlind};
  EXPECT_EQ(delivery_of(judged), Delivery::unknown);
}

TEST(Words, OfStatusAndDeliveryGoThereAndBack) {
  for (const auto* name : {"ok", "warning", "critical", "unknown"}) {
    const auto status = probes::status_from(name);
    ASSERT_TRUE(status) << name;
    EXPECT_EQ(wire_name(*status), name);
  }
  for (const auto* name : {"held-up", "unprotected", "at-risk", "fine", "unknown"}) {
    const auto delivery = probes::delivery_from(name);
    ASSERT_TRUE(delivery) << name;
    EXPECT_EQ(wire_name(*delivery), name);
  }
  EXPECT_FALSE(probes::status_from("Ok"));
  EXPECT_FALSE(probes::delivery_from(""));
}

TEST(Rank, PutsWhatMustBeLookedAtFirst) {
  EXPECT_LT(rank(Status::critical), rank(Status::unknown));
  EXPECT_LT(rank(Status::unknown), rank(Status::warning));
  EXPECT_LT(rank(Status::warning), rank(Status::ok));
  EXPECT_LT(rank(Delivery::held_up), rank(Delivery::at_risk));
  EXPECT_LT(rank(Delivery::at_risk), rank(Delivery::unknown));
  EXPECT_LT(rank(Delivery::unknown), rank(Delivery::unprotected));
  EXPECT_LT(rank(Delivery::unprotected), rank(Delivery::fine));
}

}  // namespace

#include "storage/sender_reports.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/storage/store.h"

namespace storage {
namespace {

using agent::Agreement;
using probes::reports::PolicyType;
using probes::reports::TlsReport;
using support::kNow;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

TlsReport report(std::string id, config::Time from = kNow - 1h) {
  return {.organization = "Example Inc.",
          .report_id = std::move(id),
          .from = from,
          .until = from + 2h,
          .policies = {{.type = PolicyType::tlsa,
                        .domain = "example.test",
                        .mx_hosts = {"mx.example.test"},
                        .successful = 10,
                        .failed = 3,
                        .failures = {{.result_type = "certificate-not-trusted",
                                      .mx_host = "mx.example.test",
                                      .sessions = 3,
                                      .senders = 2,
                                      .receivers = 1}}}}};
}

template <class T>
T must(config::Result<T, std::string> result) {
  if (!result) throw std::runtime_error(result.error());
  return std::move(*result);
}

struct Reports : testing::Test {
  Reports() : reports(must(SenderReports::open(store.place()))) {}
  std::vector<agent::SenderSessions> of(const std::string& domain, const std::string& host = {}) {
    return must(reports->sessions(
        {.domain = domain, .host = host, .from = kNow - 24h, .until = kNow + 24h}));
  }
  support::Store store;
  std::unique_ptr<SenderReports> reports;
};

TEST_F(Reports, AreTakenOnce) {
  EXPECT_EQ(must(reports->newest()), 0);
  EXPECT_TRUE(must(reports->take(report("1"), kNow)));
  EXPECT_FALSE(must(reports->take(report("1"), kNow)));
  EXPECT_TRUE(must(reports->take(report("2"), kNow)));
  auto other = report("1");
  other.organization = "Another";
  EXPECT_TRUE(must(reports->take(other, kNow)));
  EXPECT_GE(must(reports->newest()), 3);
  EXPECT_THAT(of("example.test"), SizeIs(6));
}

TEST_F(Reports, ThatSaySomethingElseUnderTheSameNameAreTakenBeside) {
  auto forged = report("1");
  forged.policies.front().failures.clear();
  forged.policies.front().failed = 0;
  EXPECT_TRUE(must(reports->take(forged, kNow)));
  EXPECT_TRUE(must(reports->take(report("1"), kNow))) << "the true one, though it came later";
  EXPECT_FALSE(must(reports->take(report("1"), kNow)));
  EXPECT_FALSE(must(reports->take(forged, kNow)));
  EXPECT_THAT(of("example.test"), SizeIs(3));

  auto two = report("2");
  two.policies.push_back(two.policies.front());
  two.policies.back().domain = "other.test";
  EXPECT_TRUE(must(reports->take(two, kNow)));
  std::swap(two.policies.front(), two.policies.back());
  two.until += 1h;
  EXPECT_FALSE(must(reports->take(two, kNow))) << "the same in another order, at another hour";
}

TEST_F(Reports, OfASchemaOfBeforeAreTakenOnceByTheirIdAlone) {
  store.outside().execute(
      "INSERT INTO tlsrpt_report(organization, report_id, begins, ends, taken_at) "
      "VALUES('Example Inc.', '1', 1, 2, 3)");
  EXPECT_FALSE(must(reports->take(report("1"), kNow)));
}

TEST_F(Reports, AreFoundByDomainHostAndTime) {
  must(reports->take(report("1"), kNow));
  const auto all = of("example.test");
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].sessions, 10U);
  EXPECT_EQ(all[0].result_type, "");
  EXPECT_EQ(all[1].organization, "Example Inc.");
  EXPECT_EQ(all[1].result_type, "certificate-not-trusted");
  EXPECT_EQ(all[1].policy, PolicyType::tlsa);
  EXPECT_EQ(all[1].sessions, 3U);
  EXPECT_EQ(all[1].senders, 2U);
  EXPECT_THAT(of("", "mx.example.test"), SizeIs(2));
  EXPECT_THAT(of("", ""), IsEmpty()) << "nobody watches it";
  store.keep_only({{.name = "example.test"}});
  EXPECT_THAT(of("", ""), SizeIs(2));
  EXPECT_THAT(of("other.test"), IsEmpty());
  EXPECT_THAT(must(reports->sessions(
                  {.domain = "example.test", .host = {}, .from = kNow + 2h, .until = kNow + 3h})),
              IsEmpty());
}

TEST_F(Reports, AreHeldAgainstWhatWasRecorded) {
  must(reports->take(report("1"), kNow));
  EXPECT_EQ(of("example.test")[1].agrees, Agreement::not_seen) << "nothing was recorded";
  support::Scene scene;
  store.record(support::domain_round(scene));
  EXPECT_EQ(of("example.test")[1].agrees, Agreement::not_seen) << "the host was not looked at";
  store.record(support::host_round(scene, kNow));
  EXPECT_EQ(of("example.test")[1].agrees, Agreement::no) << "it was well";
  scene.serve({support::Pki::get().old_leaf.certificate, support::Pki::get().inter.certificate});
  store.record(support::domain_round(scene, kNow + 60s));
  EXPECT_EQ(of("example.test")[1].agrees, Agreement::yes) << "the certificate did not match";
}

// The other host could not be reached over IPv4, for want of a route of our own.
TEST_F(Reports, AreHeldAgainstAHostThatAFaultOfOursAtAnotherDoesNotHide) {
  must(reports->take(report("1"), kNow));
  const support::Scene scene;
  const auto look = [&](config::Time at) {
    auto seen = support::host_round(scene, at);
    auto judged = *seen.judged.front().judged;
    judged.findings.push_back({.code = probes::Code::monitor_fault,
                               .severity = probes::Severity::medium,
                               .subject = {probes::Subject::Kind::monitor, "smtp_ipv4"}});
    seen.judged.front().judged = std::make_shared<const probes::DomainJudgement>(judged);
    return seen;
  };
  auto without_host = look(kNow);
  without_host.host_judged.reset();
  store.record(without_host);
  EXPECT_EQ(of("example.test")[1].agrees, Agreement::not_seen);
  store.record(look(kNow + 60s));
  store.record(look(kNow + 120s));
  EXPECT_EQ(of("example.test")[1].agrees, Agreement::no) << "the host itself was judged";
}

// Some name the host for the domain: whose it is must be searched for.
TEST_F(Reports, AreHeldAgainstTheDomainsOfEveryHost) {
  constexpr int kHosts = 12;
  auto many = report("1");
  const auto one = many.policies.front();
  many.policies.clear();
  for (int i = 0; i < kHosts; ++i) {
    const auto host = fmt::format("mx{}.unknown.test", i);
    many.policies.push_back(one);
    many.policies.back().domain = host;
    many.policies.back().failures.front().mx_host = host;
    store.outside()
        .prepare("INSERT INTO subject(kind, name) VALUES('addresses', ?)")
        .bind(host)
        .run();
  }
  many.policies.push_back(one);
  many.policies.back().domain = "mx.example.test";
  must(reports->take(many, kNow));
  const support::Scene scene;
  store.record(support::domain_round(scene));
  store.record(support::host_round(scene, kNow));
  store.keep_only({{.name = "example.test"}});
  auto all = of("", "");
  ASSERT_THAT(all, SizeIs(2 * (kHosts + 1)));
  std::erase_if(all, [](const agent::SenderSessions& row) { return row.result_type.empty(); });
  EXPECT_EQ(all.back().domain, "mx.example.test");
  EXPECT_EQ(all.back().agrees, Agreement::no);
}

TEST_F(Reports, OnAHostAreOfTheOnlyDomainThatUsesIt) {
  auto on_host = report("1");
  on_host.policies.front().domain = "mx.example.test";
  must(reports->take(on_host, kNow));
  EXPECT_THAT(of("example.test"), IsEmpty()) << "whose host it is is not known";
  const support::Scene scene;
  store.record(support::domain_round(scene));
  const auto all = of("example.test");
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[1].domain, "mx.example.test");
  EXPECT_EQ(all[1].mx_host, "mx.example.test");

  support::Scene other;
  other.domain.domain = support::name("other.test");
  store.record(support::domain_round(other));
  EXPECT_THAT(of("example.test"), IsEmpty()) << "it may be the other one's mail";
  EXPECT_THAT(of("", "mx.example.test"), SizeIs(2));
}

// What was so before and after a time in which nobody looked is no word about that time.
TEST_F(Reports, AreNotHeldAgainstATimeInWhichNobodyLooked) {
  must(reports->take(report("1", kNow + 24h), kNow));
  const support::Scene scene;
  for (const auto at : {kNow, kNow + 72h}) {
    store.record(support::domain_round(scene, at));
    store.record(support::host_round(scene, at));
  }
  const auto all = must(
      reports->sessions({.domain = "example.test", .host = {}, .from = kNow, .until = kNow + 96h}));
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[1].agrees, Agreement::not_seen);
}

TEST_F(Reports, OfManyLeaveEveryDomainAndOrganizationItsNewest) {
  store.keep_only({{.name = "example.test"}, {.name = "quiet.test"}});
  auto quiet = report("quiet");
  quiet.policies.front().domain = "quiet.test";
  must(reports->take(quiet, kNow));
  auto modest = report("modest");
  modest.organization = "Modest";
  must(reports->take(modest, kNow));
  for (int i = 0; i < 20; ++i) must(reports->take(report(std::to_string(i)), kNow));
  const auto all = must(reports->sessions(
      {.domain = {}, .host = {}, .from = kNow - 24h, .until = kNow + 24h, .most = 8}));
  ASSERT_THAT(all, SizeIs(8));
  const auto count = [&](std::string_view domain, std::string_view organization) {
    return std::ranges::count_if(all, [&](const agent::SenderSessions& one) {
      return one.domain == domain && one.organization == organization;
    });
  };
  EXPECT_EQ(count("quiet.test", "Example Inc."), 2);
  EXPECT_EQ(count("example.test", "Modest"), 2);
  EXPECT_EQ(count("example.test", "Example Inc."), 4);
}

TEST_F(Reports, AreForgottenWithOtherHistory) {
  must(reports->take(report("old", kNow - 72h), kNow));
  must(reports->take(report("new"), kNow));
  ASSERT_TRUE(store.forget(kNow - 24h));
  EXPECT_EQ(store.outside().integer("SELECT count(*) FROM tlsrpt_report"), 1);
  EXPECT_EQ(store.outside().integer("SELECT count(*) FROM tlsrpt_sessions"), 2);
  EXPECT_EQ(must(reports->newest()), 2);
}

TEST_F(Reports, WaitForAnAgentThatMakesTheFile) {
  if (store.place().is_postgresql()) GTEST_SKIP() << "of files";
  const auto none = SenderReports::open(store.file().parent_path() / "none.db");
  ASSERT_FALSE(none);
  EXPECT_FALSE(std::filesystem::exists(store.file().parent_path() / "none.db"));
}

}  // namespace
}  // namespace storage

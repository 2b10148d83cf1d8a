#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "probes/catalogue.h"
#include "tests/unit/web/service.h"
#include "web/routes/api.h"
#include "web/routes/csv.h"

// Lists of much, filtered, in pages and as tables.
namespace {

using nlohmann::json;
using support::kMinute;
using support::kNow;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;
using Query = std::map<std::string, std::string>;

class Lists : public testing::Test {
 protected:
  web::Reply ask(const std::string& path, const Query& query = {}) {
    return api_.answer(
        {.method = "GET", .path = path, .query = query, .headers = {{"host", "danelaw.test"}}});
  }
  json got(const std::string& path, const Query& query = {}) {
    const auto reply = ask(path, query);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return json::parse(reply.body);
  }
  // So many more domains that share the scene's broken host, of which one is a partner's.
  void share_host(std::size_t count) {
    const auto judged = service_.snapshot.domains[0].judged;
    for (std::size_t i = 0; i < count; ++i) {
      service_.snapshot.domains.push_back(
          {.configured =
               config::Domain{.name = fmt::format("d{:04}.test", i),
                              .role = i == 0 ? config::Role::outbound : config::Role::inbound,
                              .group = i < 3 ? "few" : "many"},
           .judged = judged,
           .next_check_at = kNow});
    }
  }

  support::Service service_;
  web::Api api_{service_.backend(), {.hosts = {"danelaw.test"}}};
};

TEST_F(Lists, AnMxHostIsOneLineHoweverManyDomainsUseIt) {
  share_host(40);
  service_.store.record(support::host_round(support::mismatch()));
  const auto list = got("/api/v1/mx");
  ASSERT_THAT(list["items"], SizeIs(1));
  EXPECT_EQ(list["total"], 1);
  const auto& host = list["items"][0];
  EXPECT_EQ(host["host"], "mx.example.test");
  EXPECT_EQ(host["verdict"], "refused");
  EXPECT_EQ(host["delivery"], "held-up");
  EXPECT_EQ(host["delivery_since"], "2027-01-15T08:00:00Z");
  EXPECT_EQ(host["status"], "critical");
  EXPECT_EQ(host["worst_finding"]["code"], "tlsa-mismatch");
  EXPECT_EQ(host["domains"], 41);
  EXPECT_EQ(host["held_up"], 41);
  EXPECT_EQ(host["alerts"], 1);
  EXPECT_TRUE(host.contains("next_deadline"));
}

TEST_F(Lists, HostsAreFilteredByWhatTheyAreAndWhoUsesThem) {
  share_host(3);
  const auto count = [&](const Query& query) { return got("/api/v1/mx", query)["total"]; };
  EXPECT_EQ(count({{"delivery", "held-up"}}), 1);
  EXPECT_EQ(count({{"delivery", "fine"}}), 0);
  EXPECT_EQ(count({{"verdict", "refused"}}), 1);
  EXPECT_EQ(count({{"verdict", "authenticated"}}), 0);
  EXPECT_EQ(count({{"q", "mx.ex"}}), 1);
  EXPECT_EQ(count({{"q", "other"}}), 0);
  EXPECT_EQ(count({{"group", "few"}, {"role", "outbound"}}), 1);
  EXPECT_EQ(count({{"group", "partners"}}), 0);
  EXPECT_EQ(count({{"state", "steady"}}), 0);
  EXPECT_EQ(count({{"code", "tlsa-mismatch,host-down"}}), 1);
  EXPECT_EQ(count({{"code", "host-down"}}), 0);
  EXPECT_EQ(ask("/api/v1/mx", {{"state", "jumping"}}).status, 400);
  EXPECT_EQ(ask("/api/v1/mx", {{"sort", "colour"}}).status, 400);
  for (const auto* sort : {"delivery", "name", "domains", "next_deadline_at"})
    EXPECT_EQ(count({{"sort", sort}}), 1) << sort;
  EXPECT_THAT(got("/api/v1/mx", {{"cursor", "1"}})["items"], SizeIs(0));
}

TEST_F(Lists, DomainsAreFilteredByVerdictCodeAndHost) {
  share_host(2);
  const auto count = [&](const Query& query) { return got("/api/v1/domains", query)["total"]; };
  EXPECT_EQ(count({}), 4);
  EXPECT_EQ(count({{"verdict", "deferred"}}), 3);
  EXPECT_EQ(count({{"verdict", "authenticated"}}), 0);
  EXPECT_EQ(count({{"code", "tlsa-mismatch"}}), 3);
  EXPECT_EQ(count({{"code", "host-down"}}), 0);
  EXPECT_EQ(count({{"mx", "MX.example.test."}, {"role", "outbound"}}), 1);
  EXPECT_EQ(count({{"mx", "other.test"}}), 0);
  EXPECT_EQ(ask("/api/v1/domains", {{"code", "dance"}}).status, 400);
}

TEST_F(Lists, FindingsOfOneCauseAreOneLineWithACount) {
  share_host(30);
  const auto list = got("/api/v1/findings", {{"group_by", "cause"}, {"code", "tlsa-mismatch"}});
  ASSERT_THAT(list["items"], SizeIs(1));
  const auto& cause = list["items"][0];
  EXPECT_EQ(cause["subject"], json::parse(R"({"kind":"host","name":"mx.example.test"})"));
  EXPECT_EQ(cause["severity"], "critical");
  EXPECT_EQ(cause["domains_count"], 31);
  EXPECT_THAT(cause["domains"], SizeIs(20));
  EXPECT_EQ(cause["since"], "2027-01-15T08:00:00Z");
  EXPECT_EQ(got("/api/v1/findings", {{"verdict", "authenticated"}})["total"], 0);
  const auto few = got("/api/v1/findings", {{"code", "tlsa-mismatch"}, {"group", "few"}});
  EXPECT_EQ(few["total"], 3);
  EXPECT_EQ(few["items"][0]["since"], "2027-01-15T08:00:00Z");
  EXPECT_EQ(ask("/api/v1/findings", {{"group_by", "colour"}}).status, 400);
}

// One shared MX host whose records do not match: behind signed MX records and unsigned ones, with
// what follows from it.
TEST_F(Lists, OneMismatchIsOneCauseWithWhatFollowsFromIt) {
  share_host(30);
  auto& domains = service_.snapshot.domains;
  auto judged = *domains[0].judged;
  auto& all = judged.findings;
  const auto found = std::ranges::find(all, probes::Code::tlsa_mismatch, &probes::Finding::code);
  ASSERT_NE(found, all.end());
  auto& mismatch = all.change(static_cast<std::size_t>(found - all.begin()));
  mismatch.code = probes::Code::tlsa_mismatch_insecure_mx;
  mismatch.severity = probes::Severity::high;
  auto effect = mismatch;
  const auto effects = probes::row_of(probes::Code::tlsa_mismatch).alerts.explains;
  ASSERT_GT(effects.size(), 0U);
  effect.code = *effects.begin();
  const std::string effect_name{probes::wire_name(effect.code)};
  effect.severity = probes::Severity::medium;
  auto state = domains[2];
  all.push_back(effect);
  state.judged = std::make_shared<const probes::DomainJudgement>(judged);
  domains.set(2, state);
  judged = *domains[3].judged;
  judged.findings.push_back(effect);
  state = domains[3];
  state.judged = std::make_shared<const probes::DomainJudgement>(judged);
  domains.set(3, state);

  const auto list = got("/api/v1/findings", {{"group_by", "cause"}});
  std::vector<json> mine;
  for (const auto& one : list["items"]) {
    if (one["subject"]["name"] == "mx.example.test" && one["code"] == "tlsa-mismatch")
      mine.push_back(one);
  }
  ASSERT_THAT(mine, SizeIs(1));
  EXPECT_EQ(mine[0], list["items"][0]) << "the worst";
  EXPECT_EQ(mine[0]["domains_count"], 31);
  EXPECT_EQ(mine[0]["codes"], (json{"tlsa-mismatch", "tlsa-mismatch-insecure-mx"}));
  EXPECT_EQ(mine[0]["consequences"], json{effect_name});
  ASSERT_THAT(mine[0]["consequence_titles"], SizeIs(1));
  EXPECT_THAT(mine[0]["consequence_titles"][0].get<std::string>(), testing::HasSubstr(" "));
  EXPECT_EQ(got("/api/v1/domains", {{"code", "tlsa-mismatch,tlsa-mismatch-insecure-mx"}})["total"],
            31)
      << "as many as the list of them has";
  EXPECT_THAT(list["codes"],
              testing::IsSupersetOf(std::vector<json>{"tlsa-mismatch", effect_name}));
}

TEST_F(Lists, WhatIsNoMatterForAnAlertIsOneLineACode) {
  auto& domains = service_.snapshot.domains;
  probes::Finding minor{.code = probes::Code::tlsrpt_missing, .severity = probes::Severity::low};
  for (const auto* name : {"a.test", "b.test"}) {
    auto judged = *domains[0].judged;
    minor.subject = {.kind = probes::Subject::Kind::domain, .name = name};
    judged.findings = {minor};
    domains.push_back({.configured = config::Domain{.name = name},
                       .judged = std::make_shared<const probes::DomainJudgement>(judged),
                       .next_check_at = kNow});
  }
  const auto list = got("/api/v1/findings", {{"group_by", "cause"}, {"code", "tlsrpt-missing"}});
  ASSERT_THAT(list["items"], SizeIs(1));
  const auto& row = list["items"][0];
  EXPECT_GE(row["subjects_count"].get<int>(), 2);
  EXPECT_EQ(row["subjects_count"], row["domains_count"]);
  EXPECT_THAT(row["title"].get<std::string>(), StartsWith("no TLSRPT record asks senders"));
}

TEST_F(Lists, OneTroubleOfManyDomainsTheirOwnIsOneLineWithACount) {
  auto& domains = service_.snapshot.domains;
  for (const auto* name : {"a.test", "b.test"}) {
    auto judged = *domains[0].judged;
    judged.findings = {{.code = probes::Code::domain_gone,
                        .severity = probes::Severity::critical,
                        .subject = {.kind = probes::Subject::Kind::domain, .name = name}}};
    domains.push_back({.configured = config::Domain{.name = name},
                       .judged = std::make_shared<const probes::DomainJudgement>(judged),
                       .next_check_at = kNow});
  }
  const auto list = got("/api/v1/findings", {{"group_by", "cause"}, {"code", "domain-gone"}});
  ASSERT_THAT(list["items"], SizeIs(1));
  EXPECT_EQ(list["items"][0]["domains_count"], 2);
}

TEST_F(Lists, WhatOpensNoAlertIsFoundSinceItWasRecorded) {
  service_.snapshot.alerts = {};
  const auto found = got("/api/v1/findings", {{"code", "tlsa-mismatch"}});
  EXPECT_EQ(found["items"][0]["since"], "2027-01-15T08:00:00Z");
}

TEST_F(Lists, AlertsCarryAFewOfTheirNamesAndHowManyThereAre) {
  auto many = service_.snapshot.alerts[0];
  for (int i = 0; i < 5000; ++i) many.domains.push_back(fmt::format("d{:04}.test", i));
  many.hits[0].domains = many.domains;
  service_.snapshot.alerts = {many};
  const auto list = got("/api/v1/alerts", {{"state", "firing"}});
  EXPECT_EQ(list["total"], 1);
  const auto& alert = list["items"][0];
  EXPECT_THAT(alert["domains"], SizeIs(20));
  EXPECT_EQ(alert["domains_count"], 5001);
  EXPECT_EQ(alert["hits_count"], 1);
  EXPECT_THAT(alert["hits"][0]["domains"], SizeIs(20));
  EXPECT_EQ(alert["hits"][0]["domains_count"], 5001);
  EXPECT_THAT(got("/api/v1/alerts/f-1")["domains"], SizeIs(5001)) << "asked for by itself";
  EXPECT_THAT(got("/api/v1/domains/example.test")["alerts"][0]["domains"], SizeIs(20));
  EXPECT_THAT(got("/api/v1/mx/mx.example.test")["alerts"][0]["domains"], SizeIs(20));
}

TEST_F(Lists, AlertsOfDomainsOwnThatAreAlikeAreOneLineWithACount) {
  const auto shared = service_.snapshot.alerts[0];
  const auto own = [&](const std::string& name) {
    auto out = shared;
    out.id = name;
    out.finding.code = probes::Code::domain_gone;
    out.cause = out.finding.subject = {.kind = probes::Subject::Kind::domain, .name = name};
    out.domains = {name};
    out.hits[0].domains = out.domains;
    return out;
  };
  service_.snapshot.alerts = {shared, own("a.test"), own("b.test")};
  const auto list = got("/api/v1/alerts", {{"state", "firing"}, {"group_by", "cause"}});
  EXPECT_EQ(list["total"], 2);
  for (const auto& one : list["items"]) {
    const bool is_own = one["code"] == "domain-gone";
    EXPECT_EQ(one["alike"], is_own ? 2 : 1);
    if (!is_own) continue;
    EXPECT_EQ(one["domains_count"], 2);
    EXPECT_THAT(one["title"].get<std::string>(), testing::Not(testing::HasSubstr("a.test")));
  }
  EXPECT_EQ(got("/api/v1/alerts", {{"state", "firing"}})["total"], 3) << "each by itself";
  EXPECT_EQ(ask("/api/v1/alerts", {{"group_by", "colour"}}).status, 400);
}

TEST_F(Lists, AlertsAreFilteredAndComeInPages) {
  const auto count = [&](const Query& query) { return got("/api/v1/alerts", query)["total"]; };
  EXPECT_EQ(count({}), 3);
  EXPECT_EQ(count({{"code", "tlsa-mismatch"}, {"severity", "critical"}}), 3);
  EXPECT_EQ(count({{"code", "host-down"}}), 0);
  EXPECT_EQ(count({{"domain", "example.test"}}), 3);
  EXPECT_EQ(count({{"group", "ours"}}), 3);
  EXPECT_EQ(count({{"group", "partners"}}), 0);
  EXPECT_EQ(count({{"role", "outbound"}}), 0);
  EXPECT_EQ(count({{"q", "Example"}}), 3);
  EXPECT_EQ(count({{"q", "nobody"}}), 0);
  EXPECT_EQ(count({{"state", "resolved,passed"}}), 1);
  EXPECT_EQ(count({{"state", "firing,pending,resolved"}}), 3);
  EXPECT_EQ(ask("/api/v1/alerts", {{"state", "firing,"}}).status, 400);
  const auto none = got("/api/v1/alerts", {{"code", "host-down"}});
  EXPECT_EQ(none["codes"], json{"tlsa-mismatch"}) << "to choose from";
  const auto states = got("/api/v1/alerts", {{"limit", "1"}})["states"];
  EXPECT_EQ(states["firing"].get<int>() + states["pending"].get<int>(), 2);
  EXPECT_EQ(states["resolved"], 1);
  const auto first = got("/api/v1/alerts", {{"limit", "2"}});
  EXPECT_THAT(first["items"], SizeIs(2));
  const auto second = got("/api/v1/alerts", {{"limit", "2"}, {"cursor", first["next"]}});
  ASSERT_THAT(second["items"], SizeIs(1));
  EXPECT_EQ(second["items"][0]["id"], "r-1");
  EXPECT_EQ(second["next"], nullptr);
}

TEST_F(Lists, AsATableAllThatFitsIsGiven) {
  share_host(600);
  const auto reply = ask("/api/v1/domains", {{"format", "csv"}, {"group", "many"}});
  EXPECT_THAT(reply.content_type, StartsWith("text/csv"));
  EXPECT_EQ(reply.headers.at("Content-Disposition"), "attachment; filename=\"domains.csv\"");
  EXPECT_EQ(std::ranges::count(reply.body, '\n'), 598);
  EXPECT_THAT(reply.body, StartsWith("domain,role,group,delivery,delivery_since,verdict,"));
  EXPECT_THAT(reply.body, HasSubstr("\r\nd0003.test,inbound,many,held-up,,deferred,"));
  for (const auto* path :
       {"/api/v1/mx", "/api/v1/findings", "/api/v1/alerts", "/api/v1/acts", "/api/v1/history"})
    EXPECT_THAT(ask(path, {{"format", "csv"}}).content_type, StartsWith("text/csv")) << path;
  EXPECT_EQ(ask("/api/v1/mx", {{"format", "tsv"}}).status, 400);
}

// ---- our own fault

// As when the resolver dies: what was judged becomes unknown, and why is known.
class Blind : public Lists {
 protected:
  Blind() {
    auto& snapshot = service_.snapshot;
    auto unseen = std::make_shared<probes::DomainObservation>();
    unseen->domain = *probes::dns::Name::parse("example.test");
    unseen->observed_at = kNow + kMinute;
    auto state = snapshot.domains[0];
    state.judged = std::make_shared<const probes::DomainJudgement>(
        probes::judge_blind(unseen, "dns", "no answer"));
    snapshot.domains.set(0, state);
    service_.store.record({.at = kNow + kMinute, .judged = {state}});
    snapshot.vantage = {{.check = "dns",
                         .is_up = false,
                         .detail = "192.0.2.53 gives no answer",
                         .checked_at = kNow + kMinute}};
    snapshot.resolvers = {{.resolver = "192.0.2.53", .is_validating = std::nullopt},
                          {.resolver = "192.0.2.54", .is_validating = true}};
    auto alert = support::alert("m-1", agent::AlertState::firing, kNow - kMinute);
    alert.finding.code = probes::Code::monitor_fault;
    alert.cause = {.kind = probes::Subject::Kind::monitor, .name = "dns"};
    snapshot.alerts = {alert};
  }
};

TEST_F(Blind, TheStatusSaysSinceWhenAndWhyAndWhatWasKnownLast) {
  const auto status = got("/api/v1/status");
  EXPECT_EQ(status["blind"], json::parse(R"({"since":"2027-01-15T07:59:00Z",
      "causes":[{"check":"dns","detail":"192.0.2.53 gives no answer",
                 "since":"2027-01-15T07:59:00Z"}],
      "resolvers":["192.0.2.53"]})"));
  EXPECT_EQ(status["delivery"]["held-up"]["inbound"], 0);
  EXPECT_EQ(status["last_known"]["at"], "2027-01-15T08:00:00Z");
  EXPECT_EQ(status["last_known"]["delivery"]["held-up"]["inbound"], 1);
  EXPECT_EQ(status["last_known"]["delivery"]["unknown"]["outbound"], 1) << "never looked at";
  EXPECT_EQ(status["notifiers_configured"], true);
  service_.snapshot.vantage = {{.check = "dns", .checked_at = kNow}};
  EXPECT_EQ(got("/api/v1/status")["blind"], nullptr);
  EXPECT_EQ(got("/api/v1/status")["last_known"], nullptr);
}

TEST_F(Blind, OneWayOutThatFailsDoesNotBlind) {
  service_.snapshot.vantage = {
      {.check = "smtp_ipv4", .checked_at = kNow},
      {.check = "smtp_ipv6", .is_up = false, .detail = "unreachable", .checked_at = kNow},
      {.check = "storage", .is_up = false, .detail = "full", .checked_at = kNow}};
  EXPECT_EQ(got("/api/v1/status")["blind"], nullptr);
}

TEST_F(Blind, DomainsAndHostsKeepWhatWasSeenLastMarkedAsStale) {
  const auto domain = got("/api/v1/domains/example.test");
  EXPECT_EQ(domain["delivery"], "unknown");
  const auto& known = domain["last_known"];
  EXPECT_EQ(known["stale"], true);
  EXPECT_EQ(known["observed_at"], "2027-01-15T08:00:00Z");
  EXPECT_EQ(known["delivery"], "held-up");
  EXPECT_EQ(known["verdict"], "deferred");
  EXPECT_EQ(known["hosts"][0]["host"], "mx.example.test");
  const auto host = got("/api/v1/mx/mx.example.test");
  EXPECT_EQ(host["last_known"]["verdict"], "refused");
  EXPECT_EQ(host["last_known"]["delivery"], "held-up");
  EXPECT_EQ(host["last_known"]["domains_count"], 1);
  // However long it lasts.
  service_.store.record({.at = kNow + 2 * kMinute, .judged = {service_.snapshot.domains[0]}});
  EXPECT_EQ(got("/api/v1/domains/example.test")["last_known"], known);
}

TEST_F(Blind, ListsAreFilteredAndSortedByWhatWasKnownLast) {
  const auto count = [&](const std::string& path, const Query& query) {
    return got(path, query)["total"];
  };
  for (const auto& [name, word] : Query{{"delivery", "held-up"},
                                        {"verdict", "deferred"},
                                        {"code", "tlsa-mismatch"},
                                        {"mx", "mx.example.test"}})
    EXPECT_EQ(count("/api/v1/domains", {{name, word}}), 1) << name;
  EXPECT_EQ(count("/api/v1/domains", {{"delivery", "unknown"}}), 2) << "which it is, too";
  EXPECT_EQ(count("/api/v1/domains", {{"delivery", "fine"}}), 0);
  const auto first = got("/api/v1/domains", {{"sort", "delivery"}})["items"][0];
  EXPECT_EQ(first["last_known"]["delivery"], "held-up");
  for (const auto& [name, word] : Query{{"delivery", "held-up"}, {"verdict", "refused"}})
    EXPECT_EQ(count("/api/v1/mx", {{name, word}}), 1) << name;
  EXPECT_EQ(count("/api/v1/mx", {{"delivery", "fine"}}), 0);
  const auto host = got("/api/v1/mx")["items"][0];
  EXPECT_EQ(host["delivery"], "unknown");
  EXPECT_EQ(host["domains"], 1);
  EXPECT_EQ(host["last_known"], json::parse(R"({"delivery":"held-up","verdict":"refused",
      "observed_at":"2027-01-15T08:00:00Z"})"));
}

TEST_F(Blind, FindingsOfTheLastLookStayAndSayThatTheyAre) {
  const Query mismatch{{"code", "tlsa-mismatch"}};
  const auto found = got("/api/v1/findings", mismatch)["items"];
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0]["domain"], "example.test");
  EXPECT_THAT(found[0]["fix"], Not(SizeIs(0))) << "as it was told then";
  EXPECT_EQ(found[0]["last_known"]["observed_at"], "2027-01-15T08:00:00Z");
  const auto by_cause = [&](const std::string& code) {
    return got("/api/v1/findings", {{"group_by", "cause"}, {"code", code}})["items"];
  };
  ASSERT_THAT(by_cause("tlsa-mismatch"), SizeIs(1));
  EXPECT_EQ(by_cause("tlsa-mismatch")[0]["last_known"]["observed_at"], "2027-01-15T08:00:00Z");
  EXPECT_THAT(by_cause("tlsa-mismatch")[0]["title"].get<std::string>(),
              HasSubstr("matches no TLSA record"));
  ASSERT_THAT(by_cause("monitor-fault"), SizeIs(1)) << "what is found now is there, too";
  EXPECT_EQ(by_cause("monitor-fault")[0]["last_known"], nullptr);
}

TEST_F(Blind, HostsOutliveARestart) {
  service_.snapshot.hosts = {};  // none was seen since
  const auto host = got("/api/v1/mx/MX.example.test.");
  EXPECT_EQ(host["host"], "mx.example.test");
  EXPECT_EQ(host["delivery"], "unknown");
  EXPECT_EQ(host["last_known"]["delivery"], "held-up");
  EXPECT_EQ(host["domains"], json::array({"example.test"}));
  EXPECT_EQ(host["observed_at"], "2027-01-15T08:00:00Z");
  EXPECT_EQ(host["addresses"], json::array({"192.0.2.1", "2001:db8::1"}));
  EXPECT_EQ(host["tlsa"]["owner"], "_25._tcp.mx.example.test");
  EXPECT_EQ(got("/api/v1/mx", {{"delivery", "held-up"}})["total"], 1);
  EXPECT_EQ(got("/api/v1/mx/mx.example.test/days")["days"].size(), 90U);
  EXPECT_EQ(ask("/api/v1/mx/other.test").status, 404);
}

TEST_F(Blind, TheGateOfAHostThatIsOnlyRememberedIsUnknown) {
  service_.snapshot.hosts = {};
  const auto gate = [&](const std::string& host) {
    return api_.answer(
        {.method = "POST",
         .path = "/api/v1/mx/" + host + "/gate",
         .headers = {{"host", "danelaw.test"}, {"content-type", "application/json"}},
         .body = json{{"pem", support::pem(*support::Pki::get().leaf.certificate)}}.dump()});
  };
  const auto reply = gate("MX.example.test");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const auto said = json::parse(reply.body);
  EXPECT_EQ(said["answer"], "unknown");
  EXPECT_EQ(said["why"], json::array({"The host has not been probed since danelaw started."}));
  EXPECT_EQ(said["observed_at"], "2027-01-15T08:00:00Z");
  EXPECT_EQ(said["records"], json::array()) << "which those would be depends on what is published";
  EXPECT_EQ(gate("other.test").status, 404);
}

TEST_F(Lists, BeforeTheFirstSelfCheckNothingCountsAsChecked) {
  EXPECT_EQ(got("/api/v1/status")["self_checked"], true);
  service_.snapshot.vantage = {{.check = "domain_list:partners", .checked_at = kNow}};
  const auto status = got("/api/v1/status");
  EXPECT_EQ(status["self_checked"], false);
  EXPECT_EQ(status["blind"], nullptr);
  EXPECT_EQ(status["last_known"]["delivery"]["held-up"]["inbound"], 1);
}

TEST_F(Lists, MailThatIsDeliveredDoesNotBounce) {
  auto& alert = service_.snapshot.alerts.renew(0);
  alert.hits = {
      {.subject = alert.finding.subject, .domains = {"example.test"}, .holds_mail = true}};
  const auto kinds = [&] {
    std::set<std::string> out;
    const auto list = got("/api/v1/deadlines");
    for (const auto& one : list["items"]) out.insert(one["kind"].get<std::string>());
    return out;
  };
  EXPECT_THAT(kinds(), testing::Contains("mail-bounces"));
  auto judged = *service_.snapshot.domains[0].judged;
  judged.verdict = probes::Verdict::authenticated;  // only rare senders wait
  for (std::size_t i = 0; i < judged.hosts.size(); ++i)
    judged.hosts.change(i).verdict = probes::Verdict::authenticated;
  service_.snapshot.domains.change(0, [&](auto& state) {
    state.judged = std::make_shared<const probes::DomainJudgement>(std::move(judged));
  });
  EXPECT_THAT(kinds(), Not(testing::Contains("mail-bounces")));
}

TEST_F(Lists, AnMxHostNamesTheWorstThatIsFoundAtIt) {
  EXPECT_EQ(got("/api/v1/mx/mx.example.test")["worst_finding"]["code"], "tlsa-mismatch");
}

TEST_F(Lists, NothingIsStaleWhileLooksCanTell) {
  EXPECT_EQ(got("/api/v1/domains/example.test")["last_known"], nullptr);
  EXPECT_EQ(got("/api/v1/domains/new.test")["last_known"], nullptr) << "never seen";
  EXPECT_EQ(got("/api/v1/mx/mx.example.test")["last_known"], nullptr);
}

TEST(Csv, QuotesWhatHasToBeAndDisarmsFormulas) {
  constexpr web::Column kColumns[] = {{"a", "/a"}, {"b", "/b/c"}};
  const auto line = [&](const nlohmann::ordered_json& a) {
    const auto text = web::csv_of(kColumns, nlohmann::ordered_json::array({{{"a", a}}}));
    return text.substr(5);  // the names
  };
  EXPECT_EQ(web::csv_of(kColumns, nlohmann::ordered_json::array({{{"a", 1}, {"b", {{"c", "x"}}}}})),
            "a,b\r\n1,x\r\n");
  EXPECT_EQ(line("a,b"), "\"a,b\",\r\n");
  EXPECT_EQ(line("say \"hi\""), "\"say \"\"hi\"\"\",\r\n");
  EXPECT_EQ(line("two\nlines"), "\"two\nlines\",\r\n");
  for (const auto* formula : {"=1+1", "+1", "-1", "@SUM(A1)", "\tx"})
    EXPECT_EQ(line(formula), "'" + std::string(formula) + ",\r\n");
  EXPECT_EQ(line("=HYPERLINK(\"x\",\"y\")"), "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\",\r\n");
  EXPECT_EQ(line(-5), "-5,\r\n") << "a number is none";
  EXPECT_EQ(line(nullptr), ",\r\n");
  EXPECT_EQ(line({"a", "b"}), "a b,\r\n");
}

}  // namespace

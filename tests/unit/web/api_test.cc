#include "web/routes/api.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/web/service.h"
#include "web/routes/page.h"

namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Key;
using testing::Not;
using testing::Pair;
using testing::SizeIs;
using testing::StartsWith;
using testing::UnorderedElementsAre;
using web::Reply;
using web::Request;

using Texts = std::map<std::string, std::string>;

class ApiTest : public testing::Test {
 protected:
  Reply ask(Request request) {
    request.headers.try_emplace("host", "danelaw.test:9672");
    return api_.answer(request);
  }
  Reply get(const std::string& path, const Texts& query = {}) {
    return ask({.method = "GET", .path = path, .query = query});
  }
  Reply post(const std::string& path,
             const Texts& headers = {{"content-type", "application/json"}}) {
    return ask({.method = "POST", .path = path, .headers = headers});
  }
  // A reply of 200 as JSON.
  json ok(const std::string& path, const Texts& query = {}) {
    const auto reply = get(path, query);
    EXPECT_EQ(reply.status, 200) << path;
    EXPECT_EQ(reply.content_type, "application/json") << path;
    return json::parse(reply.body);
  }

  support::Service service_;
  web::Api api_{service_.backend(), {.hosts = {"danelaw.test", "[::1]"}}};
};

std::vector<std::string> keys(const json& object) {
  std::vector<std::string> out;
  for (const auto& [key, value] : object.items()) out.push_back(key);
  return out;
}

// An error as RFC 9457 has it; hands back its detail.
std::string expect_problem(const Reply& reply, int status) {
  EXPECT_EQ(reply.status, status);
  EXPECT_EQ(reply.content_type, "application/problem+json");
  const auto body = json::parse(reply.body);
  EXPECT_THAT(keys(body), UnorderedElementsAre("type", "title", "status", "detail"));
  EXPECT_EQ(body["status"], status);
  EXPECT_EQ(body["type"], "about:blank");
  EXPECT_FALSE(body["title"].get<std::string>().empty());
  return body["detail"];
}

using Routes = ApiTest;

TEST_F(Routes, AnswerWithTheirTypeAndUnderTheirPatternForTheMetrics) {
  struct Row {
    std::string path;
    int status;
    std::string type, handler;
  };
  const std::string text = "text/plain; charset=utf-8";
  const std::string html = "text/html; charset=utf-8";
  const std::string problem = "application/problem+json";
  const Row rows[] = {
      {"/-/healthy", 200, text, "/-/healthy"},
      {"/-/ready", 200, text, "/-/ready"},
      {"/metrics", 200, "text/plain; version=0.0.4; charset=utf-8", "/metrics"},
      {"/api/v1/status", 200, "application/json", "/api/v1/status"},
      {"/api/v1/agents", 200, "application/json", "/api/v1/agents"},
      {"/api/v1/domains", 200, "application/json", "/api/v1/domains"},
      {"/api/v1/domains/example.test", 200, "application/json", "/api/v1/domains/{name}"},
      {"/api/v1/alerts", 200, "application/json", "/api/v1/alerts"},
      {"/", 200, html, "page"},
      {"/domains", 200, html, "page"},
      {"/domains/example.test", 200, html, "page"},
      {"/alerts", 200, html, "page"},
      {"/status", 200, html, "page"},
      {"/silences", 200, html, "page"},
      {"/plan", 200, html, "page"},
      {"/findings", 200, html, "page"},
      {"/findings/tlsa-mismatch", 200, html, "/findings/{code}"},
      {"/findings/<b>", 404, text, "/findings/{code}"},
      {"/history", 200, html, "page"},
      {"/diff", 200, html, "page"},
      {"/certificates", 200, html, "page"},
      {"/mx/mx.example.test", 200, html, "page"},
      {"/mx/a/b", 404, text, "none"},
      {"/mx", 200, html, "page"},
      {"/assets/app.js", 200, "text/javascript; charset=utf-8", "/assets"},
      {"/assets/views.js", 200, "text/javascript; charset=utf-8", "/assets"},
      {"/assets/app.css", 200, "text/css; charset=utf-8", "/assets"},
      {"/domains/a/b", 404, text, "none"},
      {"/favicon.ico", 404, text, "none"},
      {"/assets/../api.cc", 404, text, "none"},
      {"", 404, text, "none"},
      {"/api/v1/other", 404, problem, "none"},
      {"/api/v1/domains/", 404, problem, "none"},
      {"/api/v1/domains/other.test", 404, problem, "none"},
      {"/api/v1/domains/.", 404, problem, "none"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.path);
    const auto reply = get(row.path);
    EXPECT_EQ(reply.status, row.status);
    EXPECT_EQ(reply.content_type, row.type);
    EXPECT_EQ(reply.handler, row.handler);
    EXPECT_THAT(reply.body, Not(IsEmpty()));
  }
}

TEST_F(Routes, OfThePageServeThePageItsScriptsAndItsStyle) {
  EXPECT_THAT(get("/domains/example.test").body, StartsWith("<!doctype html>"));
  EXPECT_EQ(get("/").body, get("/status").body);
  EXPECT_THAT(get("/assets/views.js").body, HasSubstr("/api/v1/"));
  EXPECT_THAT(get("/assets/app.css").body, HasSubstr("{"));
}

TEST_F(Routes, AssetsAreKeptForEverUnderTheNameThatChangesWithThem) {
  const auto page = get("/");
  EXPECT_EQ(page.headers.at("Cache-Control"), "no-cache");
  const std::map<std::string, std::string> asked_for_by{
      {"app.js", "/"}, {"chunk.js", "/"}, {"app.css", "/"}, {"views.js", "/assets/app.js"}};
  for (const auto& [name, by] : asked_for_by) {
    const auto* asset = web::page_asset(name);
    ASSERT_NE(asset, nullptr) << name;
    EXPECT_THAT(get(by).body, AllOf(HasSubstr("/" + asset->lasting_name + "\""),
                                    Not(HasSubstr("/" + name + "\""))));
    const auto kept = get("/assets/" + asset->lasting_name);
    EXPECT_EQ(kept.headers.at("Cache-Control"), "private, max-age=31536000, immutable");
    EXPECT_EQ(get("/assets/" + name).body, kept.body);
    EXPECT_EQ(get("/assets/" + name).headers.at("Cache-Control"), "no-cache");
  }
  EXPECT_THAT(get("/assets/views.js").body,
              HasSubstr("/" + web::page_asset("chunk.js")->lasting_name + "\""));
  for (const auto* name : {"app.0123456789abcdef.js", "app..js", "app.js.js", "other.css"}) {
    const auto gone = get("/assets/" + std::string(name));
    EXPECT_EQ(gone.status, 404) << name;
    EXPECT_EQ(gone.headers.at("Cache-Control"), "no-store");
  }
}

TEST_F(Routes, SayReadyOnlyWhenTheAgentIs) {
  EXPECT_EQ(get("/-/ready").body, "ready\n");
  service_.is_ready = false;
  EXPECT_EQ(get("/-/ready").status, 503);
  EXPECT_EQ(get("/-/ready").body, "not ready\n");
  EXPECT_EQ(get("/-/healthy").status, 200);
}

TEST_F(Routes, TellThatTheHistoryCannotBeReadWithoutStopping) {
  service_.store.outside().execute("DROP TABLE domain; DROP TABLE alert; DROP TABLE version");
  EXPECT_THAT(expect_problem(get("/api/v1/domains/example.test/history"), 500),
              HasSubstr("version"));
  EXPECT_EQ(get("/metrics").status, 200);
}

TEST_F(Routes, SayWhatTheAgentKnowsWhateverTheFileSays) {
  service_.store.outside().execute("DROP TABLE domain; DROP TABLE alert");
  service_.snapshot.storage_fault = "disk full";
  service_.snapshot.unrecorded_rounds = 7;
  const auto status = json::parse(get("/api/v1/status").body);
  EXPECT_EQ(status["counts"]["critical"], 1);
  EXPECT_EQ(status["storage"]["fault"], "disk full");
  EXPECT_EQ(status["storage"]["unrecorded_rounds"], 7);
  const auto alerts = json::parse(get("/api/v1/alerts").body);
  ASSERT_EQ(alerts["items"].size(), 2U);
  EXPECT_EQ(alerts["items"][0]["id"], "f-1");
  EXPECT_EQ(json::parse(get("/api/v1/alerts/f-1").body)["state"], "firing");
  EXPECT_EQ(ok("/api/v1/domains", {{"status", "critical"}})["total"], 1);
  EXPECT_EQ(json::parse(get("/api/v1/domains/example.test").body)["verdict"], "deferred");
  EXPECT_THAT(get("/metrics").body, HasSubstr("danelaw_domains{status=\"critical\"} 1"));
}

TEST_F(Routes, AreNotReadyWhileNothingIsRecordedAndNotHealthyWhileNobodyLooks) {
  service_.health.unrecorded = "/secret/path: disk full";
  EXPECT_EQ(get("/-/ready").status, 503);
  EXPECT_EQ(get("/-/ready").body, "not ready: nothing is recorded\n") << "anybody may ask";
  EXPECT_EQ(get("/-/healthy").status, 200) << "a restart would not help";
  service_.health = {.stall = "a worker is stuck"};
  EXPECT_EQ(get("/-/ready").status, 503);
  EXPECT_EQ(get("/-/healthy").status, 503);
  EXPECT_THAT(get("/-/healthy").body, HasSubstr("stuck"));
}

TEST_F(Routes, AnAlertTellsWhomMemoryAloneReached) {
  agent::ResilientOutbox::Sent sent{.notification = {.notifier = "chat", .at = support::kNow},
                                    .delivered_at = support::kNow};
  service_.unrecorded = {sent};
  const auto notices = json::parse(get("/api/v1/alerts/f-1").body)["notices"];
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0]["notifier"], "chat");
  EXPECT_FALSE(notices[0]["delivered_at"].is_null());
}

TEST_F(Routes, AScrapeIsToldWithItsSize) {
  const auto body = get("/metrics").body;
  EXPECT_EQ(service_.scraped, web::series_in(body));
  EXPECT_GT(service_.scraped, 100U);
}

// ---- the JSON of the contract

TEST_F(Routes, StatusHasTheAgentItsSensesAndTheCounts) {
  EXPECT_EQ(ok("/api/v1/agents"), json::parse(R"({"items": [{"name": "mon1", "vantage": "dc1",
      "is_leader": true, "last_seen_at": "2027-01-15T08:00:00Z", "looks": 7, "fault": null}], "next": null})"));
  auto status = ok("/api/v1/status");
  status["storage"].erase("size_bytes");
  EXPECT_EQ(status, json::parse(R"({
    "version": "1.2.3", "started_at": "2027-01-15T08:00:00Z", "now": "2027-01-15T08:01:00Z",
    "config": {"domains": 2, "services": 0, "mx_hosts": 1, "interval": 900},
    "scheduler": {"queue_length": 0, "in_flight": 0, "lag_seconds": 0, "rounds": 2,
                  "last_round_at": "2027-01-15T08:00:00Z", "stall": null},
    "self_checked": true,
    "vantage": [
      {"check": "dns", "up": true, "limit": false, "detail": null, "checked_at": "2027-01-15T08:00:00Z",
       "since": null},
      {"check": "clock", "up": false, "limit": false, "detail": "an hour\\x0alate",
       "checked_at": "2027-01-15T08:00:00Z", "since": "2027-01-15T08:00:00Z"}],
    "blind": {"since": "2027-01-15T08:00:00Z", "resolvers": ["192.0.2.53"],
              "causes": [{"check": "clock", "detail": "an hour\\x0alate",
                          "since": "2027-01-15T08:00:00Z"}]},
    "last_known": {"at": "2027-01-15T08:00:00Z",
                   "delivery": {"held-up": {"inbound": 1, "outbound": 0},
                                "unprotected": {"inbound": 0, "outbound": 0},
                                "at-risk": {"inbound": 0, "outbound": 0},
                                "fine": {"inbound": 0, "outbound": 0},
                                "unknown": {"inbound": 0, "outbound": 1}}},
    "spared": [], "domain_lists": [], "resolvers": [{"resolver": "192.0.2.53", "validating": true}],
    "reload": {"successful": false, "succeeded_at": "2027-01-15T08:00:00Z"},
    "storage": {"errors": 1, "fault": null, "unrecorded_rounds": 0, "lost_rounds": 0},
    "tlsrpt": {"folder_fault": "it cannot be read"},
    "notifiers_configured": true,
    "notifiers": [{"name": "chat", "tells_people": true, "waiting": 2, "delivered": 5, "failed": 1,
                   "last_success_at": "2027-01-15T08:00:00Z", "fault": "answered 500: oh\\x0ano"}],
    "counts": {"ok": 0, "warning": 0, "critical": 1, "unknown": 1},
    "delivery": {"held-up": {"inbound": 1, "outbound": 0},
                 "unprotected": {"inbound": 0, "outbound": 0},
                 "at-risk": {"inbound": 0, "outbound": 0}, "fine": {"inbound": 0, "outbound": 0},
                 "unknown": {"inbound": 0, "outbound": 1}},
    "held_up_lately": 1,
    "open_alerts": 1, "rollovers_under_way": 0})"));
  service_.snapshot.last_round_at.reset();
  EXPECT_TRUE(ok("/api/v1/status")["scheduler"]["last_round_at"].is_null());
}

TEST_F(Routes, StatusHasEachListFromElsewhere) {
  std::vector<std::string> lost(150, "a.test");
  service_.snapshot.lists = {
      {.name = "one",
       .source = "https://one.test/",
       .domains = 7,
       .missing = 1,
       .read_at = support::kNow},
      {.name = "two",
       .source = "https://two.test/",
       .fault = "an\nerror",
       .failures = 2,
       .refusal = agent::ListHealth::Refusal{.since = support::kNow, .lost = lost, .of = 200}}};
  auto lists = ok("/api/v1/status")["domain_lists"];
  EXPECT_THAT(lists[1]["refused"]["names"], SizeIs(100)) << "of many, some";
  lists[1]["refused"].erase("names");
  EXPECT_EQ(lists, json::parse(R"([
    {"name": "one", "source": "https://one.test/", "domains": 7, "missing": 1,
     "read_at": "2027-01-15T08:00:00Z", "fault": null, "failures": 0, "refused": null},
    {"name": "two", "source": "https://two.test/", "domains": 0, "missing": 0, "read_at": null,
     "fault": "an\\x0aerror", "failures": 2,
     "refused": {"since": "2027-01-15T08:00:00Z", "lost": 150, "of": 200}}])"));
}

TEST_F(Routes, DomainsListsSeenAndUnseenOnesAlike) {
  auto list = ok("/api/v1/domains");
  EXPECT_THAT(list["items"][0]["worst_finding"]["title"], HasSubstr("mx.example.test"));
  list["items"][0]["worst_finding"].erase("title");
  EXPECT_EQ(list, json::parse(R"({"next": null, "total": 2, "items": [
    {"domain": "example.test", "role": "inbound", "group": "ours", "verdict": "deferred",
     "weakest": "deferred", "severity": "critical", "status": "critical", "delivery": "held-up",
     "delivery_since": "2027-01-15T08:00:00Z", "last_known": null,
     "worst_finding": {"code": "tlsa-mismatch", "severity": "critical"},
     "mx_hosts": 1, "dane_mx_hosts": 1, "observed_at": "2027-01-15T08:00:00Z",
     "next_check_at": "2027-01-15T08:15:00Z", "alerts": 1},
    {"domain": "new.test", "role": "outbound", "group": "partners", "verdict": null,
     "weakest": null, "severity": "info", "status": "unknown", "delivery": "unknown",
     "delivery_since": null, "last_known": null, "worst_finding": null,
     "mx_hosts": null, "dane_mx_hosts": null, "observed_at": null,
     "next_check_at": "2027-01-15T08:00:00Z", "alerts": 0}]})"));
}

TEST_F(Routes, DomainsGoesPageByPageUntilNextIsNull) {
  const auto first = ok("/api/v1/domains", {{"limit", "1"}});
  EXPECT_THAT(first["items"], SizeIs(1));
  EXPECT_EQ(first["next"], "1");
  const auto second = ok("/api/v1/domains", {{"limit", "1"}, {"cursor", first["next"]}});
  EXPECT_EQ(second["items"][0]["domain"], "new.test");
  EXPECT_TRUE(second["next"].is_null());
  const auto beyond = ok("/api/v1/domains", {{"cursor", "18446744073709551615"}});
  EXPECT_THAT(beyond["items"], IsEmpty());
  EXPECT_TRUE(beyond["next"].is_null());
}

TEST_F(Routes, DomainsFiltersAndSorts) {
  const auto names = [this](const Texts& query) {
    std::vector<std::string> out;
    const auto list = ok("/api/v1/domains", query);
    for (const auto& item : list["items"]) out.push_back(item["domain"]);
    return out;
  };
  EXPECT_THAT(names({{"q", "new"}}), ElementsAre("new.test"));
  EXPECT_THAT(names({{"q", "%"}}), IsEmpty());
  EXPECT_THAT(names({{"status", "critical"}}), ElementsAre("example.test"));
  EXPECT_THAT(names({{"status", ""}, {"q", ""}}), ElementsAre("example.test", "new.test"));
  EXPECT_THAT(names({{"sort", "status"}}), ElementsAre("example.test", "new.test"));
  EXPECT_THAT(names({{"delivery", "held-up"}}), ElementsAre("example.test"));
  EXPECT_THAT(names({{"delivery", "unknown"}}), ElementsAre("new.test"));
  EXPECT_THAT(names({{"delivery", "fine"}}), IsEmpty());
  EXPECT_THAT(names({{"role", "outbound"}}), ElementsAre("new.test"));
  EXPECT_THAT(names({{"delivery", "held-up"}, {"role", "outbound"}}), IsEmpty());
  EXPECT_THAT(names({{"delivery", ""}, {"role", ""}}), ElementsAre("example.test", "new.test"));
  EXPECT_THAT(names({{"sort", "delivery"}}), ElementsAre("example.test", "new.test"));
  EXPECT_THAT(names({{"group", "ours"}}), ElementsAre("example.test"));
  EXPECT_THAT(names({{"group", ""}}), ElementsAre("example.test", "new.test"));
  EXPECT_THAT(names({{"sort", "observed_at"}}), ElementsAre("new.test", "example.test"));
}

TEST_F(Routes, ADomainIsTheCheckObjectWithItsAlerts) {
  const auto domain = ok("/api/v1/domains/example.test");
  EXPECT_THAT(keys(domain), IsSupersetOf({"schema", "domain", "observed_at", "verdict", "weakest",
                                          "severity", "splits", "mx", "hosts", "findings", "role",
                                          "group", "rollover", "alerts", "next_check_at"}));
  EXPECT_EQ(domain["schema"], "danelaw.check/1");
  EXPECT_EQ(domain["verdict"], "deferred");
  EXPECT_EQ(domain["hosts"][0]["host"], "mx.example.test");
  EXPECT_EQ(domain["next_check_at"], "2027-01-15T08:15:00Z");
  EXPECT_THAT(domain["alerts"], SizeIs(2));
  EXPECT_EQ(domain["alerts"][0]["id"], "f-1");
  // However the name is written.
  EXPECT_EQ(ok("/api/v1/domains/EXAMPLE.test."), domain);
}

TEST_F(Routes, ADomainNeverLookedAtHasTheSameKeysAndNoVerdict) {
  const auto seen = ok("/api/v1/domains/example.test");
  const auto unseen = ok("/api/v1/domains/new.test");
  EXPECT_EQ(keys(unseen), keys(seen));
  for (const auto* key : {"verdict", "weakest", "mx", "observed_at", "rollover"})
    EXPECT_TRUE(unseen[key].is_null()) << key;
  EXPECT_TRUE(seen["partner"].is_null()) << "mail to us has no postmaster but us";
  EXPECT_EQ(keys(unseen["partner"]),
            (std::vector<std::string>{"exception", "postmaster_text", "proposed_exception"}));
  for (const auto* key : {"splits", "hosts", "findings", "alerts"})
    EXPECT_EQ(unseen[key], json::array()) << key;
  EXPECT_EQ(unseen["domain"], "new.test");
  EXPECT_EQ(unseen["role"], "outbound");
}

TEST_F(Routes, DeadlinesAreTheSoonestOfEachKindInOrder) {
  const auto items = ok("/api/v1/deadlines")["items"];
  std::set<std::string> kinds;
  std::string last;
  for (const auto& one : items) {
    kinds.insert(one["kind"].get<std::string>());
    EXPECT_GE(one["at"].get<std::string>(), last);
    EXPECT_GT(one["at"], "2027-01-15T08:01:00Z") << "what is past is no deadline";
    last = one["at"];
  }
  EXPECT_THAT(kinds, IsSupersetOf({"certificate-end"}));
  auto judged = *service_.snapshot.domains[0].judged;
  judged.findings.push_back(
      {.code = probes::Code::predicted_mismatch,
       .subject = {.kind = probes::Subject::Kind::host, .name = "mx.example.test"},
       .due_at = support::kNow + std::chrono::hours{1},
       .due_source = "habit"});
  service_.snapshot.domains.change(0, [&](auto& state) {
    state.judged = std::make_shared<const probes::DomainJudgement>(std::move(judged));
  });
  EXPECT_EQ(ok("/api/v1/deadlines")["items"][0], json::parse(R"({"at": "2027-01-15T09:00:00Z",
    "kind": "publish-by", "subject": {"kind": "host", "name": "mx.example.test"}, "source": "habit"})"));
  EXPECT_EQ(get("/api/v1/deadlines", {{"limit", "0"}}).status, 400);
  EXPECT_EQ(get("/api/v1/deadlines", {{"most", "1"}}).status, 400);
}

TEST_F(Routes, AlertsListsAllOrThoseOfAState) {
  const auto list = ok("/api/v1/alerts");
  EXPECT_THAT(list["items"], SizeIs(3));
  EXPECT_TRUE(list["next"].is_null());
  const auto& firing = list["items"][0];
  EXPECT_THAT(keys(firing),
              IsSupersetOf({"id", "state", "code", "severity", "subject", "title", "explanation",
                            "fix", "evidence", "references", "tlsrpt", "domains", "first_seen_at",
                            "last_seen_at", "opened_at", "resolved_at"}));
  EXPECT_EQ(firing["id"], "f-1");
  EXPECT_EQ(firing["code"], "tlsa-mismatch");
  EXPECT_EQ(firing["domains"], json::array({"example.test"}));
  EXPECT_EQ(firing["opened_at"], "2027-01-15T08:00:00Z");
  EXPECT_TRUE(firing["resolved_at"].is_null());
  EXPECT_THAT(ok("/api/v1/alerts", {{"state", ""}})["items"], SizeIs(3));
  const auto resolved = ok("/api/v1/alerts", {{"state", "resolved"}})["items"];
  ASSERT_THAT(resolved, SizeIs(1));
  EXPECT_EQ(resolved[0]["id"], "r-1");
}

// ---- what is refused

TEST_F(Routes, RefuseParametersTheyDoNotKnowAndSayWhich) {
  const std::tuple<std::string, std::string, std::string> rows[] = {
      {"/api/v1/domains", "limit", "0"},
      {"/api/v1/domains", "limit", "501"},
      {"/api/v1/domains", "limit", "-1"},
      {"/api/v1/domains", "limit", "1e2"},
      {"/api/v1/domains", "limit", ""},
      {"/api/v1/domains", "cursor", "-1"},
      {"/api/v1/domains", "cursor", "x"},
      {"/api/v1/domains", "cursor", "99999999999999999999"},
      {"/api/v1/domains", "status", "good"},
      {"/api/v1/domains", "sort", "name; DROP TABLE"},
      {"/api/v1/domains", "colour", "red"},
      {"/api/v1/alerts", "state", "sleeping"},
      {"/api/v1/alerts", "status", "firing"},
      {"/api/v1/alerts", "limit", "501"},
      {"/api/v1/domains", "delivery", "well"},
      {"/api/v1/domains", "role", "ours"},
      {"/api/v1/findings", "code", "tlsa"},
      {"/api/v1/findings", "severity", "bad"},
      {"/api/v1/status", "verbose", "1"},
      {"/api/v1/domains/example.test", "from", "0"},
      {"/api/v1/domains/example.test/history", "from", "yesterday"},
      {"/api/v1/domains/example.test/history", "until", "0"},
      {"/api/v1/mx/mx.example.test", "from", "0"},
  };
  for (const auto& [path, name, value] : rows) {
    EXPECT_EQ(expect_problem(get(path, {{name, value}}), 400), name + "=" + value);
  }
}

TEST_F(Routes, EscapeWhatTheyQuote) {
  const std::string hostile = "<script>\"\x1b[2J\r\n\xff\xe2\x80\xae\\";
  const std::string escaped = R"(<script>"\x1b[2J\x0d\x0a\xff\xe2\x80\xae\\)";
  EXPECT_EQ(expect_problem(get("/api/v1/domains/" + hostile), 404), escaped + " is not watched");
  EXPECT_EQ(expect_problem(get("/api/v1/alerts", {{"state", hostile}}), 400), "state=" + escaped);
  EXPECT_EQ(get("/" + hostile).body, "not found\n");
  service_.reload_fault = hostile;
  EXPECT_EQ(expect_problem(post("/-/reload"), 500), escaped);
}

TEST_F(Routes, KnowTheMethodsGetHeadPostAndDelete) {
  for (const auto* method : {"PUT", "PATCH", "OPTIONS", "TRACE", "get"}) {
    const auto reply = ask({.method = method, .path = "/api/v1/domains/example.test"});
    expect_problem(reply, 405);
    EXPECT_THAT(reply.headers, Contains(Pair("Allow", "GET, HEAD, POST, DELETE"))) << method;
  }
  const std::tuple<std::string, std::string, std::string> others[] = {
      {"POST", "/api/v1/domains/example.test", "GET, HEAD"},
      {"GET", "/-/reload", "POST"},
      {"GET", "/api/v1/domains/example.test/check", "POST"},
      {"DELETE", "/api/v1/silences", "GET, HEAD, POST"},
      {"GET", "/api/v1/domains/example.test/exception", "POST, DELETE"},
  };
  for (const auto& [method, path, allowed] : others) {
    const auto reply =
        ask({.method = method, .path = path, .headers = {{"content-type", "application/json"}}});
    expect_problem(reply, 405);
    EXPECT_THAT(reply.headers, Contains(Pair("Allow", allowed))) << method << path;
  }
  expect_problem(post("/api/v1/other"), 404);
  EXPECT_EQ(service_.reloads, 0);
  EXPECT_THAT(service_.checked, IsEmpty());
}

TEST_F(Routes, AnswerOnlyUnderTheirOwnName) {
  const auto status = [this](const std::string& host) {
    return ask({.method = "GET", .path = "/-/healthy", .headers = {{"host", host}}}).status;
  };
  for (const auto* host : {"danelaw.test", "danelaw.test:9672", "DANELAW.Test", "[::1]:9672"})
    EXPECT_EQ(status(host), 200) << host;
  for (const auto* host : {"evil.test", "danelaw.test.evil.test", "evil.test:9672", "", "[::2]",
                           "[::1", "::1", "127.0.0.1"})
    EXPECT_EQ(status(host), 421) << host;
  const auto reply =
      ask({.method = "POST", .path = "/-/reload", .headers = {{"host", "evil.test"}}});
  EXPECT_THAT(expect_problem(reply, 421), HasSubstr("web.external_url"));
  EXPECT_EQ(service_.reloads, 0);
}

// ---- what changes something

TEST_F(Routes, CheckNowTakesTheDomainsThatAreWatched) {
  const auto reply = post("/api/v1/domains/example.test/check");
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(json::parse(reply.body), json({{"domain", "example.test"}}));
  expect_problem(post("/api/v1/domains/other.test/check"), 404);
  EXPECT_THAT(service_.checked, ElementsAre("example.test", "other.test"));
  expect_problem(post("/api/v1/domains//check"), 404);
  expect_problem(post("/api/v1/domains/check"), 405);
  EXPECT_THAT(service_.checked, SizeIs(2));
}

TEST_F(Routes, CheckNowWantsJsonWhichNoFormOfAnotherSiteCanSend) {
  for (const Texts& headers : {Texts{}, Texts{{"content-type", "text/plain"}},
                               Texts{{"content-type", "application/x-www-form-urlencoded"}},
                               Texts{{"content-type", "text/plain; application/json"}}}) {
    expect_problem(post("/api/v1/domains/example.test/check", headers), 415);
  }
  EXPECT_THAT(service_.checked, IsEmpty());
  EXPECT_EQ(post("/api/v1/domains/example.test/check",
                 {{"content-type", "application/json; charset=utf-8"}})
                .status,
            202);
}

TEST_F(Routes, ReloadTellsWhyTheOldConfigurationStays) {
  EXPECT_EQ(post("/-/reload", {}).body, "reloaded\n");
  service_.reload_fault = "f:1:2: a bad key";
  EXPECT_EQ(expect_problem(post("/-/reload", {}), 500), "f:1:2: a bad key");
  EXPECT_EQ(service_.reloads, 2);
}

TEST_F(Routes, ThatChangeSomethingRefuseOtherSites) {
  const Texts other_sites[] = {
      {{"sec-fetch-site", "cross-site"}},
      {{"sec-fetch-site", "same-site"}},
      {{"sec-fetch-site", "cross-site"}, {"origin", "http://danelaw.test:9672"}},
      {{"origin", "http://evil.test"}},
      {{"origin", "http://danelaw.test"}},  // another port is another origin
      {{"origin", "http://danelaw.test:9672.evil.test"}},
      {{"origin", "null"}},
  };
  const Texts ours[] = {
      {},  // no browser
      {{"sec-fetch-site", "same-origin"}},
      {{"sec-fetch-site", "none"}},
      {{"origin", "http://danelaw.test:9672"}},
  };
  for (const std::string path : {"/-/reload", "/api/v1/domains/example.test/check"}) {
    for (auto headers : other_sites) {
      SCOPED_TRACE(path + " " + json(headers).dump());
      headers["content-type"] = "application/json";
      expect_problem(post(path, headers), 403);
    }
    EXPECT_EQ(service_.reloads, path == "/-/reload" ? 0 : 4);
    EXPECT_THAT(service_.checked, IsEmpty());
    for (auto headers : ours) {
      headers["content-type"] = "application/json";
      EXPECT_LT(post(path, headers).status, 300) << path << " " << json(headers).dump();
    }
  }
}

// ---- of every reply

TEST_F(Routes, SendTheSecurityHeadersWithEveryReply) {
  const Request requests[] = {
      {.method = "GET", .path = "/"},
      {.method = "GET", .path = "/assets/app.js"},
      {.method = "GET", .path = "/metrics"},
      {.method = "GET", .path = "/api/v1/status"},
      {.method = "HEAD", .path = "/"},
      {.method = "GET", .path = "/nothing"},
      {.method = "GET", .path = "/api/v1/nothing"},
      {.method = "GET", .path = "/api/v1/domains", .query = {{"a", "b"}}},
      {.method = "GET", .path = "/", .headers = {{"host", "evil.test"}}},
      {.method = "PUT", .path = "/"},
      {.method = "POST", .path = "/-/reload"},
      {.method = "POST", .path = "/-/reload", .headers = {{"origin", "null"}}},
      {.method = "POST", .path = "/api/v1/domains/example.test/check"},
  };
  for (const auto& request : requests) {
    SCOPED_TRACE(request.method + " " + request.path);
    const auto reply = ask(request);
    EXPECT_THAT(reply.headers,
                IsSupersetOf(Texts{
                    {"X-Content-Type-Options", "nosniff"},
                    {"Referrer-Policy", "no-referrer"},
                    {"Cross-Origin-Opener-Policy", "same-origin"},
                    {"Cross-Origin-Resource-Policy", "same-origin"},
                    {"Cache-Control", request.path == "/" && !request.headers.contains("host") &&
                                              request.method != "PUT"
                                          ? "no-cache"
                                      : request.path.starts_with("/assets/") ? "no-cache"
                                                                             : "no-store"}}));
    const auto policy = reply.headers.at("Content-Security-Policy");
    EXPECT_THAT(policy, StartsWith("default-src 'none'; script-src 'self';"));
    EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'"));
    EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
    EXPECT_THAT(reply.headers, Not(Contains(Key("Access-Control-Allow-Origin"))));
  }
}

TEST_F(Routes, AnswerHeadLikeGetWithoutTheBody) {
  for (const auto* path : {"/", "/metrics", "/api/v1/domains", "/api/v1/nothing", "/nothing"}) {
    const auto whole = get(path);
    const auto head = ask({.method = "HEAD", .path = path});
    EXPECT_EQ(head.status, whole.status) << path;
    EXPECT_EQ(head.content_type, whole.content_type) << path;
    EXPECT_EQ(head.headers, whole.headers) << path;
    EXPECT_THAT(head.body, IsEmpty()) << path;
  }
}

}  // namespace

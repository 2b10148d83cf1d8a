#include "agent/cli/stored_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace agent;
using probes::Status;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Json = nlohmann::ordered_json;

Json agent_that_sees() {
  return {{"version", "1.2.3"},
          {"now", "2027-01-15T08:01:00Z"},
          {"config", {{"domains", 2}}},
          {"open_alerts", 1},
          {"blind", nullptr}};
}

Json domain(const std::string& name, const std::string& status,
            const std::string& delivery = "fine", const Json& worst = nullptr) {
  return {{"domain", name},
          {"status", status},
          {"delivery", delivery},
          {"verdict", "authenticated"},
          {"delivery_since", "2027-01-01T00:00:00Z"},
          {"worst_finding", worst},
          {"observed_at", "2027-01-15T08:00:20Z"}};
}

StoredStatus stored(std::vector<Json> items) {
  return {.url = "http://127.0.0.1:9672", .agent = agent_that_sees(), .items = std::move(items)};
}

TEST(StoredStatus, IsAsBadAsItsWorstRow) {
  EXPECT_EQ(worst_of(stored({domain("a.test", "ok")})), Status::ok);
  EXPECT_EQ(worst_of(stored({domain("a.test", "ok"), domain("b.test", "warning")})),
            Status::warning);
  EXPECT_EQ(worst_of(stored({domain("a.test", "unknown"), domain("b.test", "warning")})),
            Status::unknown);
  EXPECT_EQ(worst_of(stored({domain("a.test", "critical"), domain("b.test", "unknown")})),
            Status::critical);
}

TEST(StoredStatus, SaysInItsHeadWhatIsWatchedAndWhichSelfChecksFail) {
  auto seen = stored({domain("a.test", "ok")});
  EXPECT_THAT(status_text(seen, {}), HasSubstr(": 2 domains, 1 open alert, self-checks OK\n"));
  seen.agent["config"] = {{"domains", 6}, {"services", 2}};
  seen.agent["vantage"] = {{{"check", "dns"}, {"up", true}, {"limit", false}},
                           {{"check", "smtp_ipv6"}, {"up", false}, {"limit", true}},
                           {{"check", "domain_list:inv"}, {"up", false}, {"limit", false}}};
  EXPECT_THAT(status_text(seen, {}), HasSubstr(": 4 domains and 2 services, 1 open alert, "
                                               "self-checks failing: domain_list:inv\n"));
  EXPECT_EQ(worst_of(seen), Status::ok) << "it sees all the same";
}

TEST(StoredStatus, ShowsBackslashesAsTheyCame) {
  const Json said{{"value", "mx\\.(a|b)\\.test"}, {"fault", "a\x1b[31m\\x0ab"}};
  EXPECT_EQ(shown(said, "/value"), "mx\\.(a|b)\\.test") << "to be pasted";
  EXPECT_EQ(shown(said, "/fault"), "a\\x1b[31m\\x0ab") << "the agent has escaped the second";
}

TEST(StoredStatus, NeverTakesWhatItDoesNotUnderstandForWell) {
  EXPECT_EQ(worst_of(stored({})), Status::unknown) << "nothing is watched";
  EXPECT_EQ(worst_of(stored({domain("a.test", "splendid")})), Status::unknown);
  EXPECT_EQ(worst_of(stored({Json{{"domain", "a.test"}}})), Status::unknown);
  EXPECT_EQ(worst_of(stored({Json("a.test"), Json(nullptr), Json::array()})), Status::unknown);
  auto foreign = stored({domain("a.test", "ok")});
  foreign.agent = Json::object();
  EXPECT_EQ(worst_of(foreign), Status::unknown) << "another server";
  auto missing = stored({domain("a.test", "ok")});
  missing.unwatched = {"b.test"};
  EXPECT_EQ(worst_of(missing), Status::unknown) << "one of the names is not watched";
}

TEST(StoredStatus, IsUnknownWhileTheAgentIsBlind) {
  auto blind = stored({domain("a.test", "critical", "held-up")});
  blind.agent["blind"] = {{"since", "2027-01-15T07:00:00Z"},
                          {"causes", {{{"check", "resolver"}, {"detail", "no answer | none"}}}}};
  EXPECT_EQ(worst_of(blind), Status::unknown);
  EXPECT_EQ(
      status_nagios(blind),
      "DANE UNKNOWN: the agent at http://127.0.0.1:9672: it cannot see since "
      "2027-01-15T07:00:00Z: resolver: no answer / none | domains=1 ok=0 warning=0 critical=1 "
      "unknown=0 held_up=1 unprotected=0 alerts=1 oldest=40s\n");
  EXPECT_THAT(status_text(blind, {}), HasSubstr("What follows is what was known before."));
}

TEST(StoredStatus, NamesWhatIsWrongInOneLineForNagios) {
  const Json worst{{"code", "tlsa-mismatch"}, {"title", "No record | fits"}};
  EXPECT_EQ(status_nagios(
                stored({domain("a.test", "ok"), domain("b.test", "critical", "held-up", worst)})),
            "DANE CRITICAL: b.test held-up, No record / fits; and 1 more | domains=2 ok=1 "
            "warning=0 critical=1 "
            "unknown=0 held_up=1 unprotected=0 alerts=1 oldest=40s\n");
  EXPECT_THAT(status_nagios(stored({domain("a.test", "ok"), domain("b.test", "ok")})),
              StartsWith("DANE OK: 2 domains | "));
  auto missing = stored({domain("a.test", "ok")});
  missing.unwatched = {"b.test"};
  EXPECT_THAT(status_nagios(missing),
              StartsWith("DANE UNKNOWN: b.test is not watched; and 1 more | domains=1 "
                         "ok=1 warning=0 critical=0 unknown=1 "));
  auto never = domain("a.test", "unknown", "unknown");
  never["observed_at"] = nullptr;
  EXPECT_THAT(status_nagios(stored({never})), Not(HasSubstr("oldest")));
}

TEST(StoredStatus, JudgesAHostByWhatIsFoundAtIt) {
  Json host{{"host", "mx.a.test"},
            {"status", "ok"},
            {"delivery", "unprotected"},
            {"state", "unknown"},
            {"worst_finding", {{"title", "no TLSA records"}}},
            {"observed_at", "2027-01-15T08:00:20Z"}};
  EXPECT_EQ(status_of_row(host), Status::ok);
  host["status"] = "warning";
  EXPECT_EQ(status_of_row(host), Status::warning);
  EXPECT_THAT(status_nagios(stored({host})),
              StartsWith("DANE WARNING: mx.a.test unprotected, no TLSA records | "));
  host.erase("status");
  EXPECT_EQ(status_of_row(host), Status::unknown);
}

TEST(StoredStatus, ShowsNoControlCharacters) {
  const Json worst{{"title", "\x1b]0;gotcha\x07\n\tx"}};
  auto all = stored({domain("a\x1b[2J.test", "critical", "held-up", worst)});
  all.unwatched = {"b\x1b.test"};
  for (const auto& text : {status_text(all, {.columns = 200}), status_nagios(all)}) {
    EXPECT_THAT(text, Not(HasSubstr("\x1b"))) << text;
    EXPECT_THAT(text, Not(HasSubstr("\x07"))) << text;
  }
}

TEST(StoredStatus, IsOneObjectAsJson) {
  const auto object = status_json(stored({domain("a.test", "warning")}));
  EXPECT_EQ(object["schema"], "danelaw.status/1");
  EXPECT_EQ(object["status"], "warning");
  EXPECT_TRUE(object["blind"].is_null());
  EXPECT_EQ(object["items"][0]["domain"], "a.test");
  EXPECT_EQ(object["agent"]["version"], "1.2.3");
}

}  // namespace

#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/web/service.h"
#include "web/routes/api.h"

namespace {

using nlohmann::json;
using support::kNow;
using testing::HasSubstr;

// Of the day on which the tests take place, by this organization.
json report_of(const std::string& organization) {
  const auto day = config::rfc3339(kNow).substr(0, 10);
  return {
      {"organization-name", organization},
      {"report-id", "1"},
      {"date-range",
       {{"start-datetime", day + "T00:00:00Z"}, {"end-datetime", day + "T23:59:59Z"}}},
      {"policies",
       {{{"policy", {{"policy-type", "tlsa"}, {"policy-domain", "example.test"}}},
         {"summary", {{"total-successful-session-count", 7}, {"total-failure-session-count", 5}}},
         {"failure-details",
          {{{"result-type", "certificate-not-trusted"},
            {"receiving-mx-hostname", "mx.example.test"},
            {"sending-mta-ip", "192.0.2.9"},
            {"failed-session-count", 5}}}}}}}};
}

class Senders : public testing::Test {
 protected:
  web::Reply ask(const std::string& method, const std::string& path, const std::string& body = "",
                 const std::string& type = "application/tlsrpt+json",
                 const std::map<std::string, std::string>& query = {}) {
    return web::Api(service_.backend(), {.hosts = {"danelaw.test"}})
        .answer({.method = method,
                 .path = path,
                 .query = query,
                 .headers = {{"host", "danelaw.test"}, {"content-type", type}},
                 .body = body});
  }
  json post(const json& report) {
    const auto reply = ask("POST", "/api/v1/tlsrpt", report.dump());
    EXPECT_EQ(reply.status, 202) << reply.body;
    return json::parse(reply.body);
  }
  support::Service service_;
};

TEST_F(Senders, ReportIsTakenOnce) {
  const auto report = report_of("Example Inc.");
  EXPECT_EQ(post(report), (json{{"organization", "Example Inc."},
                                {"report_id", "1"},
                                {"policies", 1},
                                {"skipped", 0},
                                {"is_new", true}}));
  EXPECT_EQ(post(report)["is_new"], false);
  EXPECT_EQ(service_.reports, 1) << "nobody is woken for an old one";
}

TEST_F(Senders, ReportIsRefusedWithTheReason) {
  const auto bad = ask("POST", "/api/v1/tlsrpt", "{}");
  EXPECT_EQ(bad.status, 400);
  EXPECT_THAT(bad.body, HasSubstr("no organization"));
  EXPECT_EQ(ask("POST", "/api/v1/tlsrpt", "no gzip", "application/tlsrpt+gzip").status, 400);
  auto ahead = report_of("Example Inc.");
  ahead["date-range"]["end-datetime"] = config::rfc3339(kNow + std::chrono::hours{48});
  EXPECT_THAT(ask("POST", "/api/v1/tlsrpt", ahead.dump()).body, HasSubstr("hours to come"));
  for (const auto* type : {"application/json", "text/plain", "", "application/tlsrpt+jsonx"})
    EXPECT_EQ(ask("POST", "/api/v1/tlsrpt", report_of("X").dump(), type).status, 415) << type;
}

TEST_F(Senders, AreShownByOrganizationDayAndKindHeldAgainstWhatWasSeen) {
  post(report_of("Example Inc."));
  for (const auto* path :
       {"/api/v1/domains/example.test/senders", "/api/v1/mx/mx.example.test/senders"}) {
    const auto reply = json::parse(ask("GET", path).body);
    EXPECT_EQ(reply["is_whole"], true);
    const bool is_host = std::string(path).find("/mx/") != std::string::npos;
    // What succeeded names no host.
    ASSERT_EQ(reply["items"].size(), is_host ? 1U : 2U) << reply;
    const auto& failed = reply["items"][0];
    EXPECT_EQ(failed["day"], config::rfc3339(kNow).substr(0, 10));
    EXPECT_EQ(failed["organization"], "Example Inc.");
    EXPECT_EQ(failed["result_type"], "certificate-not-trusted");
    EXPECT_EQ(failed["sessions"], 5);
    EXPECT_EQ(failed["sending_addresses"], 1);
    EXPECT_EQ(failed["agrees"], "yes") << "the certificate did not match then";
  }
}

TEST_F(Senders, OfTwoReportsOfADayAreAddedUp) {
  post(report_of("Example Inc."));
  auto second = report_of("Example Inc.");
  second["report-id"] = "2";
  post(second);
  const auto items = json::parse(ask("GET", "/api/v1/domains/example.test/senders").body)["items"];
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0]["sessions"], 10);
  EXPECT_EQ(items[1]["sessions"], 14);
  EXPECT_EQ(items[1]["agrees"], nullptr);
}

TEST_F(Senders, AReportIsOfTheDayThatHoldsItsMiddle) {
  const auto day = std::chrono::floor<std::chrono::days>(kNow) - std::chrono::hours{48};
  for (const int east : {-10, -1, 0, 2, 11}) {
    auto report = report_of(fmt::format("{} hours east", east));
    const auto begin = day - std::chrono::hours{east};
    report["date-range"] = {{"start-datetime", config::rfc3339(begin)},
                            {"end-datetime", config::rfc3339(begin + std::chrono::hours{24} -
                                                             std::chrono::seconds{1})}};
    post(report);
  }
  const auto items = json::parse(ask("GET", "/api/v1/domains/example.test/senders").body)["items"];
  ASSERT_EQ(items.size(), 10U);
  for (const auto& one : items)
    EXPECT_EQ(one["day"], config::rfc3339(day).substr(0, 10)) << one["organization"];
}

TEST_F(Senders, OfAnotherTimeOrOfNobodyAreNotShown) {
  post(report_of("Example Inc."));
  const auto then = json::parse(ask("GET", "/api/v1/domains/example.test/senders", "", "",
                                    {{"until", config::rfc3339(kNow - std::chrono::hours{48})}})
                                    .body);
  EXPECT_TRUE(then["items"].empty());
  EXPECT_EQ(ask("GET", "/api/v1/domains/nobody.test/senders").status, 404);
  EXPECT_EQ(ask("GET", "/api/v1/mx/nobody.test/senders").status, 404);
}

}  // namespace

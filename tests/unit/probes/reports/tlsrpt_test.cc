#include "probes/reports/tlsrpt.h"

#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/source_dir.h"

namespace probes::reports {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Json = nlohmann::json;

std::string sample(const std::string& name) {
  std::ifstream file(support::source_dir() / "tests/reports" / fmt::format("{}.json", name));
  return {std::istreambuf_iterator<char>(file), {}};
}

TlsReport read(const std::string& text) {
  auto report = read_tls_report(text);
  EXPECT_TRUE(report) << report.error();
  return report ? *report : TlsReport{};
}

config::Time at(std::string_view text) {
  return config::parse_rfc3339(text).value();
}

// A report in order, to be changed by one thing.
Json plain() {
  return Json::parse(sample("postfix"));
}

Json& policy(Json& report) {
  return report["policies"][0]["policy"];
}
Json& failure(Json& report) {
  return report["policies"][0]["failure-details"][0];
}

TEST(TlsReport, OfGoogleHasFailuresSummedByKindAndHost) {
  const auto report = read(sample("google"));
  EXPECT_EQ(report.organization, "Google Inc.");
  EXPECT_EQ(report.report_id, "2026-11-27T00:00:00Z_example.org");
  EXPECT_EQ(report.from, at("2026-11-27T00:00:00Z"));
  EXPECT_EQ(report.until, at("2026-11-27T23:59:59Z"));
  ASSERT_THAT(report.policies, SizeIs(1));
  const auto& one = report.policies[0];
  EXPECT_EQ(one.type, PolicyType::sts);
  EXPECT_EQ(one.domain, "example.org");
  EXPECT_THAT(one.mx_hosts, ElementsAre("*.backup.example.org", "mx1.example.org"));
  EXPECT_EQ(one.successful, 5326U);
  EXPECT_EQ(one.failed, 303U);
  EXPECT_THAT(one.failures, ElementsAre(FailedSessions{.result_type = "certificate-expired",
                                                       .mx_host = "mx1.example.org",
                                                       .sessions = 103,
                                                       .senders = 2},
                                        FailedSessions{.result_type = "starttls-not-supported",
                                                       .mx_host = "mx2.backup.example.org",
                                                       .sessions = 200,
                                                       .senders = 1,
                                                       .receivers = 1}));
}

TEST(TlsReport, OfMicrosoftMayLackHostsAndFailures) {
  const auto report = read(sample("microsoft"));
  ASSERT_THAT(report.policies, SizeIs(2));
  EXPECT_EQ(report.policies[0].type, PolicyType::tlsa);
  EXPECT_THAT(report.policies[0].mx_hosts, IsEmpty());
  ASSERT_THAT(report.policies[0].failures, SizeIs(2));
  EXPECT_EQ(report.policies[0].failures[0].mx_host, "mx1.example.org");
  EXPECT_EQ(report.policies[1].type, PolicyType::no_policy_found);
  EXPECT_EQ(report.policies[1].successful, 12U);
  EXPECT_THAT(report.policies[1].failures, IsEmpty());
}

TEST(TlsReport, OfComcastHasValuesWhereListsBelongAndCountsInQuotes) {
  const auto report = read(sample("comcast"));
  EXPECT_EQ(report.report_id, "4711");
  EXPECT_EQ(report.until, at("2026-11-28T00:00:00Z"));
  ASSERT_THAT(report.policies, SizeIs(1));
  EXPECT_EQ(report.policies[0].successful, 17U);
  EXPECT_THAT(report.policies[0].mx_hosts, ElementsAre("mx1.example.org"));
  // No count and no host of its own: it is all of the only policy's, at its only host.
  EXPECT_THAT(report.policies[0].failures,
              ElementsAre(FailedSessions{.result_type = "dnssec-invalid",
                                         .mx_host = "mx1.example.org",
                                         .sessions = 2,
                                         .senders = 1}));
}

TEST(TlsReport, OfMailRuHasNamesInOtherScripts) {
  const auto report = read(sample("mailru"));
  EXPECT_EQ(report.until, at("2026-11-27T23:59:59Z"));
  ASSERT_THAT(report.policies, SizeIs(1));
  EXPECT_EQ(report.policies[0].domain, "xn--e1afmkfd.example");
  EXPECT_THAT(report.policies[0].mx_hosts,
              ElementsAre("mx1.xn--e1afmkfd.example", "mx2.xn--e1afmkfd.example"));
}

TEST(TlsReport, OfPostfixNamesTheHostForTheDomainAndHasItsOwnResultTypes) {
  const auto report = read(sample("postfix"));
  ASSERT_THAT(report.policies, SizeIs(1));
  EXPECT_EQ(report.policies[0].domain, "mx1.example.org");
  ASSERT_THAT(report.policies[0].failures, SizeIs(2));
  EXPECT_EQ(report.policies[0].failures[0].result_type, "dane-downgraded-by-policy");
  EXPECT_EQ(report.policies[0].failures[1].receivers, 1U);
}

TEST(TlsReport, IsTakenAsSloppySendersMeanIt) {
  struct Row {
    std::string_view says;
    void (*change)(Json&);
    bool (*holds)(const TlsReport&);
  };
  const auto first = [](const TlsReport& r) -> const Policy& { return r.policies.at(0); };
  static const auto policy_of = first;
  const Row rows[] = {
      {"names of fields with underscores",
       [](Json& r) {
         auto& p = policy(r);
         p["policy_domain"] = p["policy-domain"];
         p.erase("policy-domain");
       },
       [](const TlsReport& r) { return policy_of(r).domain == "mx1.example.org"; }},
      {"a result type in capitals with underscores",
       [](Json& r) { failure(r)["result-type"] = "CERTIFICATE_EXPIRED"; },
       [](const TlsReport& r) {
         return policy_of(r).failures.at(0).result_type == "certificate-expired";
       }},
      {"a known other spelling",
       [](Json& r) { failure(r)["result-type"] = "starttls-not-support"; },
       [](const TlsReport& r) {
         return policy_of(r).failures.at(1).result_type == "starttls-not-supported";
       }},
      {"no result type: the general one", [](Json& r) { failure(r).erase("result-type"); },
       [](const TlsReport& r) {
         return policy_of(r).failures.at(1).result_type == "validation-failure";
       }},
      {"no summary: the failures are counted", [](Json& r) { r["policies"][0].erase("summary"); },
       [](const TlsReport& r) { return policy_of(r).failed == 5 && policy_of(r).successful == 0; }},
      {"a summary that counts fewer failures than there are",
       [](Json& r) { r["policies"][0]["summary"]["total-failure-session-count"] = 1; },
       [](const TlsReport& r) { return policy_of(r).failed == 5; }},
      {"failures in the summary only", [](Json& r) { r["policies"][0].erase("failure-details"); },
       [](const TlsReport& r) {
         const auto& all = policy_of(r).failures;
         return all.size() == 1 && all[0].sessions == 5 && all[0].mx_host == "mx1.example.org" &&
                all[0].result_type == kNotDetailed;
       }},
      {"a summary that counts more failures than are told of",
       [](Json& r) { r["policies"][0]["summary"]["total-failure-session-count"] = 12; },
       [](const TlsReport& r) {
         const auto& all = policy_of(r).failures;
         return policy_of(r).failed == 12 && all.size() == 3 &&
                all[1] == FailedSessions{.result_type = "not-detailed",
                                         .mx_host = "mx1.example.org",
                                         .sessions = 7};
       }},
      {"a result type that we do not know is kept as it is spelled",
       [](Json& r) { failure(r)["result-type"] = " X-New_Kind of\x1b failure "; },
       [](const TlsReport& r) {
         return policy_of(r).failures.at(0).result_type == "X-New_Kind of? failure";
       }},
      {"of an endless result type the first octets",
       [](Json& r) {
         std::string endless = "x";
         for (int i = 0; i < 100; ++i) endless += "\xC3\xA4";
         failure(r)["result-type"] = endless;
       },
       [](const TlsReport& r) {
         return policy_of(r).failures.at(1).result_type.size() == kMostResultType - 1;
       }},
      {"failures of no session are none",
       [](Json& r) {
         failure(r)["failed-session-count"] = 0;
         r["policies"][0]["summary"]["total-failure-session-count"] = 1;
       },
       [](const TlsReport& r) { return policy_of(r).failures.size() == 1; }},
      {"a policy type that we do not know", [](Json& r) { policy(r)["policy-type"] = "dane-next"; },
       [](const TlsReport& r) { return policy_of(r).type == PolicyType::other; }},
      {"one policy that is no list", [](Json& r) { r["policies"] = Json(r["policies"][0]); },
       [](const TlsReport& r) { return r.policies.size() == 1; }},
      {"an MX host that is no name says nothing",
       [](Json& r) { failure(r)["receiving-mx-hostname"] = "[192.0.2.25]"; },
       [](const TlsReport& r) {
         return policy_of(r).failures.at(1).mx_host == "mx1.example.org";  // the only one there is
       }},
      {"an address that is none is not counted",
       [](Json& r) { failure(r)["receiving-ip"] = "mx1"; },
       [](const TlsReport& r) { return policy_of(r).failures.at(1).receivers == 0; }},
      {"an organization in another script, and with control characters",
       [](Json& r) { r["organization-name"] = " Почта\x1b[31m "; },
       [](const TlsReport& r) { return r.organization == "Почта?[31m"; }},
      {"a date without zone",
       [](Json& r) { r["date-range"]["start-datetime"] = "2026-11-27 00:00:00"; },
       [](const TlsReport& r) { return r.from == at("2026-11-27T00:00:00Z"); }},
      {"a date of elsewhere",
       [](Json& r) { r["date-range"]["start-datetime"] = "2026-11-27T01:30:00+0130"; },
       [](const TlsReport& r) { return r.from == at("2026-11-27T00:00:00Z"); }},
      {"dates without a time: whole days",
       [](Json& r) {
         r["date-range"] = {{"start-datetime", "2026-11-27"}, {"end-datetime", "2026-11-27"}};
       },
       [](const TlsReport& r) {
         return r.from == at("2026-11-27T00:00:00Z") && r.until == at("2026-11-27T23:59:59Z");
       }},
      {"a list around it", [](Json& r) { r = Json::array({r}); },
       [](const TlsReport& r) { return r.policies.size() == 1; }},
      {"fields that we do not know",
       [](Json& r) {
         r["x"] = Json::array({1, {{"y", nullptr}}});
       },
       [](const TlsReport& r) { return r.policies.size() == 1; }},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    auto report = plain();
    row.change(report);
    const auto got = read_tls_report(report.dump());
    ASSERT_TRUE(got) << got.error();
    EXPECT_TRUE(row.holds(*got));
  }
}

// One part that is malformed says nothing, and no less about the others.
TEST(TlsReport, IsTakenWithoutWhatIsMalformedInIt) {
  struct Row {
    std::string_view says;
    void (*change)(Json&);
    std::size_t skipped, policies;
    std::uint64_t not_detailed;  // sessions of the first policy
  };
  const Row rows[] = {
      {"nothing", [](Json&) {}, 0, 1, 0},
      {"no policy", [](Json& r) { r["policies"].push_back(nullptr); }, 1, 1, 0},
      {"a policy that is a number", [](Json& r) { r["policies"].push_back(7); }, 1, 1, 0},
      {"a policy without a domain", [](Json& r) { r["policies"].push_back(Json::object()); }, 1, 1,
       0},
      {"a failure that is none",
       [](Json& r) { r["policies"][0]["failure-details"].push_back("x"); }, 1, 1, 0},
      {"a negative count: the summary has it",
       [](Json& r) { failure(r)["failed-session-count"] = -1; }, 1, 1, 4},
      {"a fraction", [](Json& r) { failure(r)["failed-session-count"] = 1.5; }, 1, 1, 4},
      {"a count with a tail", [](Json& r) { failure(r)["failed-session-count"] = "1x"; }, 1, 1, 4},
      {"a count beyond all mail",
       [](Json& r) { failure(r)["failed-session-count"] = kMostSessions + 1; }, 1, 1, 4},
      {"totals that are none: the failures are counted",
       [](Json& r) {
         r["policies"][0]["summary"] = {{"total-failure-session-count", "many"},
                                        {"total-successful-session-count", Json::array()}};
       },
       2, 1, 0},
      {"a summary that is none", [](Json& r) { r["policies"][0]["summary"] = "4 of 9"; }, 1, 1, 0},
      {"hosts that are none",
       [](Json& r) {
         policy(r)["mx-host"] = {"mx1.example.org", 7, "a..b", Json::object()};
       },
       3, 1, 0},
      {"more hosts than anybody has",
       [](Json& r) {
         for (std::size_t i = 0; i < kMostMxHosts + 2; ++i)
           policy(r)["mx-host"].push_back("mx" + std::to_string(i + 10) + ".example.org");
       },
       3, 1, 0},
      {"a type that is a number", [](Json& r) { failure(r)["result-type"] = 201; }, 1, 1, 0},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    auto report = plain();
    row.change(report);
    const auto got = read_tls_report(report.dump());
    ASSERT_TRUE(got) << got.error();
    EXPECT_EQ(got->skipped, row.skipped);
    ASSERT_THAT(got->policies, SizeIs(row.policies));
    EXPECT_EQ(got->policies[0].failed, 5U);
    std::uint64_t not_detailed = 0;
    for (const auto& one : got->policies[0].failures)
      not_detailed += one.result_type == kNotDetailed ? one.sessions : 0;
    EXPECT_EQ(not_detailed, row.not_detailed);
  }
}

TEST(TlsReport, IsRefusedWhereSizesCountsDatesOrNamesAreWrong) {
  struct Row {
    std::string_view says;
    void (*change)(Json&);
    std::string_view error;
  };
  const Row rows[] = {
      {"no organization", [](Json& r) { r.erase("organization-name"); }, "no organization"},
      {"an organization of blanks", [](Json& r) { r["organization-name"] = " \t "; }, "no organ"},
      {"an endless organization", [](Json& r) { r["organization-name"] = std::string(201, 'x'); },
       "too long: organization"},
      {"no id", [](Json& r) { r["report-id"] = nullptr; }, "no report id"},
      {"no dates", [](Json& r) { r.erase("date-range"); }, "no begin"},
      {"a date that is none",
       [](Json& r) { r["date-range"]["end-datetime"] = "2026-11-31T00:00:00Z"; },
       "not an RFC 3339 date"},
      {"a date with a tail",
       [](Json& r) { r["date-range"]["end-datetime"] = "2026-11-27T00:00:00Zx"; }, "not an RFC"},
      {"dates the wrong way round",
       [](Json& r) { r["date-range"]["end-datetime"] = "2026-11-26T00:00:00Z"; }, "ends before"},
      {"a year", [](Json& r) { r["date-range"]["end-datetime"] = "2027-11-27T00:00:00Z"; },
       "too long"},
      {"no policies", [](Json& r) { r["policies"] = Json::array(); }, "no policies"},
      {"a policy that is a number", [](Json& r) { r["policies"][0] = 1; }, "no JSON object"},
      {"no domain", [](Json& r) { policy(r).erase("policy-domain"); }, "without a domain"},
      {"a domain that is none", [](Json& r) { policy(r)["policy-domain"] = "a b.example"; },
       "no domain name"},
      {"a pattern for a domain", [](Json& r) { policy(r)["policy-domain"] = "*.example.org"; },
       "no domain name"},
      {"too many policies",
       [](Json& r) { r["policies"] = Json(kMostPolicies + 1, r["policies"][0]); },
       "too many policies"},
      {"too many failures",
       [](Json& r) { r["policies"][0]["failure-details"] = Json(kMostFailures + 1, failure(r)); },
       "too many failures"},
      {"too many failures in all policies together",
       [](Json& r) {
         auto one = r["policies"][0];
         one["failure-details"] = Json(kMostFailures / 2 + 1, failure(r));
         r["policies"] = Json::array({one, one});
       },
       "too many failures"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    auto report = plain();
    row.change(report);
    const auto got = read_tls_report(report.dump());
    ASSERT_FALSE(got);
    EXPECT_THAT(got.error(), testing::HasSubstr(std::string(row.error)));
  }
}

TEST(TlsReport, IsTakenWithTextThatIsNotUtf8) {
  auto text = sample("postfix");
  text.insert(text.find('{') + 1,
              "\"contact-info\": \"Gr\xfc\xdf"
              "e\",");
  EXPECT_EQ(read(text), read(sample("postfix")));
}

TEST(TlsReport, IsRefusedWhenItIsNoJson) {
  EXPECT_FALSE(read_tls_report("[" + sample("postfix") + "," + sample("postfix") + "]"));
  EXPECT_FALSE(read_tls_report(""));
  EXPECT_FALSE(read_tls_report("[]"));
  EXPECT_FALSE(read_tls_report("{\"organization-name\":"));
  EXPECT_EQ(read_tls_report(std::string(kMostReport + 1, ' ')).error(),
            "more octets than a report may have");
  const std::string deep = "{\"x\":" + std::string(100'000, '[');
  EXPECT_EQ(read_tls_report(deep).error(), "nested too deeply");
  EXPECT_TRUE(read_tls_report("\xEF\xBB\xBF" + sample("google")));
}

TEST(DaneFailure, IsOfATlsaPolicyOrATypeThatOnlyDaneHas) {
  EXPECT_TRUE(is_dane_failure(PolicyType::tlsa, "certificate-not-trusted"));
  EXPECT_TRUE(is_dane_failure(PolicyType::tlsa, "something-new"));
  EXPECT_TRUE(is_dane_failure(PolicyType::no_policy_found, "dnssec-invalid"));
  EXPECT_FALSE(is_dane_failure(PolicyType::sts, "certificate-expired"));
  EXPECT_FALSE(is_dane_failure(PolicyType::tlsa, "sts-policy-invalid"));
}

}  // namespace
}  // namespace probes::reports

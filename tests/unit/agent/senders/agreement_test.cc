#include "agent/senders/agreement.h"

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace agent {
namespace {

using probes::Code;
using probes::Verdict;
using namespace std::chrono_literals;

const config::Time kDay = config::parse_rfc3339("2026-11-27T00:00:00Z").value();

SenderSessions failed(std::string_view type, std::string_view host = "mx.example.test") {
  return {.organization = "Example",
          .from = kDay,
          .until = kDay + 24h - 1s,
          .domain = "example.test",
          .policy = probes::reports::PolicyType::tlsa,
          .mx_host = std::string(host),
          .result_type = std::string(type),
          .sessions = 5};
}

SeenSpan span(std::vector<SeenSpan::Found> findings,
              std::vector<Verdict> verdicts = {Verdict::authenticated}) {
  return {.from = kDay,
          .until = kDay + 24h,
          .verdicts = verdicts,
          .findings = findings,
          .hosts = {"mx.example.test", "mx2.example.test"}};
}

SeenSpan with_verdict(SeenSpan seen, std::string_view host, Verdict verdict) {
  seen.of_hosts.push_back({std::string(host), verdict});
  return seen;
}

TEST(Agreement, IsWhatWasSeenInTheHoursOfTheReport) {
  struct Row {
    std::string_view says;
    SenderSessions failed;
    std::vector<SeenSpan> spans;
    Agreement want;
  };
  const auto mismatch = span({{Code::tlsa_mismatch, "mx.example.test"}}, {Verdict::deferred});
  auto before = mismatch;
  before.from = kDay - 48h;
  before.until = kDay - 1s;
  auto after = mismatch;
  after.from = kDay + 24h;
  after.until = kDay + 48h;
  const std::vector<Row> rows{
      {"nothing was recorded", failed("certificate-not-trusted"), {}, Agreement::not_seen},
      {"it was well", failed("certificate-not-trusted"), {span({})}, Agreement::no},
      {"the same fault", failed("certificate-not-trusted"), {mismatch}, Agreement::yes},
      {"the same under another name", failed("validation-failure"), {mismatch}, Agreement::yes},
      {"a word that we do not know", failed("x-new"), {mismatch}, Agreement::yes},
      {"for an hour of the day only",
       failed("certificate-expired"),
       {span({}), mismatch},
       Agreement::yes},
      {"another fault", failed("dnssec-invalid"), {mismatch}, Agreement::no},
      {"another host's",
       failed("certificate-not-trusted", "mx2.example.test"),
       {mismatch},
       Agreement::no},
      {"a host that was not looked at",
       failed("certificate-not-trusted", "mx9.example.test"),
       {span({})},
       Agreement::not_seen},
      {"a remark keeps nobody away",
       failed("certificate-not-trusted"),
       {span({{Code::combination_stale, "mx.example.test", probes::Severity::low}})},
       Agreement::no},
      {"MTA-STS is no matter of DANE",
       failed("certificate-not-trusted"),
       {span({{Code::mta_sts_conflict, "mx.example.test"}})},
       Agreement::no},
      {"the report names no host",
       failed("certificate-not-trusted", ""),
       {mismatch},
       Agreement::yes},
      {"the day before", failed("certificate-not-trusted"), {before}, Agreement::not_seen},
      {"the day after", failed("certificate-not-trusted"), {after}, Agreement::not_seen},
      {"the domain's lookups failed",
       failed("dnssec-invalid"),
       {span({{Code::mx_lookup_failed, "example.test"}}, {Verdict::lookup_failed})},
       Agreement::yes},
      {"we knew nothing",
       failed("validation-failure"),
       {span({}, {Verdict::unknown})},
       Agreement::not_seen},
      {"the host was down for us",
       failed("validation-failure"),
       {span({{Code::host_down, "mx.example.test"}}, {Verdict::authenticated})},
       Agreement::not_seen},
      {"another host was down",
       failed("validation-failure"),
       {span({{Code::host_down, "mx2.example.test"}}, {Verdict::authenticated})},
       Agreement::no},
      {"our own fault",
       failed("validation-failure"),
       {span({{Code::monitor_fault, "dns"}}, {Verdict::authenticated})},
       Agreement::not_seen},
      {"our own fault at another host: this one was judged",
       failed("validation-failure"),
       {with_verdict(span({{Code::monitor_fault, "smtp_ipv4"}}), "mx.example.test",
                     Verdict::authenticated)},
       Agreement::no},
      {"our own fault at this host: the other one was judged",
       failed("validation-failure"),
       {with_verdict(with_verdict(span({{Code::monitor_fault, "smtp_ipv4"}}), "mx.example.test",
                                  Verdict::unknown),
                     "mx2.example.test", Verdict::authenticated)},
       Agreement::not_seen},
      {"our own fault, and the report names no host: it may be that one",
       failed("validation-failure", ""),
       {with_verdict(span({{Code::monitor_fault, "smtp_ipv4"}}), "mx2.example.test",
                     Verdict::authenticated)},
       Agreement::not_seen},
      {"a remark about our resolver hides nothing",
       failed("validation-failure"),
       {span({{Code::monitor_fault, "resolver", probes::Severity::low}})},
       Agreement::no},
      {"STARTTLS",
       failed("starttls-not-supported"),
       {span({{Code::starttls_missing, "mx.example.test"}}, {Verdict::deferred})},
       Agreement::yes},
      {"no DANE, and the sender demands it",
       failed("dane-required"),
       {span({{Code::no_dane, "example.test"}}, {Verdict::opportunistic})},
       Agreement::yes},
      {"a policy of MTA-STS is no matter of DANE",
       failed("sts-policy-invalid"),
       {mismatch},
       Agreement::no},
  };
  for (const auto& row : rows)
    EXPECT_EQ(wire_name(agreement(row.failed, row.spans)), wire_name(row.want)) << row.says;
}

}  // namespace
}  // namespace agent

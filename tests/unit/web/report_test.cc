#include "web/routes/report.h"

#include <numeric>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/storage/store.h"
#include "web/routes/report_read.h"
#include "web/routes/report_render.h"

namespace {

using config::Seconds;
using config::Time;
using probes::Code;
using probes::Severity;
using probes::Verdict;
using storage::DeliverySpan;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace web;

const Time kFrom = *config::parse_rfc3339("2027-01-01T00:00:00Z");
constexpr Seconds kHour = std::chrono::hours{1};
const Time kUntil = kFrom + 24 * kHour;

DeliverySpan span(int from, int until, Verdict verdict) {
  return {.from = kFrom + from * kHour, .until = kFrom + until * kHour, .verdict = verdict};
}

std::string told(const std::vector<Episode>& episodes) {
  std::string out;
  for (const auto& one : episodes) {
    out += fmt::format(
        "{} {}..{}{} known {} unknown {};", wire_name(one.what), (one.from - kFrom) / kHour,
        one.until ? fmt::format("{}", (*one.until - kFrom) / kHour) : "",
        one.began_before ? " before" : "", one.seconds / 3600, one.unknown_seconds / 3600);
  }
  return out;
}

struct Row {
  std::string says;
  std::vector<DeliverySpan> spans;
  MailTimes hours;
  std::string episodes;
};

TEST(Report, TimeAddsUpToItselfAndUnknownIsNeitherGoodNorBad) {
  const std::vector<Row> rows{
      {"never looked at", {}, {0, 0, 0, 0, 0, 24}, ""},
      {"well all along", {span(-5, 30, Verdict::authenticated)}, {24, 0, 0, 0, 0, 0}, ""},
      {"first watched at noon",
       {span(12, 24, Verdict::host_authenticated)},
       {12, 0, 0, 0, 0, 12},
       ""},
      {"refused for two hours, with an hour in which nothing was known",
       {span(0, 5, Verdict::authenticated), span(5, 6, Verdict::deferred),
        span(6, 7, Verdict::unknown), span(7, 8, Verdict::deferred),
        span(8, 24, Verdict::authenticated)},
       {21, 2, 0, 0, 1, 0},
       "refused 5..8 known 2 unknown 1;"},
      {"what is unknown at the end of it is not counted to it",
       {span(0, 5, Verdict::authenticated), span(5, 6, Verdict::deferred),
        span(6, 9, Verdict::unknown), span(9, 24, Verdict::authenticated)},
       {20, 1, 0, 0, 3, 0},
       "refused 5..6 known 1 unknown 0;"},
      {"unknown time alone is no episode",
       {span(0, 24, Verdict::unknown)},
       {0, 0, 0, 0, 24, 0},
       ""},
      {"open, then refused: two episodes",
       {span(-9, 3, Verdict::cleartext), span(3, 4, Verdict::refused),
        span(4, 24, Verdict::authenticated)},
       {20, 1, 3, 0, 0, 0},
       "open 0..3 before known 3 unknown 0;refused 3..4 known 1 unknown 0;"},
      {"goes on",
       {span(0, 20, Verdict::authenticated), span(20, 22, Verdict::encrypted),
        span(22, 24, Verdict::unknown)},
       {20, 0, 2, 0, 2, 0},
       "open 20.. known 2 unknown 2;"},
      {"no longer watched",
       {span(0, 10, Verdict::lookup_failed)},
       {0, 10, 0, 0, 0, 14},
       "refused 0..10 before known 10 unknown 0;"},
      {"takes no mail", {span(0, 24, Verdict::no_mail)}, {0, 0, 0, 24, 0, 0}, ""},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.says);
    auto times = times_of(row.spans, kFrom, kUntil);
    EXPECT_EQ(std::accumulate(times.begin(), times.end(), std::int64_t{0}), 24 * 3600);
    for (auto& seconds : times) seconds /= 3600;
    EXPECT_EQ(times, row.hours);
    EXPECT_EQ(told(episodes_of(row.spans, {}, kFrom, kUntil)), row.episodes);
  }
}

TEST(Report, MinutesAddUpToo) {
  const MailTimes seconds{59, 59, 59, 1, 1, 1};  // three minutes together
  const auto minutes = in_minutes(seconds);
  EXPECT_THAT(minutes, ElementsAre(1, 1, 1, 0, 0, 0));
  EXPECT_EQ(in_minutes({30, 30, 0, 0, 0, 0}), (MailTimes{1, 0, 0, 0, 0, 0}));
  EXPECT_EQ(in_minutes({}), MailTimes{});
}

TEST(Report, TheCauseIsWhatWasWorstMeanwhileAndNeverOurOwnFault) {
  const std::vector<DeliverySpan> spans{span(0, 5, Verdict::authenticated),
                                        span(5, 8, Verdict::deferred),
                                        span(8, 24, Verdict::authenticated)};
  const auto found = [](int from, int until, auto list) {
    return storage::FoundThen{kFrom + from * kHour, kFrom + until * kHour, list};
  };
  using List = std::vector<std::pair<Code, Severity>>;
  const std::vector<storage::FoundThen> findings{
      found(0, 4, List{{Code::host_down, Severity::critical}}),
      found(5, 6, List{{Code::ttl_long, Severity::low}}),
      found(6, 7,
            List{{Code::monitor_fault, Severity::critical},
                 {Code::tlsa_mismatch, Severity::critical},
                 {Code::partial_dane, Severity::low}}),
      found(7, 7, List{{Code::ds_broken, Severity::critical}}),
      found(8, 20, List{{Code::domain_gone, Severity::critical}}),
  };
  const auto episodes = episodes_of(spans, findings, kFrom, kUntil);
  ASSERT_EQ(episodes.size(), 1U);
  EXPECT_THAT(episodes[0].causes, ElementsAre("tlsa-mismatch", "ds-broken"));
  EXPECT_THAT(episodes_of(spans, {}, kFrom, kUntil)[0].causes, IsEmpty());
}

ReportInput two_domains() {
  ReportInput out{.from = kFrom, .until = kUntil, .now = kUntil + kHour};
  out.domains = {{.name = "b.test", .role = "inbound", .group = "shop"},
                 {.name = "a.test", .role = "inbound", .group = "<b>&\"shop\""},
                 {.name = "c.test", .role = "outbound", .group = "shop"}};
  out.spans = {{"a.test", {span(0, 24, Verdict::authenticated)}},
               {"b.test", {span(0, 12, Verdict::authenticated), span(12, 24, Verdict::deferred)}},
               {"gone.test", {span(0, 24, Verdict::deferred)}}};
  out.hosts = {{"a.test", {"mx.test"}}, {"b.test", {"mx.test"}}};
  out.certificates = {{"mx.test", kFrom + kHour, std::string(64, 'a'), std::string(64, 'b')},
                      {"mx.other.test", kFrom, std::string(64, 'a'), std::string(64, 'c')}};
  out.rollovers["mx.test"] = {
      {.from = "old", .to = "new", .grade = agent::Grade::early, .deployed_at = kFrom + kHour},
      {.from = "older", .to = "old", .grade = agent::Grade::safe, .deployed_at = kFrom - kHour}};
  return out;
}

TEST(Report, SumsGroupsAndCountsACommonHostOnce) {
  const auto report = report_of(two_domains());
  ASSERT_EQ(report.domains.size(), 3U);
  EXPECT_EQ(report.domains[0].name, "a.test");
  EXPECT_EQ(report.domains[0].rollovers.size(), 1U) << "the older one was before";
  EXPECT_EQ(report.domains[1].certificates.size(), 1U);
  ASSERT_EQ(report.groups.size(), 2U);
  EXPECT_EQ(report.groups[1].name, "shop");
  EXPECT_EQ(report.groups[1].domains, 2U);
  EXPECT_EQ(report.total.grades, (std::map<std::string, std::size_t>{{"early", 1}}));
  EXPECT_EQ(report.total.certificates, 1U);
  EXPECT_EQ(report.total.episodes, 1U);
  EXPECT_EQ(std::accumulate(report.total.seconds.begin(), report.total.seconds.end(), 0LL),
            3 * 24 * 3600);

  auto input = two_domains();
  input.role = "outbound";
  input.group = "shop";
  const auto part = report_of(input);
  ASSERT_EQ(part.domains.size(), 1U);
  EXPECT_EQ(part.domains[0].name, "c.test");
}

TEST(Report, AMonthThatIsNotOverIsOfTheTimeThatWas) {
  auto input = two_domains();
  input.now = kFrom + 6 * kHour;
  const auto report = report_of(input);
  EXPECT_EQ(report.until, input.now);
  EXPECT_EQ(
      std::accumulate(report.domains[0].seconds.begin(), report.domains[0].seconds.end(), 0LL),
      6 * 3600);
}

TEST(Report, EveryFormSaysTheSameAndNothingBreaksOutOfIt) {
  const auto report = report_of(two_domains());
  const auto object = report_json(report);
  EXPECT_EQ(object["schema"], "danelaw.report/1");
  EXPECT_EQ(object["domains"][1]["seconds"]["refused"], 12 * 3600);
  EXPECT_EQ(object["domains"][1]["episodes"][0]["until"], nullptr);
  EXPECT_EQ(object["total"]["rollovers"]["early"], 1);

  EXPECT_THAT(report_csv(report),
              HasSubstr("b.test,inbound,shop,2027-01-01T00:00:00Z,2027-01-02T00:"
                        "00:00Z,720,720,0,0,0,0,1,,early,1\r\n"));
  const auto text = report_text(report);
  EXPECT_THAT(text, HasSubstr("b.test  refused  2027-01-01T12:00:00Z  goes on  12 h 00 min"));
  EXPECT_THAT(text, HasSubstr("mx.test"));

  const auto html = report_html(report);
  EXPECT_THAT(html, Not(HasSubstr("<b>")));
  EXPECT_THAT(html, HasSubstr("&lt;b&gt;&amp;&quot;shop&quot;"));
  for (const auto* never : {"<script", "http://", "https://", "src=", "@import"})
    EXPECT_THAT(html, Not(HasSubstr(never))) << "one file, without outside parts";
}

TEST(Report, KnowsMonths) {
  const auto told = [](const TimeSpan& span) {
    return config::rfc3339(span.from) + " " + config::rfc3339(span.until);
  };
  EXPECT_EQ(told(*month_of("2028-02")), "2028-02-01T00:00:00Z 2028-03-01T00:00:00Z");
  EXPECT_EQ(told(*month_of("2027-12")), "2027-12-01T00:00:00Z 2028-01-01T00:00:00Z");
  for (const auto* text :
       {"", "2027-13", "2027-00", "2027-1", "27-01", "2027-01-01", "2027/01", "-027-01", "2027--1"})
    EXPECT_FALSE(month_of(text)) << text;
  EXPECT_EQ(told(month_before(kFrom)), "2026-12-01T00:00:00Z 2027-01-01T00:00:00Z");
}

// Out of a database, as looks have filled it.
TEST(Report, ReadsWhatLooksRecorded) {
  using support::kMinute;
  using support::kNow;
  support::Store store;
  store.keep_only({{.name = "example.test", .group = "ours"}, {.name = "new.test"}});
  const auto look = [&](const support::Issued& leaf, int minute) {
    support::Scene scene;
    scene.serve({leaf.certificate, support::Pki::get().inter.certificate});
    store.record(support::domain_round(scene, kNow + minute * kMinute));
    store.record(support::host_round(scene, kNow + minute * kMinute));
  };
  for (const int minute : {0, 15, 30}) look(support::Pki::get().leaf, minute);
  for (const int minute : {45, 60}) look(support::Pki::get().old_leaf, minute);
  for (const int minute : {75, 90}) look(support::Pki::get().leaf, minute);
  const auto report =
      read_report(*store.queries(), {.from = kNow - 10 * kMinute,
                                     .until = kNow + 1000 * kMinute,
                                     .now = kNow + 90 * kMinute,
                                     .longest_silence = storage::longest_silence(15 * kMinute)});
  ASSERT_TRUE(report) << report.error();
  ASSERT_EQ(report->domains.size(), 2U);
  const auto& domain = report->domains[0];
  EXPECT_EQ(in_minutes(domain.seconds), (MailTimes{60, 30, 0, 0, 0, 10}));
  ASSERT_EQ(domain.episodes.size(), 1U);
  EXPECT_THAT(domain.episodes[0].causes, ElementsAre("tlsa-mismatch"));
  EXPECT_EQ(domain.certificates.size(), 2U) << "there and back";
  EXPECT_EQ(report->domains[1].seconds.back(), 100 * 60) << "never looked at";
  const auto none = read_report(
      *store.queries(),
      {.from = kNow, .until = kNow + kMinute, .now = kNow + kMinute, .group = "nobody's"});
  ASSERT_TRUE(none);
  EXPECT_THAT(none->domains, IsEmpty());
}

}  // namespace

#include "web/metrics.h"

#include <cstdio>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/web/service.h"

namespace {

using support::Scene;
using support::snapshot_of;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

struct Exposition {
  std::map<std::string, std::string> help, type;  // by metric
  std::map<std::string, std::string> series;      // `name{labels}`, labels as written
  std::vector<std::string> faults;                // what the format forbids
};

// The family of a sample: a histogram's samples have names of their own.
std::string family_of(const Exposition& exposition, const std::string& name) {
  const auto base = name.substr(0, name.rfind('_'));
  const auto type = exposition.type.find(base);
  return type != exposition.type.end() && type->second == "histogram" ? base : name;
}

// Format 0.0.4 as we use it: no time stamps.
Exposition read(const std::string& text) {
  Exposition out;
  std::istringstream lines(text);
  static const std::regex sample(
      R"re(([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\]|\\[\\"n])*",?)*\})? (-?[0-9.e+-]+))re");
  std::smatch part;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, what, name, rest;
    if (line.starts_with("#")) {
      words >> hash >> what >> name >> std::ws;
      std::getline(words, rest);
      auto& family = what == "HELP" ? out.help : out.type;
      if (!family.emplace(name, rest).second) out.faults.push_back("again: " + line.substr(0, 100));
    } else if (!std::regex_match(line, part, sample)) {
      out.faults.push_back("no sample: " + line.substr(0, 100));
    } else {
      if (!out.series.emplace(part[1].str() + part[2].str(), part[3]).second)
        out.faults.push_back("again: " + line.substr(0, 100));
      const auto family = family_of(out, part[1]);
      if (out.help[family].empty()) out.faults.push_back("without HELP: " + line.substr(0, 100));
      if (out.type[family].empty()) out.faults.push_back("without TYPE: " + line.substr(0, 100));
    }
  }
  return out;
}

Exposition read(const agent::Snapshot& snapshot) {
  return read(web::metrics_text(snapshot, {.build = {.version = "1.2.3",
                                                     .revision = "0123abcd",
                                                     .openssl = "3.0.15",
                                                     .resolver = "getdns 1.6.0"},
                                           .reload = {.succeeded_at = support::kNow},
                                           .storage_bytes = 4096,
                                           .storage_rows = {{"version", 12}}}));
}

std::vector<std::string> names_of(const Exposition& exposition) {
  std::vector<std::string> out;
  for (const auto& [series, value] : exposition.series)
    out.push_back(series.substr(0, series.find('{')));
  return out;
}

using Series = std::map<std::string, std::string>;

TEST(Metrics, OfTwoBackEndsBehindOneAddressShowTheFirstToAnswer) {
  Scene scene;
  scene.mx().sessions.push_back(
      support::session("192.0.2.1", {support::Pki::get().old_leaf.certificate}));
  EXPECT_THAT(read(snapshot_of(scene)).faults, IsEmpty());
}

TEST(Metrics, OfListsFromElsewhere) {
  agent::Snapshot snapshot;
  snapshot.lists = {{.name = "one", .domains = 7, .missing = 1, .read_at = support::kNow},
                    {.name = "two", .refusal = agent::ListHealth::Refusal{}}};
  const auto seen = read(snapshot);
  EXPECT_THAT(seen.faults, IsEmpty());
  EXPECT_THAT(seen.series,
              IsSupersetOf(Series{
                  {R"(danelaw_domain_list_domains{list="one"})", "7"},
                  {R"(danelaw_domain_list_missing{list="one"})", "1"},
                  {R"(danelaw_domain_list_refused{list="one"})", "0"},
                  {R"(danelaw_domain_list_read_timestamp_seconds{list="one"})", "1800000000"},
                  {R"(danelaw_domain_list_refused{list="two"})", "1"}}));
  EXPECT_FALSE(seen.series.contains(R"(danelaw_domain_list_read_timestamp_seconds{list="two"})"))
      << "it was never read";
}

TEST(Metrics, OfADomainWhoseCertificateDoesNotMatch) {
  support::Service service;
  const auto seen = read(service.snapshot);
  EXPECT_THAT(seen.faults, IsEmpty());
  EXPECT_THAT(
      seen.series,
      IsSupersetOf(Series{
          {R"(danelaw_build_info{version="1.2.3",revision="0123abcd",openssl="3.0.15",)"
           R"(resolver="getdns 1.6.0"})",
           "1"},
          {R"(danelaw_domain_info{domain="example.test",direction="inbound",group="ours"})", "1"},
          {R"(danelaw_domain_status{domain="example.test"})", "2"},
          {R"(danelaw_domain_delivery{domain="example.test"})", "4"},
          {R"(danelaw_domain_probe_success{domain="example.test"})", "1"},
          {R"(danelaw_domain_mx_hosts{domain="example.test"})", "1"},
          {R"(danelaw_domain_dane_mx_hosts{domain="example.test"})", "1"},
          {R"(danelaw_domain_mx_dnssec_status{domain="example.test"})", "0"},
          {R"(danelaw_domain_last_probe_timestamp_seconds{domain="example.test"})", "1800000000"},
          {R"(danelaw_domain_mx_info{domain="example.test",mx="mx.example.test",preference="10"})",
           "1"},
          {R"(danelaw_finding{domain="example.test",mx="mx.example.test",code="tlsa-mismatch",)"
           R"(severity="critical",direction="inbound"})",
           "1"},
          {R"(danelaw_mx_dane_state{mx="mx.example.test"})", "4"},
          {R"(danelaw_mx_delivery{mx="mx.example.test"})", "4"},
          {R"(danelaw_mx_addresses{mx="mx.example.test"})", "2"},
          {R"(danelaw_mx_tlsa_records{mx="mx.example.test"})", "1"},
          {R"(danelaw_mx_tlsa_ttl_seconds{mx="mx.example.test"})", "3600"},
          {R"(danelaw_address_tlsa_match{mx="mx.example.test",address="2001:db8::1"})", "0"},
          {R"(danelaw_address_starttls{mx="mx.example.test",address="192.0.2.1"})", "1"},
          {R"(danelaw_address_cert_not_after_timestamp_seconds)"
           R"({mx="mx.example.test",address="192.0.2.1"})",
           "2000000000"},
          {R"(danelaw_domains{status="critical"})", "1"},
          {R"(danelaw_domains{status="unknown"})", "1"},
          {R"(danelaw_domains{status="ok"})", "0"},
          {R"(danelaw_domains{status="warning"})", "0"},
          {R"(danelaw_alerts{state="firing",severity="critical"})", "1"},
          {R"(danelaw_alerts{state="pending",severity="critical"})", "1"},
          {R"(danelaw_alerts{state="firing",severity="high"})", "0"},
          {R"(danelaw_alert_firing{code="tlsa-mismatch",severity="critical",)"
           R"(direction="inbound",mx="mx.example.test"})",
           "1"},
          {R"(danelaw_domain_verdict{domain="example.test"})", "10"},
          {"danelaw_config_last_reload_successful", "1"},
          {"danelaw_config_last_reload_success_timestamp_seconds", "1800000000"},
          {R"(danelaw_vantage_up{check="dns"})", "1"},
          {R"(danelaw_vantage_up{check="clock"})", "0"},
          {"danelaw_rounds_total", "2"},
          {"danelaw_storage_errors_total", "1"},
          {"danelaw_storage_size_bytes", "4096"},
          {R"(danelaw_storage_rows{table="version"})", "12"},
      }));
}

TEST(Metrics, OfADomainNeverLookedAtClaimNothingButThatItIsWatched) {
  const agent::Snapshot snapshot{.domains = {{.configured = config::Domain{.name = "new.test"}}}};
  const auto seen = read(snapshot);
  EXPECT_THAT(seen.faults, IsEmpty());
  EXPECT_THAT(seen.series,
              Contains(testing::Pair(R"(danelaw_domain_status{domain="new.test"})", "3")));
  std::vector<std::string> about;
  for (const auto& [series, value] : seen.series)
    if (series.find("new.test") != std::string::npos) about.push_back(series);
  EXPECT_THAT(about, testing::UnorderedElementsAre(
                         R"(danelaw_domain_info{domain="new.test",direction="inbound",group=""})",
                         R"(danelaw_domain_status{domain="new.test"})",
                         R"(danelaw_domain_delivery{domain="new.test"})"));
}

TEST(Metrics, OfOurOwnBlindnessBlameNobodyElse) {
  Scene scene;
  auto snapshot = snapshot_of(scene);
  snapshot.domains.change(0, [&](auto& state) {
    state.judged = std::make_shared<const probes::DomainJudgement>(probes::judge_blind(
        std::make_shared<const probes::DomainObservation>(scene.domain), "dns", "no answer"));
  });
  const auto seen = read(snapshot);
  EXPECT_THAT(seen.series,
              IsSupersetOf(Series{{R"(danelaw_domain_status{domain="example.test"})", "3"},
                                  {R"(danelaw_domain_delivery{domain="example.test"})", "2"},
                                  {R"(danelaw_domain_probe_success{domain="example.test"})", "0"},
                                  {R"(danelaw_domains{status="unknown"})", "1"}}));
  EXPECT_THAT(names_of(seen), Not(Contains("danelaw_finding")));
}

TEST(Metrics, OfAHostOfTwoDomainsAreToldOnceWithTheWorseOfTheTwo) {
  Scene healthy;
  Scene broken = support::mismatch();
  broken.domain.domain = support::name("other.test");
  auto snapshot = snapshot_of(healthy);
  snapshot.domains.push_back(support::domain_state(broken));
  const auto seen = read(snapshot);
  EXPECT_THAT(seen.faults, IsEmpty());
  EXPECT_THAT(
      seen.series,
      IsSupersetOf(Series{
          {R"(danelaw_mx_dane_state{mx="mx.example.test"})", "4"},
          {R"(danelaw_address_tlsa_match{mx="mx.example.test",address="192.0.2.1"})", "0"}}));
}

TEST(Metrics, CountOneHandshakeAnAddressHoweverManyKeyTypesWereTried) {
  Scene scene;
  scene.mx().sessions.push_back(support::session(
      "192.0.2.1", {support::Pki::get().rsa_leaf.certificate}, probes::tls::KeyType::rsa));
  EXPECT_THAT(read(snapshot_of(scene)).faults, IsEmpty());
}

TEST(Metrics, TellACodeOnceForAHostWithItsWorstSeverity) {
  auto snapshot = snapshot_of(support::mismatch());
  auto judged = *snapshot.domains[0].judged;
  ASSERT_EQ(judged.findings[0].severity, probes::Severity::critical);
  judged.findings.push_back(judged.findings[0]);
  auto& second = judged.findings.change(judged.findings.size() - 1);
  second.severity = probes::Severity::low;
  second.addresses = {"192.0.2.1"};
  snapshot.domains.change(0, [&](auto& state) {
    state.judged = std::make_shared<const probes::DomainJudgement>(judged);
  });
  const auto seen = read(snapshot);
  EXPECT_THAT(seen.faults, IsEmpty());
  std::vector<std::string> severities;
  for (const auto& [series, value] : seen.series)
    if (series.find("tlsa-mismatch") != std::string::npos) severities.push_back(series);
  EXPECT_THAT(severities, testing::ElementsAre(HasSubstr(R"(severity="critical")")));
}

TEST(Metrics, StayReadableWhateverTheNamesAre) {
  Scene scene;
  auto snapshot = snapshot_of(scene);
  snapshot.domains.change(0,
                          [&](auto& state) { state.configured.change().group = "a\"b\\c\nd\xff"; });
  const auto seen = read(snapshot);
  EXPECT_THAT(seen.faults, IsEmpty());
  EXPECT_THAT(names_of(seen), Contains("danelaw_domain_info"));
}

TEST(Metrics, TellHostsApartThatDifferOnlyAtTheEndOfALongName) {
  // Octets that take five characters each to show: the longest text a name can have.
  std::string prefix;
  for (const auto count : {62, 62, 60}) {
    for (int i = 0; i < count; ++i) prefix += R"(\001)";
    prefix += '.';
  }
  Scene scene;
  for (const auto* last : {"a", "b"}) {
    std::string padding;
    for (int i = 0; i < 50; ++i) padding += R"(\002)";
    scene.add_host(prefix + padding + "." + last, 20);
  }
  EXPECT_THAT(read(snapshot_of(scene)).faults, IsEmpty());
}

TEST(Metrics, ShowAlertsAsTheyArePushedAndLeaveSilencedOnesOut) {
  support::Service service;
  auto& alert = service.snapshot.alerts.renew(0);
  const auto firing = [&] {
    const auto seen = read(service.snapshot);
    EXPECT_THAT(seen.faults, IsEmpty());
    return seen.series;
  };
  alert.cause = {.kind = probes::Subject::Kind::zone, .name = "example.test"};
  alert.finding.code = probes::Code::predicted_mismatch;
  alert.finding.due_at = config::Time{config::Seconds{1800000000}};
  EXPECT_THAT(firing(),
              IsSupersetOf(
                  Series{{R"(danelaw_alert_firing{code="predicted-mismatch",severity="critical",)"
                          R"(direction="inbound",zone="example.test"})",
                          "1"},
                         {R"(danelaw_alert_publish_by_timestamp_seconds{code="predicted-mismatch",)"
                          R"(severity="critical",direction="inbound",zone="example.test"})",
                          "1800000000"}}));

  alert.acknowledged = {.by = "me", .at = support::kNow};
  EXPECT_THAT(firing(), IsSupersetOf(Series{
                            {R"(danelaw_alerts{state="acknowledged",severity="critical"})", "1"},
                            {R"(danelaw_alerts{state="firing",severity="critical"})", "0"}}));

  alert.told_at.reset();
  EXPECT_THAT(firing(), Contains(testing::Pair(
                            R"(danelaw_alerts{state="silenced",severity="critical"})", "1")));
  EXPECT_THAT(names_of(read(service.snapshot)), Not(Contains("danelaw_alert_firing")));
}

TEST(Metrics, SayOfAnAlertThatFiresSinceWhenAndInWhichGroups) {
  support::Service service;
  auto ours = service.snapshot.domains[0];
  ours.configured.change().group = "ours";
  service.snapshot.domains.set(0, ours);
  for (const auto* name : {"a", "b", "c"}) {
    auto other = ours;
    other.configured.change().name = std::string(name) + ".test";
    other.configured.change().group = name[0] == 'c' ? "" : "customers";
    service.snapshot.domains.push_back(other);
  }
  auto& alert = service.snapshot.alerts.renew(0);
  alert.opened_at = config::Time{config::Seconds{1799990000}};
  const std::string labels =
      R"({code="tlsa-mismatch",severity="critical",direction="inbound",mx="mx.example.test")";
  const auto groups = [&] {
    const auto seen = read(service.snapshot);
    EXPECT_THAT(seen.faults, IsEmpty());
    EXPECT_EQ(seen.series.at("danelaw_alert_opened_timestamp_seconds" + labels + "}"),
              "1799990000");
    std::set<std::string> out;
    for (const auto* group : {"", "ours", "customers"}) {
      if (seen.series.contains("danelaw_alert_group_info" + labels + ",group=\"" + group + "\"}"))
        out.insert(group);
    }
    return out;
  };
  using Groups = std::set<std::string>;
  alert.domains = {"a.test", "b.test", "left.test"};
  EXPECT_EQ(groups(), Groups{"customers"});
  alert.domains = {"b.test", "c.test"};
  EXPECT_EQ(groups(), (Groups{"", "customers"}));
  alert.domains.clear();  // a fault of our own
  EXPECT_EQ(groups(), (Groups{"", "ours", "customers"}));

  alert.told_at.reset();
  EXPECT_THAT(names_of(read(service.snapshot)),
              Not(testing::AnyOf(Contains("danelaw_alert_opened_timestamp_seconds"),
                                 Contains("danelaw_alert_group_info"))));
}

TEST(Metrics, GoIntoDetailAsFarAsAsked) {
  support::Service service;
  const auto at = [&](config::Detail detail) {
    service.snapshot.metrics.detail = detail;
    const auto seen = read(service.snapshot);
    EXPECT_THAT(seen.faults, IsEmpty());
    return names_of(seen);
  };
  struct Row {
    config::Detail detail;
    std::vector<std::string> with, without;
  };
  const std::vector<std::string> always{"danelaw_finding", "danelaw_domains", "danelaw_alerts",
                                        "danelaw_alert_firing", "process_open_fds"};
  for (const auto& row : std::vector<Row>{
           {.detail = config::Detail::address,
     .with = {"danelaw_address_starttls", "danelaw_address_tlsa_match", "danelaw_mx_addresses",
              "danelaw_domain_mx_info", "danelaw_domain_info"}},
           {.detail = config::Detail::mx,
           .with = {"danelaw_mx_addresses", "danelaw_mx_dane_state", "danelaw_domain_mx_info"},
           .without = {"danelaw_address_starttls", "danelaw_address_tlsa_match"}},
           {.detail = config::Detail::domain,
           .with = {"danelaw_domain_info", "danelaw_domain_status"},
           .without = {"danelaw_mx_addresses", "danelaw_mx_dane_state", "danelaw_domain_mx_info"}},
           {.detail = config::Detail::summary,
           .without = {"danelaw_domain_info", "danelaw_domain_status",
                       "danelaw_domain_verdict"}}}) {
    const auto names = at(row.detail);
    EXPECT_THAT(names, IsSupersetOf(always));
    EXPECT_THAT(names, IsSupersetOf(row.with));
    for (const auto& name : row.without) EXPECT_THAT(names, Not(Contains(name)));
  }
}

TEST(Metrics, SpellOutEveryVerdictInTheOrderOfItsNumber) {
  const auto help = read(support::Service().snapshot).help.at("danelaw_domain_verdict");
  for (int number = 0; number <= static_cast<int>(probes::Verdict::no_mail); ++number) {
    const auto word = wire_name(static_cast<probes::Verdict>(number));
    EXPECT_THAT(help, HasSubstr(std::to_string(number) + " " + std::string(word)));
  }
}

TEST(Metrics, CountLookupsAndSessionsByStageAndWhyTheyEnded) {
  agent::Snapshot snapshot;
  auto& starttls = snapshot.counts.steps.at(static_cast<std::size_t>(agent::ProbeStep::starttls));
  starttls.made = 12;
  starttls.missed.at(static_cast<std::size_t>(agent::Miss::not_offered)) = 2;
  starttls.took.add(std::chrono::milliseconds{7});
  EXPECT_THAT(read(snapshot).series,
              IsSupersetOf(Series{
                  {R"(danelaw_probes_total{stage="starttls"})", "12"},
                  {R"(danelaw_probes_failed_total{stage="starttls",reason="not-offered"})", "2"},
                  {R"(danelaw_probes_failed_total{stage="starttls",reason="timeout"})", "0"},
                  {R"(danelaw_probe_duration_seconds_bucket{stage="starttls",le="0.005"})", "0"},
                  {R"(danelaw_probe_duration_seconds_bucket{stage="starttls",le="0.01"})", "1"},
                  {R"(danelaw_probes_total{stage="mx"})", "0"}}));
}

TEST(Metrics, TellTransportsOfLookupsApartAndWhichResolversValidate) {
  agent::Snapshot snapshot;
  snapshot.dns_by_rcode_udp = {7, 0, 1, 0, 0, 0};
  snapshot.dns_by_rcode_tcp = {3, 0, 0, 0, 0, 0};
  snapshot.resolvers = {{.resolver = "192.0.2.53", .is_validating = true},
                        {.resolver = "192.0.2.54@5353", .is_validating = false},
                        {.resolver = "192.0.2.55"}};
  const auto seen = read(snapshot);
  EXPECT_FALSE(seen.series.contains(R"(danelaw_resolver_validating{resolver="192.0.2.55"})"));
  EXPECT_THAT(seen.faults, IsEmpty());
  EXPECT_THAT(
      seen.series,
      IsSupersetOf(Series{{R"(danelaw_dns_queries_total{rcode="NOERROR",proto="udp"})", "7"},
                          {R"(danelaw_dns_queries_total{rcode="SERVFAIL",proto="udp"})", "1"},
                          {R"(danelaw_dns_queries_total{rcode="NOERROR",proto="tcp"})", "3"},
                          {R"(danelaw_resolver_validating{resolver="192.0.2.53"})", "1"},
                          {R"(danelaw_resolver_validating{resolver="192.0.2.54@5353"})", "0"}}));
}

TEST(Metrics, CountRequestsByRouteAndStatus) {
  web::RequestStats traffic;
  traffic.count("/api/v1/domains", 200, std::chrono::milliseconds{3});
  traffic.count("/api/v1/domains", 200, std::chrono::milliseconds{30});
  traffic.count("none", 404, std::chrono::milliseconds{1});
  traffic.open_stream();
  const auto seen =
      read(web::metrics_text({}, {.requests = traffic.answered(), .streams = traffic.streams()}));
  EXPECT_THAT(seen.faults, IsEmpty());
  EXPECT_THAT(
      seen.series,
      IsSupersetOf(Series{
          {R"(danelaw_http_requests_total{handler="/api/v1/domains",code="200"})", "2"},
          {R"(danelaw_http_requests_total{handler="none",code="404"})", "1"},
          {R"(danelaw_http_request_duration_seconds_bucket{handler="/api/v1/domains",code="200",)"
           R"(le="0.005"})",
           "1"},
          {R"(danelaw_http_request_duration_seconds_count{handler="/api/v1/domains",code="200"})",
           "2"},
          {"danelaw_event_stream_clients", "1"}}));
}

TEST(Metrics, KnowHowManySeriesTheyAre) {
  const auto text = web::metrics_text(support::Service{}.snapshot, {});
  EXPECT_EQ(web::series_in(text), read(text).series.size());
  EXPECT_EQ(web::series_in("# HELP a b\n# TYPE a gauge\na 1\na{b=\"c\"} 2\n"), 2U);
}

TEST(Metrics, SumUpHowLongThingsTook) {
  agent::Snapshot snapshot;
  for (const auto milliseconds : {5, 6, 700, 31'000})
    snapshot.counts.sessions.add(std::chrono::milliseconds{milliseconds});
  const auto seen = read(snapshot);
  EXPECT_THAT(seen.faults, IsEmpty());
  EXPECT_THAT(seen.series,
              IsSupersetOf(Series{
                  {R"(danelaw_probe_duration_seconds_bucket{stage="session",le="0.005"})", "1"},
                  {R"(danelaw_probe_duration_seconds_bucket{stage="session",le="0.01"})", "2"},
                  {R"(danelaw_probe_duration_seconds_bucket{stage="session",le="1"})", "3"},
                  {R"(danelaw_probe_duration_seconds_bucket{stage="session",le="30"})", "3"},
                  {R"(danelaw_probe_duration_seconds_bucket{stage="session",le="+Inf"})", "4"},
                  {R"(danelaw_probe_duration_seconds_count{stage="session"})", "4"},
                  {"danelaw_storage_write_duration_seconds_count", "0"}}));
}

TEST(Metrics, SayThatTheLastReloadFailed) {
  const auto seen =
      read(web::metrics_text({}, {.reload = {.is_good = false, .succeeded_at = support::kNow}}));
  EXPECT_THAT(
      seen.series,
      IsSupersetOf(Series{{"danelaw_config_last_reload_successful", "0"},
                          {"danelaw_config_last_reload_success_timestamp_seconds", "1800000000"}}));
}

TEST(Metrics, ArePassedByPromtool) {
  support::Service service;
  const support::TemporaryFolder folder;
  const auto file = folder.path() / "metrics.txt";
  std::ofstream{file} << web::metrics_text(
      service.snapshot,
      {.build = {.version = "1.2.3"}, .notifiers = service.backend().notifiers()});
  const auto command = "promtool check metrics <" + file.string() + " 2>&1";
  auto* pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string said;
  for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) said += static_cast<char>(c);
  EXPECT_EQ(pclose(pipe), 0) << "promtool (package prometheus, see script/setup) says:\n" << said;
}

}  // namespace

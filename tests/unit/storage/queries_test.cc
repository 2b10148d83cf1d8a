#include "storage/queries.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/storage/store.h"

namespace {

using agent::AlertState;
using probes::Status;
using support::alert;
using support::domain_round;
using support::host_round;
using support::kMinute;
using support::kNow;
using support::Scene;
using support::Store;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

template <class T>
T must(storage::Queries::OrFault<T> answer) {
  if (!answer) throw std::runtime_error(answer.error());
  return std::move(*answer);
}

// The baseline under another name, and how it is.
enum class Health { ok, warning, critical, unknown };
agent::Round look(const std::string& domain, Health health, config::Time at = kNow) {
  Scene scene;
  scene.domain.domain = support::name(domain);
  scene.domain.observed_at = at;
  if (health == Health::critical) scene.serve({support::Pki::get().old_leaf.certificate});
  if (health == Health::warning) {
    scene.mx().tlsa.status = scene.mx().a.status = scene.mx().aaaa.status =
        probes::dns::DnssecStatus::insecure;
    scene.domain.mx.status = probes::dns::DnssecStatus::insecure;
  }
  auto round = domain_round(scene, at);
  if (health == Health::unknown) {
    round.judged[0].judged = std::make_shared<const probes::DomainJudgement>(
        probes::judge_blind(round.domain, "dns", "no answer"));
  }
  return round;
}

class QueriesOf : public testing::Test {
 protected:
  std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const auto& row : must(queries_->domains())) out.push_back(row.name);
    return out;
  }
  std::vector<std::string> alert_ids(std::optional<AlertState> state, std::size_t limit = 100) {
    std::vector<std::string> out;
    for (const auto& one : must(queries_->alerts(state, limit))) out.push_back(one.id);
    return out;
  }

  Store store_;
  std::unique_ptr<storage::Queries> queries_ = store_.queries();
};

using DomainQueries = QueriesOf;
using AlertQueries = QueriesOf;

TEST_F(DomainQueries, ShowADomainAsItWasLastSeen) {
  Scene scene;
  scene.serve({support::Pki::get().old_leaf.certificate});
  const auto round = domain_round(scene);
  store_.record(round);
  const auto row = must(queries_->domain("example.test"));
  ASSERT_TRUE(row);
  EXPECT_EQ(row->role, "inbound");
  EXPECT_EQ(row->group, "ours");
  EXPECT_EQ(row->verdict, "deferred");
  EXPECT_EQ(row->weakest, "deferred");
  EXPECT_EQ(row->severity, "critical");
  EXPECT_EQ(row->status, Status::critical);
  EXPECT_EQ(row->worst_code, "tlsa-mismatch");
  EXPECT_EQ(row->worst_severity, "critical");
  EXPECT_THAT(row->worst_title.value_or(""), HasSubstr("mx.example.test"));
  EXPECT_EQ(row->mx_hosts, 1);
  EXPECT_EQ(row->dane_mx_hosts, 1);
  EXPECT_EQ(row->observed_at, kNow);
  EXPECT_EQ(row->next_check_at, kNow + 15 * kMinute);
  const auto report = nlohmann::json::parse(row->report.value_or("null"));
  EXPECT_EQ(report["schema"], "danelaw.check/1");
  EXPECT_EQ(report["domain"], "example.test");
}

TEST_F(DomainQueries, ShowNothingMadeUpOfADomainThatWasNeverLookedAt) {
  store_.keep_only({{.name = "new.test"}});
  const auto row = must(queries_->domain("new.test"));
  ASSERT_TRUE(row);
  EXPECT_EQ(row->status, Status::unknown);
  EXPECT_EQ(row->severity, "info");
  for (const auto& text : {row->verdict, row->weakest, row->worst_code, row->worst_severity,
                           row->worst_title, row->report})
    EXPECT_FALSE(text);
  EXPECT_FALSE(row->observed_at);
  EXPECT_FALSE(row->next_check_at);
}

TEST_F(DomainQueries, HaveNothingOfANameThatIsNotWatched) {
  store_.keep_only({{.name = "new.test"}});
  for (const auto* name : {"old.test", "", "new", "NEW.test", "%", "' OR 1=1 --"})
    EXPECT_FALSE(must(queries_->domain(name))) << name;
}

TEST_F(DomainQueries, SeeWhatWasRecordedAfterTheyWereOpened) {
  EXPECT_THAT(names(), IsEmpty());
  store_.record(look("a.test", Health::ok));
  EXPECT_THAT(names(), ElementsAre("a.test"));
}

TEST_F(DomainQueries, KnowTheHostsOfThePastToo) {
  Scene scene;
  store_.record(domain_round(scene, kNow));
  scene.domain.hosts = {{.name = support::name("mx.new.test"), .preference = 10}};
  store_.record(domain_round(scene, kNow + kMinute));
  const auto hosts = [&](const char* domain, config::Time from, config::Time until) {
    return must(queries_->hosts_between(domain, from, until));
  };
  constexpr auto kEver = std::pair(config::Time::min(), config::Time::max());
  EXPECT_THAT(hosts("example.test", kEver.first, kEver.second),
              ElementsAre("mx.new.test", "mx.example.test"));
  EXPECT_THAT(hosts("example.test", kNow + kMinute, kEver.second), ElementsAre("mx.new.test"));
  EXPECT_THAT(hosts("example.test", kEver.first, kNow), ElementsAre("mx.example.test"));
  EXPECT_THAT(hosts("other.test", kEver.first, kEver.second), IsEmpty());
  const auto events = must(queries_->history({.names = {"example.test"}, .limit = 100}));
  EXPECT_EQ(std::ranges::count(events, "mx", &storage::Event::kind), 2);
}

TEST_F(DomainQueries, ReadAStatusInTheWordsItWasWrittenIn) {
  store_.record(look("d.test", Health::ok));
  store_.record(look("c.test", Health::critical));
  store_.record(look("b.test", Health::warning));
  store_.record(look("a.test", Health::unknown));
  std::vector<std::pair<std::string, Status>> seen;
  for (const auto& row : must(queries_->domains())) seen.emplace_back(row.name, row.status);
  EXPECT_THAT(seen, ElementsAre(Pair("a.test", Status::unknown), Pair("b.test", Status::warning),
                                Pair("c.test", Status::critical), Pair("d.test", Status::ok)));
}

TEST_F(DomainQueries, KnowSinceWhenMailFaresAsItDoes) {
  const auto since = [&](probes::Delivery now) -> std::optional<config::Time> {
    const auto found = must(queries_->delivery_since({{"a.test", now}, {"b.test", now}}));
    EXPECT_FALSE(found.contains("b.test")) << "it was never looked at";
    const auto entry = found.find("a.test");
    return entry == found.end() ? std::nullopt : std::optional{entry->second};
  };
  EXPECT_EQ(since(probes::Delivery::unknown), std::nullopt);
  store_.record(look("a.test", Health::ok, kNow));
  EXPECT_EQ(since(probes::Delivery::fine), kNow);
  EXPECT_EQ(since(probes::Delivery::held_up), std::nullopt) << "not recorded yet";
  store_.record(look("a.test", Health::ok, kNow + kMinute));
  EXPECT_EQ(since(probes::Delivery::fine), kNow);
  store_.record(look("a.test", Health::critical, kNow + 2 * kMinute));
  EXPECT_EQ(since(probes::Delivery::held_up), kNow + 2 * kMinute);
  store_.record(look("a.test", Health::unknown, kNow + 3 * kMinute));
  EXPECT_EQ(since(probes::Delivery::unknown), kNow + 3 * kMinute);
  store_.record(look("a.test", Health::critical, kNow + 4 * kMinute));
  EXPECT_EQ(since(probes::Delivery::held_up), kNow + 2 * kMinute)
      << "what we could not see ended nothing";
  store_.record(look("a.test", Health::warning, kNow + 5 * kMinute));
  store_.record(look("a.test", Health::critical, kNow + 6 * kMinute));
  EXPECT_EQ(since(probes::Delivery::held_up), kNow + 6 * kMinute);
}

TEST_F(DomainQueries, KnowWhereAVerdictChangedOfLate) {
  const auto since = [&](config::Time time) { return must(queries_->changed_domains(time)); };
  EXPECT_THAT(since(kNow), IsEmpty());
  store_.record(look("a.test", Health::ok, kNow));
  store_.record(look("b.test", Health::ok, kNow + 10 * kMinute));
  store_.record(look("a.test", Health::ok, kNow + 20 * kMinute));
  EXPECT_THAT(since(kNow), ElementsAre("a.test", "b.test"));
  EXPECT_THAT(since(kNow + kMinute), ElementsAre("b.test"));
  store_.record(look("a.test", Health::critical, kNow + 30 * kMinute));
  EXPECT_THAT(since(kNow + 15 * kMinute), ElementsAre("a.test"));
}

TEST_F(AlertQueries, ComeFiringFirstThenPendingThenTheNewestResolved) {
  auto first_ended = alert("r-old", AlertState::resolved, kNow + kMinute);
  auto last_ended = alert("r-new", AlertState::resolved);
  last_ended.resolved_at = kNow + 2 * kMinute;
  last_ended.finding.severity = probes::Severity::high;  // what is over is in order of time alone
  auto high = alert("f-high", AlertState::firing, kNow + kMinute);
  high.finding.severity = probes::Severity::high;
  auto round = domain_round(Scene{});
  auto medium = alert("f-medium", AlertState::firing, kNow + 5 * kMinute);  // newer, and not worse
  medium.finding.severity = probes::Severity::medium;
  round.alerts = {first_ended, last_ended, alert("p", AlertState::pending, kNow + kMinute),
                  medium,      high,       alert("f-critical", AlertState::firing)};
  store_.record(round);
  EXPECT_THAT(alert_ids(std::nullopt),
              ElementsAre("f-critical", "f-high", "f-medium", "p", "r-new", "r-old"));
  EXPECT_THAT(alert_ids(std::nullopt, 4), ElementsAre("f-critical", "f-high", "f-medium", "p"));
  EXPECT_THAT(alert_ids(AlertState::firing), ElementsAre("f-critical", "f-high", "f-medium"));
  EXPECT_THAT(alert_ids(AlertState::pending), ElementsAre("p"));
  EXPECT_THAT(alert_ids(AlertState::resolved), ElementsAre("r-new", "r-old"));
}

TEST(Queries, NeedAFileThatIsThereAndNeverMakeOne) {
  const support::TemporaryFolder folder;
  const auto file = folder.path() / "missing.db";
  const auto opened = storage::Queries::open(file);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error(), file.string() + ": unable to open database file");
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(Queries, TellAFaultInWords) {
  Store store;
  const auto queries = store.queries();
  store.outside().execute("DROP TABLE domain");
  const auto page = queries->domains();
  ASSERT_FALSE(page);
  EXPECT_THAT(page.error(), HasSubstr("domain"));
}

TEST(Queries, CountTheRowsOfEveryTableNowAndThen) {
  Store store;
  const auto queries = store.queries();
  store.record(host_round(Scene{}));
  const auto counted = must(queries->row_counts());
  EXPECT_EQ(counted.at("version"), store.outside().integer("SELECT count(*) FROM version"));
  EXPECT_GT(counted.at("version"), 0);
  EXPECT_EQ(counted.at("silence"), 0);
  store.outside().execute("DELETE FROM version");
  EXPECT_EQ(must(queries->row_counts()), counted) << "no scrape counts again so soon";
}

TEST(Queries, KnowTheSizeOfTheDatabase) {
  Store store;
  store.record(host_round(Scene{}));
  if (store.place().is_postgresql()) {
    EXPECT_GT(must(store.queries()->size_bytes()), 100'000U);
    return;
  }
  store.outside().execute("PRAGMA wal_checkpoint(TRUNCATE)");
  EXPECT_EQ(must(store.queries()->size_bytes()), std::filesystem::file_size(store.file()));
}

}  // namespace

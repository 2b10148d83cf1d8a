#include "storage/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/storage/store.h"

namespace {

using agent::AlertState;
using support::alert;
using support::domain_round;
using support::host_round;
using support::kMinute;
using support::kNow;
using support::Pki;
using support::Scene;
using support::Store;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

// ---- history

TEST(History, ALookHasOneRowForEachFact) {
  Store store;
  const Scene scene;
  store.record(domain_round(scene));
  store.record(host_round(scene));
  EXPECT_THAT(
      store.rows("SELECT s.kind || ' ' || s.name FROM version v JOIN subject s "
                 "ON s.id = v.subject"),
      UnorderedElementsAre(
          "mx example.test", "addresses mx.example.test", "tlsa _25._tcp.mx.example.test",
          "signature mx.example.test", "published mx.example.test|*",
          "session mx.example.test|192.0.2.1|25|default", "chain mx.example.test|192.0.2.1/default",
          "session mx.example.test|2001:db8::1|25|default",
          "chain mx.example.test|2001:db8::1/default", "verdict example.test",
          "findings example.test", "host-verdict mx.example.test"));
}

TEST(History, AnUnchangedFactOnlyMovesItsLastSeen) {
  Store store;
  const Scene scene;
  store.record(host_round(scene));
  const auto before = store.rows("SELECT id FROM version");
  store.record(host_round(scene, kNow + kMinute));
  EXPECT_EQ(store.rows("SELECT id FROM version"), before);
  EXPECT_THAT(store.versions("tlsa"), ElementsAre("0..60 open"));
  EXPECT_THAT(store.versions("chain"), Each("0..60 open"));
}

// Which of two sets the resolver has got hold of is chance.
TEST(History, WhereNameServersDifferTheResolversLuckIsNoChange) {
  Store store;
  Scene scene;
  const auto &one = *Pki::get().leaf.certificate, &other = *Pki::get().old_leaf.certificate;
  for (const auto* certificate : {&one, &other}) {
    auto record = support::record(3, 1, 1, *certificate);
    probes::dns::Bytes data{record.usage, record.selector, record.matching_type};
    data.insert(data.end(), record.data.begin(), record.data.end());
    scene.mx().survey.answers.push_back(
        {.server = {.name = support::name(certificate == &one ? "ns1.test" : "ns2.test")},
         .question = {scene.mx().tlsa.final_name, probes::dns::type::tlsa},
         .outcome = probes::dns::Outcome::answer,
         .data = {std::move(data)}});
  }
  for (int look = 0; look < 4; ++look) {
    scene.publish({support::record(3, 1, 1, look % 2 == 0 ? one : other)});
    store.record(host_round(scene, kNow + look * kMinute));
  }
  EXPECT_THAT(store.versions("tlsa"), ElementsAre("0..180 open"));
}

TEST(History, AChangedFactClosesItsVersionAndOpensTheNext) {
  Store store;
  Scene scene;
  store.record(host_round(scene));
  const auto first = scene.mx().records;
  scene.publish({support::record(3, 1, 1, *Pki::get().old_leaf.certificate)});
  store.record(host_round(scene, kNow + kMinute));
  EXPECT_THAT(store.versions("tlsa"), ElementsAre("0..0 closed", "60..60 open"));
  EXPECT_THAT(store.versions("addresses"), ElementsAre("0..60 open"));
  // Back again: a third version, with the content of the first stored once.
  scene.publish(first);
  store.record(host_round(scene, kNow + 2 * kMinute));
  EXPECT_THAT(store.versions("tlsa"), ElementsAre("0..0 closed", "60..60 closed", "120..120 open"));
  EXPECT_THAT(store.rows("SELECT DISTINCT v.content FROM version v JOIN subject s "
                         "ON s.id = v.subject WHERE s.kind = 'tlsa'"),
              SizeIs(2));
}

TEST(History, OfTwoBackEndsBehindOneAddressTheFirstToAnswerIsTheEndpointsState) {
  Store store;
  Scene scene;
  scene.mx().sessions.push_back(support::session(
      "192.0.2.1", {Pki::get().old_leaf.certificate, Pki::get().inter.certificate}));
  store.record(host_round(scene));
  store.record(host_round(scene, kNow + kMinute));
  EXPECT_THAT(store.versions("chain"), ElementsAre("0..60 open", "0..60 open"));
}

// The ends of signatures as they are read back.
std::vector<config::Time> read_signatures(Store& store) {
  const auto read = store.recorder().host_history(support::name("mx.example.test"), kNow - kMinute);
  if (!read) throw std::runtime_error(read.error().detail);
  std::vector<config::Time> out;
  for (const auto& version : read->signatures.at(agent::kAllServers))
    out.push_back(version.what->expiration);
  return out;
}

TEST(History, AZoneSignedAnewDoesNotCopyItsRecordsAndShowsTheHabitOfSigning) {
  Store store;
  Scene scene;
  const auto first = scene.mx().tlsa.signatures->expiration;
  store.record(host_round(scene));
  scene.mx().tlsa.signatures->expiration += kMinute;
  store.record(host_round(scene, kNow + kMinute));
  EXPECT_THAT(store.versions("tlsa"), ElementsAre("0..60 open"));
  EXPECT_THAT(store.versions("signature"), ElementsAre("0..0 closed", "60..60 open"));
  EXPECT_THAT(read_signatures(store), ElementsAre(first, first + kMinute));
}

TEST(History, KeysOfAZoneAreVersionsByTheTimeTheyWereGiven) {
  Store store;
  const auto zone = support::name("example.test");
  probes::dns::KeySets seen{.zone = zone,
                            .ds = {{{13, 1111}}, config::Seconds{86400}},
                            .dnskey = {{{13, 1111}, {8, 5}}, config::Seconds{3600}},
                            .ds_given_at = kNow - 3 * kMinute,
                            .dnskey_given_at = kNow};
  agent::ZonePast past;
  const auto look = [&](config::Time at) {
    agent::Round round{.target = {.name = zone}, .at = at};
    if (auto news = record_key_set(past, std::make_shared<const probes::dns::KeySets>(seen)))
      round.zones.push_back(*news);
    store.record(round);
  };
  look(kNow);
  seen.dnskey.keys.erase({13, 1111});
  seen.dnskey_given_at = kNow + kMinute;
  look(kNow + 2 * kMinute);
  EXPECT_THAT(store.versions("ds"), ElementsAre("-180..-180 open"));
  EXPECT_THAT(store.versions("dnskey"), ElementsAre("0..0 closed", "60..60 open"));

  const auto read = store.recorder().zone_past(zone, kNow - kMinute);
  ASSERT_TRUE(read) << read.error().detail;
  ASSERT_THAT(read->ds, SizeIs(1));
  EXPECT_EQ(read->ds[0].what, seen.ds);
  ASSERT_THAT(read->dnskey, SizeIs(2));
  EXPECT_EQ(read->dnskey[1].what, seen.dnskey);
  EXPECT_EQ(read->dnskey[1].first_seen, kNow + kMinute);
}

TEST(History, RecordsThatAreGoneAreAVersionToo) {
  Store store;
  Scene scene;
  store.record(host_round(scene));
  scene.mx().tlsa = support::absent("_25._tcp.mx.example.test", probes::dns::type::tlsa);
  scene.publish({});
  store.record(host_round(scene, kNow + kMinute));
  EXPECT_THAT(store.versions("tlsa"), ElementsAre("0..0 closed", "60..60 open"));
}

TEST(History, WhatWasPublishedAndPresentedIsReadBackWhole) {
  Store store;
  Scene scene;
  store.record(host_round(scene));
  const auto first = scene.mx().records;
  scene.publish({support::record(3, 1, 1, *Pki::get().old_leaf.certificate)});
  store.record(host_round(scene, kNow + kMinute));
  store.reopen();
  const auto read = store.recorder().host_history(scene.mx().host, kNow - kMinute);
  ASSERT_TRUE(read);
  const auto& published = read->servers.at("*");
  ASSERT_EQ(published.size(), 2U);
  EXPECT_EQ(published[0].what.records, first);
  EXPECT_TRUE(published[0].what.is_secure);
  EXPECT_EQ(published[1].what.records, scene.mx().records);
  EXPECT_EQ(published[1].first_seen, kNow + kMinute);
  const auto& presented = read->endpoints.at("192.0.2.1/default");
  ASSERT_EQ(presented.size(), 1U);
  EXPECT_EQ(presented[0].last_seen, kNow + kMinute);
  EXPECT_EQ(presented[0].what.front()->der, scene.mx().sessions[0].tls->chain.front()->der);
}

TEST(History, SignaturesOfServersThatDifferAndOfTheMxRRsetAreReadBack) {
  Store store;
  Scene scene;
  const agent::Signature common{.inception = kNow, .expiration = kNow + 2 * kMinute};
  const agent::Signature sliding{
      .inception = kNow, .expiration = kNow + kMinute, .slides_from = kNow};
  auto round = host_round(scene);
  round.sample.signatures = {{agent::kAllServers, common}, {"ns2 192.0.2.54", sliding}};
  store.record(round);
  auto later = host_round(scene, kNow + kMinute);
  later.sample.signatures = {{agent::kAllServers, common}, {"ns2 192.0.2.54", std::nullopt}};
  store.record(later);
  auto mx = domain_round(scene);
  mx.mx_signature = sliding;
  store.record(mx);
  store.reopen();
  const auto read = store.recorder().host_history(scene.mx().host, kNow - kMinute);
  ASSERT_TRUE(read);
  const auto& all = read->signatures.at(agent::kAllServers);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].what, common);
  EXPECT_EQ(all[0].last_seen, kNow + kMinute);
  const auto& other = read->signatures.at("ns2 192.0.2.54");
  ASSERT_EQ(other.size(), 2U);
  EXPECT_EQ(other[0].what, sliding);
  EXPECT_EQ(other[1].what, std::nullopt);
  const auto signatures = store.recorder().mx_signatures(mx.target.name, kNow - kMinute);
  ASSERT_TRUE(signatures);
  ASSERT_EQ(signatures->size(), 1U);
  EXPECT_EQ(signatures->front().what, sliding);
}

TEST(History, HowLongCachesBelieveWhatNothingVouchesForIsReadBack) {
  Store store;
  Scene scene;
  store.record(host_round(scene));
  auto lost = host_round(scene, kNow + kMinute);
  const agent::Published unprotected{.delegation_ttl = config::Seconds{86400}};
  lost.sample.servers = {{"*", unprotected}};
  store.record(lost);
  store.reopen();
  const auto read = store.recorder().host_history(scene.mx().host, kNow - kMinute);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->servers.at("*").back().what, unprotected);
}

struct LookupRow {
  std::string kind;  // of the fact that depends on the lookup
  agent::Round (*look)(const Scene&, config::Time);
  probes::dns::Answer& (*lookup)(Scene&);
};

const LookupRow lookup_rows[] = {
    {"mx", domain_round, [](Scene& scene) -> auto& { return scene.domain.mx; }},
    {"addresses", host_round, [](Scene& scene) -> auto& { return scene.mx().a; }},
    {"addresses", host_round, [](Scene& scene) -> auto& { return scene.mx().aaaa; }},
    {"tlsa", host_round, [](Scene& scene) -> auto& { return scene.mx().tlsa; }},
};

TEST(History, AFailedLookupLeavesWhatWasKnownAndItsRecoveryEndsTheFailure) {
  for (const auto& row : lookup_rows) {
    Store store;
    const Scene healthy;
    Scene broken;
    auto& lookup = row.lookup(broken);
    SCOPED_TRACE(row.kind + " by type " + std::to_string(lookup.type));
    lookup = support::failed(lookup.name.text(), lookup.type, probes::dns::Cause::servfail);

    store.record(row.look(healthy, kNow));
    store.record(row.look(broken, kNow + kMinute));
    store.record(row.look(broken, kNow + 2 * kMinute));
    EXPECT_THAT(store.versions(row.kind), ElementsAre("0..0 open"));
    EXPECT_THAT(store.versions("failure"), ElementsAre("60..120 open"));

    store.record(row.look(healthy, kNow + 3 * kMinute));
    EXPECT_THAT(store.versions(row.kind), ElementsAre("0..180 open"));
    EXPECT_THAT(store.versions("failure"), ElementsAre("60..120 closed"));
  }
}

TEST(History, WhatIsOpenGoesOnAfterARestart) {
  Store store;
  const Scene healthy;
  Scene broken;
  broken.domain.mx =
      support::failed("example.test", probes::dns::type::mx, probes::dns::Cause::servfail);
  store.record(domain_round(healthy));
  store.record(domain_round(broken, kNow + kMinute));
  store.reopen();
  store.record(domain_round(healthy, kNow + 2 * kMinute));
  EXPECT_THAT(store.versions("mx"), ElementsAre("0..120 open"));
  EXPECT_THAT(store.versions("failure"), ElementsAre("60..60 closed"));
  store.record(domain_round(broken, kNow + 3 * kMinute));
  EXPECT_THAT(store.versions("failure"), ElementsAre("60..60 closed", "180..180 open"));
}

TEST(History, AFailureOfAnotherCauseIsAnotherVersion) {
  Store store;
  Scene scene;
  scene.domain.mx =
      support::failed("example.test", probes::dns::type::mx, probes::dns::Cause::timeout);
  store.record(domain_round(scene));
  scene.domain.mx.cause = probes::dns::Cause::bogus;
  store.record(domain_round(scene, kNow + kMinute));
  EXPECT_THAT(store.versions("failure"), ElementsAre("0..0 closed", "60..60 open"));
}

TEST(History, ASessionWithoutACertificateLeavesTheChainThatWasKnown) {
  Store store;
  Scene scene;
  store.record(host_round(scene));
  for (auto& session : scene.mx().sessions) {
    session.stage = probes::smtp::Stage::connect;
    session.stop = probes::smtp::SessionStop::connect_refused;
    session.tls.reset();
  }
  store.record(host_round(scene, kNow + kMinute));
  EXPECT_THAT(store.versions("chain"), Each("0..0 open"));
  EXPECT_THAT(store.versions("session"), Contains("60..60 open").Times(2));
}

// ---- one round, one transaction

// Everything in the file.
std::vector<std::string> contents(Store& store) {
  return store.rows(
      "SELECT 's' || id || kind || name FROM subject "
      "UNION ALL SELECT 'v' || subject || content || first_seen || last_seen || is_open FROM "
      "version "
      "UNION ALL SELECT 'c' || body FROM content "
      "UNION ALL SELECT 'd' || name || coalesce(observed_at || '', '') || coalesce(report, '') "
      "FROM domain "
      "UNION ALL SELECT 'a' || id || state || last_seen FROM alert "
      "UNION ALL SELECT 't' || at || alert || what || reason FROM transition ORDER BY 1");
}

TEST(OneRound, IsThereWhollyOrNotAtAllWhereverItBreaks) {
  Store store;
  Scene scene;
  auto round = host_round(scene);
  round.alerts = {alert("a-1", AlertState::pending), alert("a-2", AlertState::pending)};
  store.record(round);
  const auto before = contents(store);

  scene.publish({support::record(3, 1, 1, *Pki::get().old_leaf.certificate)});
  scene.mx().aaaa = support::failed("mx.example.test", probes::dns::type::aaaa,
                                    probes::dns::Cause::servfail);  // a subject that is new
  auto next = host_round(scene, kNow + kMinute);
  next.alerts = {alert("a-1", AlertState::firing)};
  next.forgotten = {"a-2"};
  next.transitions = {{agent::Transition::What::opened, "a-1", "seen twice"}};
  for (const auto& [event, table] :
       std::vector<std::pair<std::string, std::string>>{{"INSERT", "subject"},
                                                        {"INSERT", "content"},
                                                        {"INSERT", "version"},
                                                        {"UPDATE", "version"},
                                                        {"INSERT", "domain"},
                                                        {"INSERT", "alert"},
                                                        {"DELETE", "alert"},
                                                        {"INSERT", "transition"}}) {
    SCOPED_TRACE(event + " " + table);
    store.break_table(event, table);
    const auto done = store.recorder().record(next);
    store.mend_table(table);
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().detail, HasSubstr(store.place().words() + ": the disk is full"));
    EXPECT_EQ(contents(store), before);
  }
  store.record(next);  // nothing of the failures is left behind
  EXPECT_THAT(store.rows("SELECT id || ' ' || state FROM alert"), ElementsAre("a-1 firing"));
  EXPECT_THAT(store.rows("SELECT what || ' ' || reason FROM transition"),
              ElementsAre("opened seen twice"));
  EXPECT_THAT(store.versions("tlsa"), ElementsAre("0..0 closed", "60..60 open"));
}

TEST(OneRound, HoldsNothingOfTheFileOnceItIsRecorded) {
  Store store;
  const Scene scene;
  store.record(host_round(scene));
  store.record(host_round(scene, kNow + kMinute));
  if (!store.place().is_postgresql()) {
    EXPECT_EQ(store.outside().integer("PRAGMA wal_checkpoint(TRUNCATE)"), 0) << "busy";
  }
  store.outside().execute("DELETE FROM transition");  // another writer in between
  store.record(host_round(scene, kNow + 2 * kMinute));
  EXPECT_THAT(store.versions("tlsa"), ElementsAre("0..120 open"));
}

// ---- alerts

TEST(OpenAlerts, AreTheSameInEveryFieldAfterTheFileWasClosed) {
  Store store;
  auto pending = alert("p-1", AlertState::pending);
  pending.finding = {.code = probes::Code::host_down,
                     .severity = probes::Severity::high,
                     .subject = {.kind = probes::Subject::Kind::domain, .name = "example.test"},
                     .evidence = {{"stage", "connect"}, {"detail", "no route"}},
                     .addresses = {"192.0.2.1", "2001:db8::1"},
                     .consequence_of = probes::Code::ds_broken,
                     .consequences = {{probes::Code::downgrade, {.name = "example.test"}}},
                     .is_whole_cause = false,
                     .remedy = probes::Remedy{.owner = "_25._tcp.mx.example.test",
                                              .zone = "example.test",
                                              .ttl = kMinute,
                                              .server = "ns1 (192.0.2.53)",
                                              .publish = {"3 1 1 ab"},
                                              .remove = {"3 1 1 cd"},
                                              .recovers_after = kMinute,
                                              .recovers_at = kNow},
                     .refused_since = kNow,
                     .is_in_caches_only = true,
                     .key = probes::KeyPast{.since = kNow,
                                            .is_since_before = true,
                                            .record_removed_at = kNow + kMinute,
                                            .is_unannounced = true},
                     .gaps = {{.server = "ns1 (192.0.2.53)",
                               .lacks = {"3 1 1 ab"},
                               .keeps = {"3 1 1 cd"},
                               .given_by = "ns2 (192.0.2.54)",
                               .since = kNow,
                               .is_refusing = true}}};
  pending.hits = {{.subject = pending.finding.subject, .domains = {"a.test"}, .holds_mail = true}};
  pending.last_seen_at = kNow + kMinute;
  pending.looks_seen = 2;
  auto firing = alert("f-1", AlertState::firing);
  firing.domains = {"a.test", "b.test"};
  firing.opened_at = kNow + 2 * kMinute;
  firing.looks_clean = 1;
  auto round = domain_round(Scene{});
  round.alerts = {pending, firing, alert("r-1", AlertState::resolved)};
  store.record(round);
  store.reopen();
  EXPECT_THAT(store.open_alerts(), ElementsAre(firing, pending));
}

TEST(OpenAlerts, KeepWhatTheProgramGoesByBesideTheEvidence) {
  Store store;
  auto foreseen = alert("f-1", AlertState::firing);
  foreseen.finding.due_at = kNow + kMinute;
  foreseen.finding.root = {.kind = probes::Subject::Kind::zone, .name = "example.test"};
  foreseen.finding.broken_above = probes::ChainBreak{.zone = "test", .is_ds_signature = true};
  // Evidence of the same name is for people.
  foreseen.finding.evidence = {{"publish-by", "2001-01-01T00:00:00Z"}, {"broken-at", "nowhere"}};
  auto round = domain_round(Scene{});
  round.alerts = {foreseen};
  store.record(round);
  store.reopen();
  EXPECT_THAT(store.open_alerts(), ElementsAre(foreseen));
}

// A file from before the fields were there has them in the evidence alone.
TEST(OpenAlerts, OfEarlierProgramsAreReadWithWhatStoodInTheirEvidence) {
  Store store;
  struct Row {
    probes::Code code;
    std::vector<probes::Evidence> evidence;
    std::optional<config::Time> due_at;
    std::optional<probes::Subject> root;
    std::optional<probes::ChainBreak> broken_above;
  };
  const std::vector<Row> rows{
      {.code = probes::Code::predicted_mismatch,
       .evidence = {{"publish-by", config::rfc3339(kNow)}},
       .due_at = kNow},
      {.code = probes::Code::ds_stale,
       .evidence = {{"zone", "example.test"}},
       .root = probes::Subject{.kind = probes::Subject::Kind::zone, .name = "example.test"}},
      {.code = probes::Code::ds_broken,
       .evidence = {{"cause", "ds-signature"}, {"broken-at", "test"}},
       .broken_above = probes::ChainBreak{.zone = "test", .is_ds_signature = true}},
      {.code = probes::Code::host_down, .evidence = {{"zone", "example.test"}}}};
  for (const auto& row : rows) {
    auto old = alert("o-1", AlertState::firing);
    old.finding.code = row.code;
    old.finding.evidence = row.evidence;
    auto round = domain_round(Scene{});
    round.alerts = {old};
    store.record(round);
    auto finding = nlohmann::json::parse(store.rows("SELECT finding FROM alert").at(0));
    finding.erase("typed");
    store.outside().prepare("UPDATE alert SET finding = ?").bind(finding.dump()).run();
    store.reopen();
    const auto read = store.open_alerts();
    ASSERT_THAT(read, SizeIs(1));
    EXPECT_EQ(read[0].finding.due_at, row.due_at) << wire_name(row.code);
    EXPECT_EQ(read[0].finding.root, row.root) << wire_name(row.code);
    EXPECT_EQ(read[0].finding.broken_above, row.broken_above) << wire_name(row.code);
  }
}

TEST(OpenAlerts, KeepTextsThatWouldBreakSqlOrJson) {
  Store store;
  for (const std::string text :
       {R"('; DROP TABLE alert; --)", R"("}],\u0000\)", "\x01\x07\x1b[31m\r\n\t\x7f",
        "ünïcødé \U0001f4a5", "%s%n ?1 :a @b"}) {
    SCOPED_TRACE(text);
    auto hostile = alert("h-1", AlertState::firing);
    hostile.finding.subject.name = text;
    hostile.finding.evidence = {{text, text}};
    hostile.finding.addresses = {text};
    hostile.domains = {text};
    auto round = domain_round(Scene{});
    round.alerts = {hostile};
    round.transitions = {{agent::Transition::What::opened, "h-1", text}};
    store.record(round);
    store.reopen();
    EXPECT_THAT(store.open_alerts(), ElementsAre(hostile));
    EXPECT_THAT(store.rows("SELECT reason FROM transition"), Contains(text));
  }
}

TEST(OpenAlerts, ShowOctetsThatAreNoUtf8AsReplaced) {
  Store store;
  const std::string hostile = "a\xff\xc3(";
  auto broken = alert("h-1", AlertState::firing);
  broken.finding.subject.name = hostile;
  broken.finding.evidence = {{"banner", hostile}};
  broken.domains = {hostile};
  auto scene = Scene{};
  scene.mx().tlsa = support::failed("_25._tcp.mx.example.test", probes::dns::type::tlsa,
                                    probes::dns::Cause::servfail);
  scene.mx().tlsa.detail = hostile;
  auto round = host_round(scene);
  round.alerts = {broken};
  store.record(round);
  const auto read = store.open_alerts();
  ASSERT_THAT(read, SizeIs(1));
  EXPECT_EQ(read[0].finding.subject.name, "a\ufffd\ufffd(");
  EXPECT_EQ(read[0].finding.evidence[0].value, "a\ufffd\ufffd(");
  EXPECT_THAT(read[0].domains, ElementsAre("a\ufffd\ufffd("));
}

TEST(OpenAlerts, APendingOneThatIsForgottenIsGoneWhileOthersStay) {
  Store store;
  auto round = domain_round(Scene{});
  round.alerts = {alert("p-1", AlertState::pending), alert("p-2", AlertState::pending),
                  alert("f-1", AlertState::firing), alert("r-1", AlertState::resolved)};
  store.record(round);
  round.alerts = {};
  round.forgotten = {"p-1", "f-1", "r-1"};
  store.record(round);
  EXPECT_THAT(store.rows("SELECT id FROM alert ORDER BY id"), ElementsAre("f-1", "p-2", "r-1"));
}

TEST(OpenAlerts, AResolvedOneIsNoLongerOpenButKept) {
  Store store;
  auto round = domain_round(Scene{});
  round.alerts = {alert("f-1", AlertState::firing)};
  store.record(round);
  round.alerts = {alert("f-1", AlertState::resolved)};
  store.record(round);
  EXPECT_THAT(store.open_alerts(), IsEmpty());
  EXPECT_THAT(store.rows("SELECT id || ' ' || state FROM alert"), ElementsAre("f-1 resolved"));
}

TEST(OpenAlerts, ThoseThatEndedLatelyComeToo) {
  Store store;
  auto round = domain_round(Scene{});
  round.alerts = {alert("r-old", AlertState::resolved), alert("p-old", AlertState::passed),
                  alert("r-new", AlertState::resolved, kNow + kMinute)};
  store.record(round);
  const auto restored = store.restore(kNow + kMinute);
  EXPECT_THAT(restored.alerts, ElementsAre(alert("r-new", AlertState::resolved, kNow + kMinute)));
}

TEST(OpenAlerts, KeepWhoHasThemInHandAndWhatWasTold) {
  Store store;
  auto told = alert("f-1", AlertState::firing);
  told.cause = {.kind = probes::Subject::Kind::owner, .name = "tlsa.example.test"};
  told.hits.push_back({.subject = {.kind = probes::Subject::Kind::host, .name = "mx2.example.test"},
                       .domains = {"b.test"},
                       .refused_keys = {"aa", "bb"},
                       .severity = probes::Severity::high,
                       .direction = config::Role::outbound});
  told.direction = config::Role::outbound;
  told.relapses = 2;
  told.told_at = kNow + kMinute;
  told.told_severity = probes::Severity::high;
  told.told_to = {"chat", "pager"};
  told.acknowledged = agent::Acknowledgement{
      .by = "me \x01", .comment = "“soon”", .at = kNow, .until = kNow + kMinute};
  auto forever = alert("f-2", AlertState::firing);
  forever.acknowledged = agent::Acknowledgement{.at = kNow};
  auto round = domain_round(Scene{});
  round.alerts = {told, forever};
  store.record(round);
  store.reopen();
  EXPECT_THAT(store.open_alerts(), ElementsAre(told, forever));
}

TEST(OpenAlerts, OfAnOlderDanelawHaveTheirSubjectAsCause) {
  Store store;
  const auto known = alert("f-1", AlertState::firing);
  auto round = domain_round(Scene{});
  round.alerts = {known};
  store.record(round);
  store.outside().execute("UPDATE alert SET rest = '{}'");
  EXPECT_THAT(store.open_alerts(), ElementsAre(known));
}

// ---- what people ask for

agent::Silence silence(const std::string& id, config::Time ends) {
  return {.id = id,
          .matchers = {{.name = "mx", .value = "mx\\..*", .is_regex = true, .is_equal = false}},
          .starts_at = kNow,
          .ends_at = ends,
          .created_by = "me",
          .comment = "planned",
          .expected_key = std::string(64, 'a')};
}

TEST(Wishes, SilencesAndExceptionsSurviveARestart) {
  Store store;
  auto round = domain_round(Scene{});
  round.silences = {silence("s-1", kNow + kMinute), silence("s-2", kNow + 2 * kMinute)};
  round.exceptions = {
      {.domain = "a.test", .level = "encrypt", .made_at = kNow, .until = kNow + kMinute},
      {.domain = "b.test", .level = "may", .made_at = kNow, .until = kNow + kMinute}};
  store.record(round);
  agent::Round end{.at = kNow};
  end.ended_exceptions = {"a.test"};
  store.record(end);
  store.reopen();
  EXPECT_THAT(store.restore(kNow).silences, ElementsAre(round.silences[0], round.silences[1]));
  EXPECT_THAT(store.restore(kNow).exceptions, ElementsAre(round.exceptions[1]));
  EXPECT_THAT(store.restore(kNow + 2 * kMinute).silences, ElementsAre(round.silences[1]));
}

TEST(Announced, CertificatesAndWhatWasSaidOfTheirKeysSurviveARestart) {
  Store store;
  const auto& pki = Pki::get();
  agent::Round round{.at = kNow};
  round.announced = {
      *agent::announce({pki.leaf.certificate, pki.inter.certificate}, "certspotter", kNow),
      *agent::announce({pki.old_leaf.certificate}, "", kNow)};
  round.announced[1].is_precertificate = true;
  round.not_for_mail = {{.key = "k-1", .by = "alice", .comment = "the web's", .at = kNow},
                        {.key = "k-2", .at = kNow}};
  store.record(round);
  agent::Round later{.at = kNow};
  later.for_mail = {"k-2"};
  store.record(later);
  store.reopen();
  auto restored = store.restore(kNow);
  std::ranges::sort(restored.announced, std::greater{}, &agent::AnnouncedCertificate::shown_by);
  ASSERT_THAT(restored.announced, SizeIs(2));
  const auto& whole = restored.announced[0];
  EXPECT_EQ(whole.id, round.announced[0].id);
  EXPECT_EQ(whole.shown_at, kNow);
  EXPECT_EQ(whole.shown_by, "certspotter");
  ASSERT_THAT(whole.chain, SizeIs(2));
  EXPECT_EQ(whole.chain[1]->sha256, pki.inter.certificate->sha256);
  EXPECT_FALSE(whole.is_precertificate);
  EXPECT_TRUE(restored.announced[1].is_precertificate);
  EXPECT_THAT(restored.not_for_mail, ElementsAre(round.not_for_mail[0]));
  EXPECT_THAT(store.restore(pki.leaf.certificate->not_after).announced, IsEmpty())
      << "what has expired is nobody's next";
}

TEST(Renewals, WhatACaSuggestsSurvivesARestartAndItsCertificateDoesNotOutlive) {
  Store store;
  agent::RenewalAdvice told{
      .certificate = "c-1",
      .not_after = kNow + 90 * kMinute,
      .window =
          agent::RenewalWindow{.start = kNow, .end = kNow + kMinute, .explanation = "https://a/"},
      .told_at = kNow,
      .latest = agent::RenewalWindow{.start = kNow + 60 * kMinute, .end = kNow + 61 * kMinute},
      .moved_from = agent::RenewalWindow{.start = kNow + 60 * kMinute, .end = kNow + 61 * kMinute},
      .next_at = kNow + 2 * kMinute};
  const agent::RenewalAdvice unheard{.certificate = "c-2",
                                     .not_after = kNow + 80 * kMinute,
                                     .next_at = kNow + kMinute,
                                     .failures = 3,
                                     .fault = "HTTP status 404"};
  agent::Round round{.at = kNow};
  round.renewals = {told, unheard};
  store.record(round);
  agent::Round later{.at = kNow};
  told.next_at += kMinute;
  later.renewals = {told};
  store.record(later);
  store.reopen();
  EXPECT_EQ(store.restore(kNow).renewals, (agent::RenewalBook{{"c-1", told}, {"c-2", unheard}}));
  EXPECT_TRUE(store.forget(kNow + 85 * kMinute));
  EXPECT_EQ(store.restore(kNow).renewals, (agent::RenewalBook{{"c-1", told}}));
}

TEST(AnchorKeys, AreReadAsTheyWereSeenLastAndForgottenInTime) {
  Store store;
  agent::AnchorKey held{.zone = *probes::dns::Name::parse("."),
                        .key = {1, 1, 3, 8, 1, 2, 3},
                        .first_seen = kNow - 60 * kMinute,
                        .last_seen = kNow};
  const agent::AnchorKey next{.zone = held.zone,
                              .key = {1, 1, 3, 8, 4, 5, 6},
                              .first_seen = kNow - kMinute,
                              .last_seen = kNow - kMinute,
                              .published_after = kNow - 2 * kMinute,
                              .revoked_at = kNow - kMinute};
  agent::Round round{.at = kNow};
  round.anchor_keys = {held, next};
  store.record(round);
  agent::Round later{.at = kNow};
  held.last_seen += kMinute;
  later.anchor_keys = {held};
  store.record(later);
  store.reopen();
  EXPECT_EQ(store.restore(kNow).anchor_keys, (std::vector{held, next}));
  EXPECT_TRUE(store.forget(kNow));
  EXPECT_EQ(store.restore(kNow).anchor_keys, std::vector{held});
}

TEST(Evidence, OfOneSecondIsKeptFromAllPlacesAndOnce) {
  Store store;
  agent::Round round{.at = kNow};
  round.evidence = {{.alert_id = "a", .at = kNow, .body = {1}},
                    {.alert_id = "a", .at = kNow, .body = {2}},
                    {.alert_id = "a", .at = kNow, .body = {1}}};
  store.record(round);
  store.record(round);
  EXPECT_EQ(store.outside().integer("SELECT count(*) FROM evidence WHERE alert = 'a'"), 2);
}

TEST(Spared, AreThoseOfTheLastRoundThatKnewThem) {
  Store store;
  EXPECT_TRUE(store.restore(kNow).spared.empty());
  agent::Round round{.at = kNow};
  round.spared = {
      {.provider = "192.0.2.0/24", .until = kNow + kMinute, .times = 2, .wait = kMinute},
      {.provider = "198.51.100.0/24", .until = kNow, .times = 1, .wait = kMinute}};
  store.record(round);
  store.record(agent::Round{.at = kNow + kMinute});
  store.reopen();
  EXPECT_EQ(store.restore(kNow).spared, *round.spared);
  round.spared->pop_back();
  store.record(round);
  EXPECT_EQ(store.restore(kNow).spared, *round.spared);
}

TEST(Announced, AreForgottenWithOtherHistory) {
  Store store;
  const auto& leaf = Pki::get().leaf.certificate;
  agent::Round round{.at = kNow};
  round.announced = {*agent::announce({leaf}, "", kNow)};
  store.record(round);
  EXPECT_TRUE(store.forget(leaf->not_after));
  EXPECT_THAT(store.rows("SELECT id FROM announced"), SizeIs(1));
  EXPECT_TRUE(store.forget(leaf->not_after + kMinute));
  EXPECT_THAT(store.rows("SELECT id FROM announced"), IsEmpty());
}

TEST(Wishes, ADomainsProtectionIsRememberedByItsLastSight) {
  Store store;
  store.record(domain_round(Scene{}));
  auto read = store.recorder().protected_domains(kNow);
  ASSERT_TRUE(read);
  EXPECT_THAT(*read, ElementsAre(std::pair<const std::string, config::Time>{"example.test", kNow}));
  read = store.recorder().protected_domains(kNow + kMinute);
  ASSERT_TRUE(read);
  EXPECT_THAT(*read, IsEmpty());
}

TEST(OpenAlerts, ARowThatCannotBeReadIsAFaultInWords) {
  Store store;
  auto round = domain_round(Scene{});
  round.alerts = {alert("f-1", AlertState::firing)};
  store.record(round);
  for (const std::string harm :
       {"state = 'sleeping'", "finding = '{'",
        "finding = replace(finding, '\"tlsa-mismatch\"', '\"new-code\"')", "domains = 'x'",
        "rest = '{'", "rest = replace(rest, '\"cause\":[', '\"cause\":\"x\",\"other\":[')"}) {
    store.outside().execute("UPDATE alert SET " + harm);
    const auto read = store.recorder().restore(kNow);
    ASSERT_FALSE(read) << harm;
    EXPECT_THAT(read.error().detail, HasSubstr(store.place().words() + ": "));
    store.record(round);
  }
  EXPECT_THAT(store.open_alerts(), SizeIs(1));
}

// ---- what the configuration names

TEST(KeepOnly, ForgetsDomainsThatAreGoneAddsNewOnesAndLeavesTheHistory) {
  Store store;
  store.record(domain_round(Scene{}));
  store.keep_only({{.name = "example.test", .role = config::Role::outbound, .group = "partners"},
                   {.name = "new.test"},
                   {.name = "b'\"%.test"}});
  EXPECT_THAT(store.rows("SELECT name || ' ' || role || ' ' || grp || ' ' || status FROM domain"),
              UnorderedElementsAre("example.test outbound partners ok", "new.test inbound  unknown",
                                   "b'\"%.test inbound  unknown"));
  store.keep_only({{.name = "new.test"}});
  EXPECT_THAT(store.rows("SELECT name FROM domain"), ElementsAre("new.test"));
  EXPECT_THAT(store.versions("mx"), ElementsAre("0..0 open"));
}

TEST(KeepOnly, IsDoneByPartsWhereThereIsMuchAndComesToTheSame) {
  Store store;
  const auto named = [](int i) { return fmt::format("d{:05}.test", i); };
  constexpr int kMany = 12'500;
  std::vector<config::Domain> first, then;
  for (int i = 0; i < kMany; ++i) {
    if (i % 3 != 0) first.push_back({.name = named(i), .group = "before"});
    if (i % 5 != 0) then.push_back({.name = named(i), .group = i % 7 == 0 ? "now" : "before"});
  }
  then.push_back({.name = named(1), .group = "twice: the first counts"});
  std::ranges::reverse(first);  // in any order
  store.keep_only(first);
  EXPECT_EQ(store.outside().integer("SELECT count(*) FROM domain WHERE grp = 'before'"),
            static_cast<std::int64_t>(first.size()));
  const auto chore = store.recorder().keep_only(then);
  std::size_t parts = 1;
  for (auto more = chore->go_on(); more && *more; more = chore->go_on()) ++parts;
  EXPECT_GT(parts, 5U);
  then.pop_back();
  std::vector<std::string> wanted;
  for (const auto& domain : then) wanted.push_back(domain.name + " " + domain.group.text());
  EXPECT_EQ(store.rows("SELECT name || ' ' || grp FROM domain ORDER BY name"), wanted);
}

TEST(KeepOnly, OfNothingForgetsEveryDomain) {
  Store store;
  store.record(domain_round(Scene{}));
  store.keep_only({});
  EXPECT_THAT(store.rows("SELECT name FROM domain"), IsEmpty());
}

TEST(KeepOnly, ChangesNothingWhenItFails) {
  Store store;
  store.record(domain_round(Scene{}));
  store.break_table("DELETE", "domain");
  EXPECT_FALSE(support::finish(store.recorder().keep_only({{.name = "new.test"}})));
  EXPECT_THAT(store.rows("SELECT name FROM domain"), ElementsAre("example.test"));
}

TEST(Forget, DropsClosedVersionsFromBeforeAndKeepsOpenOnes) {
  Store store;
  Scene scene;
  store.record(host_round(scene));
  scene.publish({support::record(3, 1, 1, *Pki::get().old_leaf.certificate)});
  store.record(host_round(scene, kNow + kMinute));
  scene.publish({support::record(2, 0, 1, *Pki::get().root.certificate)});
  store.record(host_round(scene, kNow + 2 * kMinute));

  ASSERT_TRUE(store.forget(kNow + kMinute));
  EXPECT_THAT(store.versions("tlsa"), ElementsAre("60..60 closed", "120..120 open"));
  ASSERT_TRUE(store.forget(kNow + 1000 * kMinute));
  EXPECT_THAT(store.versions("tlsa"), ElementsAre("120..120 open"));
  EXPECT_THAT(store.versions("addresses"), ElementsAre("0..120 open"));
  EXPECT_THAT(store.rows("SELECT body FROM content WHERE id NOT IN (SELECT content FROM version)"),
              IsEmpty());
}

TEST(Forget, IsDoneByPartsAndWhatIsSeenAgainIsRecordedAnew) {
  Store store;
  Scene scene;
  store.record(host_round(scene));
  // Of very many hosts that went long ago; one content they share, another is the host's as well.
  store.outside().execute(
      "INSERT INTO content(id, digest, body) VALUES(900, substr(sha256('shared'), 1, 8), "
      "'shared'), (901, substr(sha256('alone'), 1, 8), 'alone'); "
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) "
      "INSERT INTO subject(id, kind, name) SELECT 1000 + i, 'tlsa', 'h' || i FROM n; "
      "INSERT INTO version(subject, content, first_seen, last_seen, is_open) "
      "SELECT s.id, CASE WHEN s.id = 1001 THEN 901 ELSE 900 END, 1, 1, FALSE FROM subject s "
      "WHERE s.id > 1000; "
      "UPDATE version SET content = 900 WHERE subject = "
      "(SELECT id FROM subject WHERE kind = 'addresses' AND name = 'mx.example.test')");
  const auto chore = store.recorder().forget(kNow);
  const auto count = [&](const char* what) { return store.outside().integer(what); };
  auto more = chore->go_on();
  ASSERT_TRUE(more && *more);
  EXPECT_EQ(count("SELECT count(*) FROM version WHERE subject > 1000"), 1500);
  EXPECT_EQ(count("SELECT count(*) FROM subject WHERE id > 1000"), 1500) << "each part is whole";
  // What is recorded meanwhile stays.
  store.record(host_round(scene, kNow + kMinute));
  while (more && *more) more = chore->go_on();
  ASSERT_TRUE(more);
  EXPECT_EQ(count("SELECT count(*) FROM subject WHERE id > 1000"), 0);
  EXPECT_THAT(store.rows("SELECT body FROM content WHERE id IN (900, 901)"), ElementsAre("shared"));
  store.record(host_round(scene, kNow + 2 * kMinute));
  EXPECT_THAT(store.versions("tlsa"), ElementsAre("0..120 open"));
}

TEST(Forget, DropsASubjectWithItsLastVersionAndTheCertificatesNoneNames) {
  Store store;
  Scene scene;
  const auto& pki = Pki::get();
  scene.serve({pki.old_leaf.certificate, pki.inter.certificate});
  store.record(host_round(scene));
  scene.serve({pki.leaf.certificate, pki.inter.certificate});
  store.record(host_round(scene, kNow + kMinute));
  const auto certificates = [&] {
    return store.outside().integer("SELECT count(*) FROM certificate");
  };
  EXPECT_EQ(certificates(), 3);
  ASSERT_TRUE(store.forget(kNow + kMinute));
  EXPECT_EQ(certificates(), 2);
  EXPECT_EQ(store.outside().integer(
                "SELECT count(*) FROM subject WHERE id NOT IN (SELECT subject FROM version)"),
            0);
  // The key of before comes back: recorded with its certificate, although subjects went meanwhile.
  scene.serve({pki.old_leaf.certificate, pki.inter.certificate});
  store.record(host_round(scene, kNow + 2 * kMinute));
  EXPECT_EQ(certificates(), 3);
}

TEST(Forget, DropsAlertsThatEndedBeforeAndTheirSteps) {
  Store store;
  auto round = domain_round(Scene{});
  round.alerts = {alert("p-1", AlertState::pending), alert("f-1", AlertState::firing),
                  alert("old", AlertState::resolved),
                  alert("new", AlertState::resolved, kNow + kMinute)};
  round.transitions = {{agent::Transition::What::resolved, "old", "gone"}};
  store.record(round);
  ASSERT_TRUE(store.forget(kNow));  // that moment itself is not before it
  EXPECT_THAT(store.rows("SELECT id FROM alert"), SizeIs(4));
  EXPECT_THAT(store.rows("SELECT alert FROM transition"), ElementsAre("old"));
  ASSERT_TRUE(store.forget(kNow + kMinute));
  EXPECT_THAT(store.rows("SELECT id FROM alert ORDER BY id"), ElementsAre("f-1", "new", "p-1"));
  EXPECT_THAT(store.rows("SELECT alert FROM transition"), IsEmpty());
}

}  // namespace

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/web/service.h"
#include "web/rollover.h"

namespace {

using agent::Began;
using config::Seconds;
using config::Time;
using Json = nlohmann::ordered_json;

Time at(int seconds) {
  return Time{} + std::chrono::hours{24 * 20'000} + Seconds{seconds};
}

// One endpoint and two name servers, whose sets are made of the records "old" (0) and "new" (1),
// of which the first fits the first key and the second the second.
struct Paper {
  agent::History history;
  agent::HostHistory past;
  probes::HostObservation last = support::Scene().mx();

  Paper() {
    const auto record = [](std::uint8_t digit) {
      return probes::dane::TlsaRecord{3, 1, 1, probes::dane::Bytes(32, digit)};
    };
    history.records = {record(0xaa), record(0xbb)};
    history.sets = {{{0}, {0}}, {{1}, {1}}, {{0, 1}, {0, 1}}, {{}, {}}};
    history.chains = {{std::string(64, 'a')}, {std::string(64, 'b')}};
    history.fits = {{true, false}, {false, true}};
    history.servers.resize(2);
    history.server_names = {"ns1.test 127.0.1.1", "ns2.test 127.0.1.2"};
    history.endpoints = {{"192.0.2.1/default", {}}};
  }
  Paper& publish(int time, std::size_t set, std::vector<std::size_t> servers = {0, 1}) {
    for (const auto i : servers)
      history.servers[i].push_back({began(time), false, {}, Seconds{0}, set, Seconds{60}});
    return *this;
  }
  Paper& serve(int time, std::size_t chain) {
    history.endpoints[0].presented.push_back({began(time), chain});
    return *this;
  }
  [[nodiscard]] Json timeline(int from = -10'000, int until = 10'000) const {
    const agent::Snapshot::Followed followed{std::make_shared<const probes::HostObservation>(last),
                                             std::make_shared<const agent::Rollovers>(history),
                                             {}};
    return web::timeline_json(followed, past, at(5000), at(from), at(until));
  }
  [[nodiscard]] std::vector<std::string> acceptance() const {
    std::vector<std::string> out;
    const auto json = timeline();
    for (const auto& key : json["endpoints"][0]["keys"]) {
      for (const auto& one : key["acceptance"])
        out.push_back(key["spki_sha256"].get<std::string>().substr(0, 1) + " " +
                      one["accepted"].get<std::string>());
    }
    return out;
  }

 private:
  static Began began(int time) { return {time == 0 ? agent::kEver : at(time - 10), at(time)}; }
};

using testing::ElementsAre;

TEST(Timeline, CutsAKeysTimeWhereItsRecordWentAndCameBack) {
  const auto paper = Paper{}.publish(0, 0).serve(0, 0).publish(1000, 1).publish(2000, 0);
  EXPECT_THAT(paper.acceptance(), ElementsAre("a yes", "a no", "a yes"));
  const auto cut = paper.timeline()["endpoints"][0]["keys"][0]["acceptance"];
  EXPECT_EQ(cut[1]["from"], config::rfc3339(at(1000)));
  EXPECT_EQ(cut[1]["until"], config::rfc3339(at(2000)));
  EXPECT_TRUE(cut[1]["matched_by"].empty());
  EXPECT_EQ(cut[2]["until"], nullptr);
}

TEST(Timeline, DoesNotTurnALateRolloverGreenAfterwards) {
  const auto paper = Paper{}.publish(0, 0).serve(0, 0).serve(1000, 1).publish(2000, 2);
  EXPECT_THAT(paper.acceptance(), ElementsAre("a yes", "b no", "b yes"));
}

TEST(Timeline, TellsServersThatDifferApart) {
  const auto paper = Paper{}.publish(0, 0).serve(0, 0).publish(1000, 1, {1}).publish(2000, 0, {1});
  EXPECT_THAT(paper.acceptance(), ElementsAre("a yes", "a some", "a yes"));
  const auto servers = paper.timeline()["records"][0]["servers"];
  ASSERT_EQ(servers.size(), 2);
  EXPECT_EQ(servers[0]["server"], "ns1.test 127.0.1.1");
  EXPECT_EQ(servers[0]["spans"].size(), 1);
  EXPECT_EQ(servers[1]["spans"].size(), 2) << "it lacked the record in between";
}

TEST(Timeline, NamesNoServerWhereAllAgree) {
  const auto paper = Paper{}.publish(0, 0).serve(0, 0).publish(1000, 2);
  const auto timeline = paper.timeline();
  for (const auto& record : timeline["records"]) EXPECT_TRUE(record["servers"].empty());
}

TEST(Timeline, SaysWhereNothingIsDemandedAndWhereNobodyAnswers) {
  auto paper = Paper{}.publish(0, 3).serve(0, 0).publish(1000, 0);
  for (auto& server : paper.history.servers)
    server.push_back({{at(1990), at(2000)}, true, {}, Seconds{0}, 0, Seconds{0}});
  EXPECT_THAT(paper.acceptance(), ElementsAre("a not-asked", "a yes", "a unknown"));
}

TEST(Timeline, SaysSinceWhenNoKeyIsSeen) {
  auto paper = Paper{}.publish(0, 0).serve(0, 0).publish(3000, 1);
  paper.past.endpoints["192.0.2.1/default"] = {
      {at(0), at(2000), {support::Pki::get().leaf.certificate}}};
  EXPECT_THAT(paper.acceptance(), ElementsAre("a yes", "a no")) << "it is seen";
  for (auto& session : paper.last.sessions) session.tls.reset();
  EXPECT_THAT(paper.acceptance(), ElementsAre("a yes", "a not-seen"));
  const auto cut = paper.timeline()["endpoints"][0]["keys"][0]["acceptance"];
  EXPECT_EQ(cut[0]["until"], config::rfc3339(at(2000)));
  EXPECT_EQ(cut[1]["from"], config::rfc3339(at(2000)));
  EXPECT_EQ(cut[1]["until"], nullptr);
}

TEST(Timeline, KeepsTheKeysOfAnAddressThatWasRemoved) {
  auto paper = Paper{}.publish(0, 0).serve(0, 0);
  const auto& leaf = support::Pki::get().leaf.certificate;
  paper.history.records.push_back({3, 1, 1, leaf->spki_sha256});
  paper.history.sets.push_back({{0, 2}, {0, 2}});
  paper.history.fits.push_back({false, false});
  paper.publish(1000, 4);
  paper.past.endpoints["192.0.2.2/default"] = {{at(500), at(2990), {leaf}},
                                               {at(3000), at(3000), {}}};
  const auto timeline = paper.timeline();
  EXPECT_EQ(timeline["keys"].size(), 2) << "its letter stays";
  ASSERT_EQ(timeline["endpoints"].size(), 2);
  const auto& key = timeline["endpoints"][1]["keys"][0];
  EXPECT_EQ(key["until"], config::rfc3339(at(3000)));
  EXPECT_EQ(key["matched_by"].size(), 1) << "and its record is of a key that was seen";
  EXPECT_EQ(key["acceptance"][0]["accepted"], "no");
  EXPECT_EQ(key["acceptance"].back()["accepted"], "yes");
}

TEST(Timeline, TellsFirstWhichServerLacksTheRecordOfAKeyInUse) {
  const auto paper = Paper{}.publish(0, 0).serve(0, 0).publish(1000, 1, {0});
  const auto differences = paper.timeline()["differences"];
  ASSERT_EQ(differences.size(), 2);
  EXPECT_EQ(differences[0]["server"], "ns1.test 127.0.1.1");
  EXPECT_EQ(differences[0]["in_use"], true);
  EXPECT_EQ(differences[1]["server"], "ns2.test 127.0.1.2");
  EXPECT_EQ(differences[1]["in_use"], false);
}

TEST(Timeline, NamesKeysInTheOrderOfFirstSightWhateverTheRange) {
  const auto paper =
      Paper{}.publish(0, 0).serve(0, 0).publish(1000, 2).serve(2000, 1).publish(3000, 1);
  const Json both{std::string(64, 'a'), std::string(64, 'b')};
  EXPECT_EQ(paper.timeline()["keys"], both);
  EXPECT_EQ(paper.timeline(4000, 5000)["keys"], both) << "only the second is served by then";
}

TEST(Timeline, NamesNoKeyThatWasNeverSeen) {
  auto paper = Paper{}.publish(0, 0).serve(0, 0).publish(1000, 2);
  EXPECT_EQ(paper.timeline()["keys"], Json{std::string(64, 'a')}) << "the next one is published";
  paper.serve(2000, 1);
  EXPECT_EQ(paper.timeline()["keys"], (Json{std::string(64, 'a'), std::string(64, 'b')}));
}

TEST(Timeline, KnowsWhenSomethingChangedLast) {
  auto paper = Paper{}.publish(0, 0).serve(0, 0);
  EXPECT_EQ(paper.timeline()["last_change_at"], nullptr)
      << "what the first look found is no change";
  paper.publish(1000, 2).serve(2000, 1);
  EXPECT_EQ(paper.timeline()["last_change_at"], config::rfc3339(at(2000)));
}

TEST(TlsaOwner, IsWhereAnAliasLeads) {
  support::Scene scene;
  auto& host = scene.mx();
  EXPECT_EQ(web::tlsa_owner_of(host), "_25._tcp.mx.example.test");
  host.tlsa.final_name = support::name("tlsa.example.test");
  host.tlsa.aliases.push_back({.from = host.tlsa.name, .to = host.tlsa.final_name});
  EXPECT_EQ(web::tlsa_owner_of(host), "tlsa.example.test") << "a record beside an alias is none";
}

}  // namespace

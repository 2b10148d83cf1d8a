#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "probes/dane/tlsa.h"
#include "tests/unit/web/service.h"
#include "web/routes/api.h"

// What people may change over HTTP, and what they can follow.
namespace {

using nlohmann::json;
using support::kMinute;
using support::kNow;
using support::pem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using web::Reply;

class Acts : public testing::Test {
 protected:
  Reply ask(const std::string& method, const std::string& path, const std::string& body = "",
            std::map<std::string, std::string> headers = {}) {
    headers.emplace("host", "danelaw.test");
    headers.emplace("content-type", "application/json");
    return api_.answer({.method = method, .path = path, .headers = headers, .body = body});
  }
  json got(const std::string& path) {
    const auto reply = ask("GET", path);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return json::parse(reply.body);
  }

  support::Service service_;
  web::Api api_{service_.backend(), {.hosts = {"danelaw.test"}}};
};

TEST_F(Acts, AnAlertIsAcknowledgedWithNameCommentAndEnd) {
  const auto reply = ask("POST", "/api/v1/alerts/f-1/ack",
                         R"({"by":"me","comment":"on it","until":"2027-01-15T09:00:00Z"})");
  EXPECT_EQ(reply.status, 204) << reply.body;
  ASSERT_TRUE(service_.actions.acknowledged);
  EXPECT_EQ(service_.actions.acknowledged->by, "me");
  EXPECT_EQ(service_.actions.acknowledged->comment, "on it");
  EXPECT_EQ(service_.actions.acknowledged->until, kNow + 60 * kMinute);
  EXPECT_EQ(ask("DELETE", "/api/v1/alerts/f-1/ack").status, 204);
  EXPECT_FALSE(service_.actions.acknowledged);
}

TEST_F(Acts, WhatWasDoneIsListedTheNewestFirstInPages) {
  EXPECT_EQ(got("/api/v1/whoami"),
            json::parse(R"({"name":null,"right":"operate","login":"none","groups":null})"));
  EXPECT_EQ(ask("POST", "/api/v1/alerts/f-1/ack", R"({"by":"me","comment":"on it"})").status, 204);
  EXPECT_EQ(ask("DELETE", "/api/v1/alerts/nobody/ack").status, 404);
  EXPECT_EQ(ask("POST", "/-/reload").status, 200);
  service_.reload_fault = "line 3: what is that?";
  EXPECT_EQ(ask("POST", "/-/reload").status, 500);
  const auto list = got("/api/v1/acts")["items"];
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list[0]["fault"], "line 3: what is that?");
  EXPECT_EQ(list[1]["act"], "reload");
  EXPECT_EQ(list[1]["by"], nullptr);
  EXPECT_EQ(list[2]["fault"], "there is none");
  EXPECT_EQ(list[3], json::parse(R"({"at":"2027-01-15T08:01:00Z","by":"me","login":"none",
      "act":"acknowledge","subject":{"kind":"alert","name":"f-1",
      "title":"mx.example.test: the certificate matches no TLSA record"},"comment":"on it",
      "fault":null})"));
  const auto page = [&](std::map<std::string, std::string> query) {
    return json::parse(api_.answer({.method = "GET",
                                    .path = "/api/v1/acts",
                                    .query = std::move(query),
                                    .headers = {{"host", "danelaw.test"}}})
                           .body);
  };
  const auto first = page({{"limit", "3"}});
  EXPECT_THAT(first["items"], SizeIs(3));
  const auto second = page({{"limit", "3"}, {"cursor", first["next"]}});
  ASSERT_THAT(second["items"], SizeIs(1));
  EXPECT_EQ(second["items"][0], list[3]);
  EXPECT_EQ(second["next"], nullptr);
  EXPECT_THAT(page({{"act", "reload"}})["items"], SizeIs(2));
  EXPECT_THAT(page({{"by", "me"}})["items"], SizeIs(1));
  EXPECT_THAT(page({{"from", "2027-01-15T08:02:00Z"}})["items"], SizeIs(0));
  EXPECT_EQ(page({{"act", "dance"}})["status"], 400);
}

TEST_F(Acts, NotifiersAreTestedOneOrAll) {
  const std::string path = "/api/v1/notifiers/test";
  const auto reply = ask("POST", path, R"({"notifier":"chat"})");
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(json::parse(reply.body)["items"],
            json::parse(R"([{"notifier":"chat","ok":true,"fault":null},
                            {"notifier":"dumb","ok":false,"fault":"answered 500"}])"));
  EXPECT_EQ(json::parse(ask("POST", path).body)["items"][0]["notifier"], "all");
  EXPECT_EQ(ask("POST", path, R"({"notifier":"pigeon"})").status, 404);
  EXPECT_EQ(ask("POST", path, R"({"notifier":5})").status, 400);
  EXPECT_EQ(got("/api/v1/acts")["items"][0]["act"], "test-notification");
}

TEST_F(Acts, AListThatLostMuchIsAcceptedByItsName) {
  service_.snapshot.lists = {{.name = "inventory"}, {.name = "other"}};
  const auto reply = ask("POST", "/api/v1/lists/inventory/accept");
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(json::parse(reply.body), json::parse(R"({"list":"inventory","accepted":true})"));
  EXPECT_EQ(ask("POST", "/api/v1/lists/other/accept").status, 409);
  EXPECT_EQ(ask("POST", "/api/v1/lists/nobody/accept").status, 404);
  EXPECT_THAT(service_.accepted, ElementsAre("inventory", "other"));
  const auto acts = got("/api/v1/acts")["items"];
  ASSERT_THAT(acts, SizeIs(3)) << "what was refused, too";
  EXPECT_EQ(acts[2]["act"], "accept-list");
  EXPECT_EQ(acts[2]["subject"], json::parse(R"({"kind":"list","name":"inventory","title":null})"));
  EXPECT_TRUE(acts[2]["fault"].is_null());
  EXPECT_EQ(acts[1]["fault"], "nothing of it is refused");
}

TEST_F(Acts, AnAcknowledgementNeedsNothingToBeSaid) {
  EXPECT_EQ(ask("POST", "/api/v1/alerts/f-1/ack").status, 204);
  EXPECT_EQ(ask("POST", "/api/v1/alerts/nobody/ack").status, 404);
}

TEST_F(Acts, WrongWishesGetAReasonAndChangeNothing) {
  const auto problem = [&](const std::string& path, const std::string& body) {
    const auto reply = ask("POST", path, body);
    EXPECT_EQ(reply.status, 400) << body;
    return json::parse(reply.body)["detail"].get<std::string>();
  };
  const std::string ack = "/api/v1/alerts/f-1/ack";
  EXPECT_THAT(problem(ack, "{"), HasSubstr("JSON"));
  EXPECT_THAT(problem(ack, "[]"), HasSubstr("JSON"));
  EXPECT_THAT(problem(ack, R"({"untill":"x"})"), HasSubstr("untill"));
  EXPECT_THAT(problem(ack, R"({"until":"tomorrow"})"), HasSubstr("until"));
  EXPECT_THAT(problem(ack, R"({"until":"2020-01-01T00:00:00Z"})"), HasSubstr("over already"));
  EXPECT_THAT(problem(ack, R"({"by":5})"), HasSubstr("by"));
  EXPECT_THAT(problem(ack, "{\"by\":\"" + std::string(2000, 'x') + "\"}"), HasSubstr("longer"));
  const std::string silences = "/api/v1/silences";
  const std::string end = R"("ends_at":"2027-01-15T09:00:00Z")";
  EXPECT_THAT(problem(silences, "{" + end + "}"), HasSubstr("no matcher"));
  EXPECT_THAT(problem(silences, R"({"matchers":[{"name":"mx","value":"a"}]})"), HasSubstr("end"));
  EXPECT_THAT(
      problem(silences, R"({"matchers":[{"name":"mx","value":"(","is_regex":true}],)" + end + "}"),
      HasSubstr("cannot be read"));
  EXPECT_THAT(problem(silences, R"({"matchers":[{"name":"mx","valeu":"a"}],)" + end + "}"),
              HasSubstr("valeu"));
  EXPECT_THAT(service_.actions.silences, SizeIs(0));
  EXPECT_FALSE(service_.actions.acknowledged);
}

TEST_F(Acts, ASilenceIsMadeListedAndEnded) {
  const auto reply =
      ask("POST", "/api/v1/silences",
          R"({"matchers":[{"name":"mx","value":"mx\\..*","is_regex":true}],"created_by":"me",
          "comment":"planned","ends_at":"2027-01-15T09:00:00Z"})");
  ASSERT_EQ(reply.status, 201) << reply.body;
  const auto made = json::parse(reply.body);
  EXPECT_EQ(made["id"], "s-1");
  EXPECT_EQ(made["state"], "active");
  EXPECT_EQ(made["starts_at"], "2027-01-15T08:01:00Z") << "now, where nothing is said";
  service_.snapshot.silences = service_.actions.silences;
  EXPECT_EQ(got("/api/v1/silences")["items"][0], made);
  EXPECT_EQ(ask("DELETE", "/api/v1/silences/s-1").status, 204);
  EXPECT_EQ(ask("DELETE", "/api/v1/silences/s-2").status, 404);
  EXPECT_EQ(ask("POST", "/api/v1/silences/s-1").status, 405);
}

TEST_F(Acts, ASilenceCanBeTriedBeforeItIsMade) {
  const auto covered = [&](const std::string& matchers) {
    const auto reply =
        ask("POST", "/api/v1/silences/preview",
            R"({"matchers":[)" + matchers + R"(],"ends_at":"2027-01-15T09:00:00Z"})");
    EXPECT_EQ(reply.status, 200) << reply.body;
    return json::parse(reply.body)["items"];
  };
  const auto all = covered(R"({"name":"mx","value":"mx.example.test"})");
  ASSERT_THAT(all, SizeIs(2)) << "what fires and what is pending, not what is over";
  EXPECT_EQ(all[0]["id"], "f-1");
  EXPECT_EQ(all[0]["state"], "firing");
  EXPECT_EQ(all[0]["severity"], "critical");
  EXPECT_THAT(all[0]["title"].get<std::string>(), HasSubstr("mx.example.test"));
  EXPECT_EQ(all[0]["covered"], 1);
  EXPECT_EQ(all[0]["of"], 1);
  EXPECT_EQ(covered(R"({"name":"mx","value":"mx.other.test"})"), json::array());
  service_.snapshot.alerts.renew(0).hits[0].domains = {"a.test", "b.test"};
  const auto part = covered(R"({"name":"domain","value":"b.test"})");
  ASSERT_THAT(part, SizeIs(1));
  EXPECT_EQ(part[0]["covered"], 1);
  EXPECT_EQ(part[0]["of"], 2);
  EXPECT_THAT(service_.actions.silences, SizeIs(0));
  EXPECT_EQ(ask("POST", "/api/v1/silences/preview", "{}").status, 400);
}

TEST_F(Acts, ASilencedAlertSaysSo) {
  EXPECT_EQ(got("/api/v1/alerts/f-1")["silenced"], false);
  service_.snapshot.silences = {{.id = "s-1",
                                 .matchers = {{.name = "mx", .value = "mx.example.test"}},
                                 .starts_at = kNow,
                                 .ends_at = kNow + 60 * kMinute}};
  EXPECT_EQ(got("/api/v1/alerts/f-1")["silenced"], true);
  EXPECT_EQ(got("/api/v1/domains/example.test")["alerts"][0]["silenced"], true);
  const auto alerts = got("/api/v1/alerts")["items"];
  for (const auto& alert : alerts)
    EXPECT_EQ(alert["silenced"], alert["state"] != "resolved") << alert["id"];
}

TEST_F(Acts, ACertificateGivesItsRecordsAndAKeyIsNotTaken) {
  const auto& pki = support::Pki::get();
  const auto records = [&](const std::string& pem) {
    return ask("POST", "/api/v1/tlsa", json{{"pem", pem}}.dump());
  };
  const auto reply = records(pem(*pki.leaf.certificate) + pem(*pki.inter.certificate));
  ASSERT_EQ(reply.status, 200) << reply.body;
  const auto items = json::parse(reply.body)["items"];
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_EQ(items[0]["usage"], 3);
  EXPECT_EQ(items[0]["selector"], 1);
  EXPECT_EQ(items[0]["matching_type"], 1);
  EXPECT_EQ(items[0]["data"], probes::dane::to_hex(pki.leaf.certificate->spki_sha256));
  EXPECT_EQ(items[1]["usage"], 2);
  EXPECT_EQ(records("hello").status, 400);
  EXPECT_THAT(records("-----BEGIN PRIVATE KEY-----\n").body, HasSubstr("keep it to yourself"));
  EXPECT_EQ(ask("POST", "/api/v1/tlsa", "[]").status, 400);
}

TEST_F(Acts, TheGateAnswersForAHostByWhatLooksHaveShown) {
  const auto& pki = support::Pki::get();
  service_.store.record(support::host_round(support::mismatch()));
  const auto gate = [&](const auto& certificate, const std::string& host = "mx.example.test") {
    return ask("POST", "/api/v1/mx/" + host + "/gate",
               json{{"pem", pem(*certificate.certificate)}}.dump());
  };
  const auto early = json::parse(gate(pki.leaf).body);
  EXPECT_EQ(early["answer"], "not-before") << early;
  EXPECT_THAT(early["why"][0].get<std::string>(), HasSubstr("this host is watched since"));
  EXPECT_EQ(early["missing"], nullptr);
  const auto shut = json::parse(gate(pki.old_leaf).body);
  EXPECT_EQ(shut["answer"], "never") << shut;
  EXPECT_EQ(shut["missing"]["data"], probes::dane::to_hex(pki.old_leaf.certificate->spki_sha256));
  EXPECT_EQ(shut["records"], json::array({shut["missing"]}));
  EXPECT_FALSE(shut["why"].empty());
  EXPECT_EQ(gate(pki.leaf, "mx.nobody.test").status, 404);
  EXPECT_EQ(ask("POST", "/api/v1/mx/mx.example.test/gate", "{}").status, 400);
}

TEST_F(Acts, TheGateCannotTellOfAHostWhoseLookupsOnlyEverFailed) {
  const auto& pki = support::Pki::get();
  auto& seen = service_.snapshot.hosts.renew(0).second;
  const auto answer_when = [&](probes::dns::Outcome outcome) {
    auto changed = std::make_shared<probes::HostObservation>(*seen);
    changed->tlsa.outcome = outcome;
    seen = changed;
    const auto reply = ask("POST", "/api/v1/mx/mx.example.test/gate",
                           json{{"pem", pem(*pki.leaf.certificate)}}.dump());
    return json::parse(reply.body)["answer"].get<std::string>();
  };
  EXPECT_EQ(answer_when(probes::dns::Outcome::failed), "unknown");
  EXPECT_EQ(answer_when(probes::dns::Outcome::absent), "yes");
}

TEST_F(Acts, ACertificateToComeIsTakenAsPemAsDerAndAsJson) {
  const auto& pki = support::Pki::get();
  service_.actions.foreseen.hosts = {{.host = "mx.example.test",
                                      .is_covered = false,
                                      .records = {support::record(3, 1, 1, *pki.leaf.certificate)},
                                      .safe_from = kNow + kMinute,
                                      .why = {"so it is"}},
                                     {.host = "mx2.example.test"}};
  service_.actions.foreseen.domains_unseen = 3;
  const auto text = pem(*pki.leaf.certificate);
  const auto& der = pki.leaf.certificate->der;
  const auto key = probes::dane::to_hex(pki.leaf.certificate->spki_sha256);
  for (const auto& [type, body] :
       std::map<std::string, std::string>{{"application/pem-certificate-chain", text},
                                          {"application/x-pem-file", text},
                                          {"text/plain; charset=utf-8", text},
                                          {"application/pkix-cert", {der.begin(), der.end()}},
                                          {"application/json", json{{"pem", text}}.dump()}}) {
    const auto reply = ask("POST", "/api/v1/certificates", body, {{"content-type", type}});
    ASSERT_EQ(reply.status, 200) << type << reply.body;
    const auto told = json::parse(reply.body);
    EXPECT_EQ(told["key"], key);
    EXPECT_EQ(told["hosts"][0]["records"], json::array({"3 1 1 " + key}));
    EXPECT_EQ(told["hosts"][0]["is_covered"], false);
    EXPECT_EQ(told["hosts"][1]["is_covered"], nullptr) << "could not tell";
    EXPECT_EQ(told["domains_unseen"], 3);
    EXPECT_THAT(service_.actions.announced, SizeIs(1));
  }
  EXPECT_EQ(ask("POST", "/api/v1/certificates", text,
                {{"content-type", "application/x-www-form-urlencoded"}})
                .status,
            415);
  EXPECT_EQ(ask("POST", "/api/v1/certificates", "hello", {{"content-type", "text/plain"}}).status,
            400);
  const auto key_file = text + "-----BEGIN PRIVATE KEY-----\n";
  EXPECT_THAT(ask("POST", "/api/v1/certificates", key_file, {{"content-type", "text/plain"}}).body,
              HasSubstr("keep it to yourself"));
  EXPECT_EQ(got("/api/v1/acts")["items"][0]["act"], "show-certificate");
}

TEST_F(Acts, CertificatesToComeAreListedWithWhatWasSaidOfThem) {
  const auto& pki = support::Pki::get();
  EXPECT_EQ(got("/api/v1/certificates")["total"], 0);
  const auto announced = *agent::announce({pki.leaf.certificate}, "certspotter", kNow);
  service_.snapshot
      .announced = std::make_shared<const agent::Snapshot::Shown>(agent::Snapshot::Shown{
      .certificates = {announced},
      .not_for_mail = {
          {.key = agent::key_of(announced), .by = "alice", .comment = "the web's", .at = kNow}}});
  const auto list = got("/api/v1/certificates");
  EXPECT_EQ(list["items"][0]["key"], agent::key_of(announced));
  EXPECT_EQ(list["items"][0]["names"], json::array({"mx.example.test"}));
  EXPECT_EQ(list["items"][0]["not_for_mail"]["comment"], "the web's");
}

TEST_F(Acts, AKeyIsSaidNotToBeForMail) {
  const auto path = "/api/v1/certificates/" + std::string(64, 'a') + "/not-for-mail";
  EXPECT_EQ(ask("POST", path, R"({"by":"me","comment":"the web's"})").status, 204);
  ASSERT_THAT(service_.actions.not_for_mail, SizeIs(1));
  EXPECT_EQ(service_.actions.not_for_mail[0].by, "me");
  EXPECT_EQ(ask("DELETE", path).status, 204);
  EXPECT_EQ(ask("POST", path, "[]").status, 400);
  EXPECT_EQ(ask("POST", path, R"({"else":"x"})").status, 400);
  EXPECT_EQ(ask("POST", "/api/v1/certificates/short/not-for-mail", "{}").status, 404);
}

TEST_F(Acts, TheGateKnowsACertificateThatWasShownBefore) {
  const auto& pki = support::Pki::get();
  service_.store.record(support::host_round(support::mismatch()));
  const auto gate = [&] {
    return json::parse(ask("POST", "/api/v1/mx/mx.example.test/gate",
                           json{{"pem", pem(*pki.leaf.certificate)}}.dump())
                           .body);
  };
  EXPECT_EQ(gate()["shown"], nullptr);
  service_.snapshot.announced =
      std::make_shared<const agent::Snapshot::Shown>(agent::Snapshot::Shown{
          .certificates = {*agent::announce({pki.leaf.certificate}, "certspotter", kNow)}});
  EXPECT_EQ(gate()["shown"], (json{{"at", config::rfc3339(kNow)}, {"by", "certspotter"}}));
}

TEST_F(Acts, AnExceptionForAPartnerIsMadeAndTakenBack) {
  const auto reply = ask("POST", "/api/v1/domains/example.test/exception");
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(json::parse(reply.body)["line"], "example.test encrypt");
  EXPECT_EQ(ask("DELETE", "/api/v1/domains/example.test/exception").status, 204);
  EXPECT_EQ(ask("POST", "/api/v1/domains/new.test/exception").status, 409);
}

TEST_F(Acts, ComeFromHereOnly) {
  for (const auto* method : {"POST", "DELETE"}) {
    EXPECT_EQ(ask(method, "/api/v1/alerts/f-1/ack", "", {{"sec-fetch-site", "cross-site"}}).status,
              403);
    EXPECT_EQ(ask(method, "/api/v1/alerts/f-1/ack", "", {{"origin", "http://evil.test"}}).status,
              403);
  }
  EXPECT_EQ(ask("POST", "/api/v1/alerts/f-1/ack", "", {{"content-type", "text/plain"}}).status,
            415);
  EXPECT_FALSE(service_.actions.acknowledged);
}

TEST_F(Acts, AnAlertTellsWhoWasTold) {
  auto round = support::domain_round(support::mismatch());
  const auto alert = support::alert("f-1", agent::AlertState::firing);
  round.alerts = {alert};
  round.notifications = {
      {.id = "l-1", .notifier = "chat", .at = kNow, .reason = "why", .alert = alert}};
  service_.store.record(round);
  const auto one = got("/api/v1/alerts/f-1");
  EXPECT_EQ(one["id"], "f-1");
  ASSERT_THAT(one["notices"], SizeIs(1));
  EXPECT_EQ(one["notices"][0], json::parse(R"({"event":"opened","notifier":"chat",
    "decided_at":"2027-01-15T08:00:00Z","delivered_at":null,"attempts":0,"fault":null})"));
  EXPECT_EQ(ask("GET", "/api/v1/alerts/nobody").status, 404);
}

TEST_F(Acts, FindingsAreListedByPageAndFilter) {
  const auto all = got("/api/v1/findings");
  EXPECT_EQ(all["items"][0]["domain"], "example.test");
  const auto total = all["total"].get<std::size_t>();
  ASSERT_GE(total, 1U);
  const auto ask_with = [&](std::map<std::string, std::string> query) {
    return json::parse(api_.answer({.method = "GET",
                                    .path = "/api/v1/findings",
                                    .query = std::move(query),
                                    .headers = {{"host", "danelaw.test"}}})
                           .body);
  };
  EXPECT_THAT(ask_with({{"code", "tlsa-mismatch"}})["items"], SizeIs(1));
  EXPECT_THAT(ask_with({{"code", "host-down"}})["items"], SizeIs(0));
  EXPECT_THAT(ask_with({{"domain", "new.test"}})["items"], SizeIs(0));
  EXPECT_EQ(ask_with({{"page", "1"}})["status"], 400);
  const auto first = ask_with({{"limit", "1"}});
  EXPECT_EQ(first["next"].is_null(), total == 1);
}

// ---- the feed

std::vector<std::string> kinds(const std::vector<web::Feed::Event>& events) {
  std::vector<std::string> out;
  for (const auto& event : events) out.push_back(event.kind + " " + event.name);
  return out;
}

TEST(Feed, GivesWhatCameAfterANumber) {
  web::Feed feed;
  const auto begin = feed.last_id();
  feed.publish("alert", "a");
  feed.publish("domain", "b");
  const auto events = feed.wait(begin);
  EXPECT_THAT(kinds(events), ElementsAre("alert a", "domain b"));
  EXPECT_THAT(kinds(feed.wait(events[0].id)), ElementsAre("domain b"));
}

TEST(Feed, TellsWhoMissedTooMuchToBeginAnew) {
  web::Feed feed;
  const auto begin = feed.last_id();
  for (std::size_t i = 0; i <= web::Feed::kKept; ++i) feed.publish("alert", "a");
  EXPECT_THAT(kinds(feed.wait(begin)), ElementsAre("reset "));
  EXPECT_THAT(kinds(feed.wait(0)), ElementsAre("reset "));
  EXPECT_THAT(kinds(feed.wait(feed.last_id() + 100)), ElementsAre("reset ")) << "never given";
}

TEST(Feed, LetsEverybodyGoWhenItCloses) {
  web::Feed feed;
  feed.close();
  EXPECT_THAT(feed.wait(feed.last_id()), SizeIs(0));
}

TEST(Feed, AnEventIsOneOfTheStreamFormWhateverTheName) {
  EXPECT_EQ(web::to_stream({7, "alert", "a\nb\"c"}),
            "id: 7\nevent: alert\ndata: {\"name\":\"a\\nb\\\"c\"}\n\n");
}

TEST_F(Acts, EventsBeginWithWhatCameAfterTheLastOneSeen) {
  service_.feed.publish("alert", "f-1");
  const auto seen = service_.feed.last_id() - 1;
  const auto reply = ask("GET", "/api/v1/events", "", {{"last-event-id", std::to_string(seen)}});
  EXPECT_EQ(reply.content_type, "text/event-stream");
  ASSERT_TRUE(reply.stream);
  EXPECT_EQ(reply.stream(), "retry: 5000\n\n");
  EXPECT_THAT(reply.stream().value_or(""), HasSubstr("event: alert\ndata: {\"name\":\"f-1\"}"));
  service_.feed.close();
  EXPECT_EQ(reply.stream(), std::nullopt);
}

}  // namespace

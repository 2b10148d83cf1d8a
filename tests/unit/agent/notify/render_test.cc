#include "agent/notify/notifiers/render.h"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/alerts/alert_json.h"
#include "agent/alerts/notice.h"
#include "probes/explain.h"
#include "probes/tls/crypto.h"
#include "tests/support/scene.h"

namespace {

using namespace agent;
using support::kNow;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Json = nlohmann::ordered_json;

const std::string kPage = "http://page.test";

Alert firing(const std::string& host = "mx.a.test") {
  Alert out{.id = "tlsa-mismatch.mx.1",
            .state = AlertState::firing,
            .cause = {.kind = probes::Subject::Kind::host, .name = host},
            .first_seen_at = kNow,
            .last_seen_at = kNow,
            .opened_at = kNow + config::Seconds{60}};
  out.finding = {.code = probes::Code::tlsa_mismatch,
                 .severity = probes::Severity::critical,
                 .subject = out.cause};
  out.domains = {"a.test", "b.test"};
  out.hits = {{.subject = out.cause, .domains = out.domains, .severity = out.finding.severity}};
  return told(std::move(out), kNow + config::Seconds{60});
}

Json letter_json(const Alert& alert) {
  return to_json(notification(alert, {Notice::opened, "seen twice"}, "chat", kNow));
}

TEST(Notification, IsTheNotificationOfTheContract) {
  const auto json = letter_json(firing());
  EXPECT_EQ(json["schema"], "danelaw.notification/1");
  EXPECT_EQ(json["event"], "opened");
  EXPECT_EQ(json["at"], "2027-01-15T08:00:00Z");
  EXPECT_EQ(json["alert"]["code"], "tlsa-mismatch");
  EXPECT_EQ(json["alert"]["subject"]["name"], "mx.a.test");
  EXPECT_EQ(json["alert"]["domains"], Json({"a.test", "b.test"}));
  EXPECT_FALSE(json["alert"]["title"].get<std::string>().empty());
}

TEST(MailText, SaysWhatSendersReport) {
  auto alert = firing();
  const auto text = [&] { return mail_of({.from = "a@b.test"}, letter_json(alert), kPage).text; };
  EXPECT_THAT(text(), Not(HasSubstr("Senders report")));
  alert.finding.evidence = {{"sender-reports", "Google and Microsoft refused 1 204 sessions"}};
  EXPECT_THAT(text(), HasSubstr("Senders report it: Google and Microsoft refused 1 204 sessions."));
}

TEST(MailText, IsAMessageWhoseHeadersNobodyCanExtend) {
  const auto mail =
      mail_of({.from = "danelaw@page.test", .to = {"a@b.test", "c@d.test"}},
              letter_json(firing("mx.test\r\nBcc: everybody@example.org\r\n\r\nx")), kPage);
  EXPECT_THAT(mail.headers,
              testing::ElementsAre(
                  "From: danelaw <danelaw@page.test>", "To: <a@b.test>,\r\n <c@d.test>",
                  StartsWith("Subject: =?utf-8?B?"), "Date: Fri, 15 Jan 2027 08:00:00 +0000",
                  "Message-ID: <tlsa-mismatch.mx.1.opened.1800000000.chat@page.test>",
                  "Auto-Submitted: auto-generated"));
  EXPECT_THAT(mail.headers, testing::Each(Not(HasSubstr("Bcc"))));
  EXPECT_THAT(mail.headers, testing::Each(Not(HasSubstr("\r\n\r\n"))));
}

TEST(MailText, HasTheSameMessageIdAtEveryTry) {
  const auto once = mail_of({.from = "a@b.test", .to = {"c@d.test"}}, letter_json(firing()), kPage);
  const auto again =
      mail_of({.from = "a@b.test", .to = {"c@d.test"}}, letter_json(firing()), kPage);
  EXPECT_EQ(once.headers, again.headers);
  EXPECT_EQ(once.text, again.text);
}

// The header line with that name.
std::string header(const wire::Message& mail, const std::string& name) {
  const auto found = std::ranges::find_if(
      mail.headers, [&](const auto& line) { return line.starts_with(name + ": "); });
  return found == mail.headers.end() ? "" : *found;
}

TEST(MailText, EndsItsLinesAsMailDoes) {
  const auto mail = mail_of({.from = "a@b.test", .to = {"c@d.test"}}, letter_json(firing()), kPage);
  const auto& body = mail.text;
  EXPECT_THAT(body, HasSubstr("\r\n\r\nHits: a.test, b.test\r\n\r\n")) << "RFC 2046 §4.1.1";
  for (std::size_t at = 0; (at = body.find('\n', at)) != std::string::npos; ++at)
    EXPECT_EQ(body[at - 1], '\r');
}

// Read at night, on a telephone: what to paste, by when.
TEST(MailText, CarriesTheLineToPublishAndTheDeadline) {
  auto alert = firing();
  alert.finding.remedy = probes::Remedy{.owner = "_25._tcp.mx.a.test",
                                        .zone = "a.test",
                                        .ttl = config::Seconds{300},
                                        .publish = {"3 1 1 ab"},
                                        .recovers_after = config::Seconds{300}};
  alert.finding.consequences = {{probes::Code::stale_cache_window, alert.cause}};
  alert.hits[0].holds_mail = true;
  const auto text =
      mail_of({.from = "a@b.test", .to = {"c@d.test"}}, letter_json(alert), kPage).text;
  EXPECT_THAT(text, HasSubstr("Publish: _25._tcp.mx.a.test. 300 IN TLSA 3 1 1 ab\r\n"));
  EXPECT_THAT(text,
              HasSubstr("zone a.test\r\nupdate add _25._tcp.mx.a.test. 300 TLSA 3 1 1 ab\r\n"));
  EXPECT_THAT(text, HasSubstr("knotc zone-commit a.test."));
  EXPECT_THAT(text, HasSubstr("the last cache lets mail through at: 2027-01-15T08:05:00Z"));
  EXPECT_THAT(text, HasSubstr("begins to bounce at: 2027-01-20T08:00:00Z"));
  EXPECT_THAT(text, HasSubstr("What belongs to it:\r\n- mx.a.test: caches may hold"));
  EXPECT_THAT(text, HasSubstr(std::string("MX host: ") + kPage + "/mx/mx.a.test\r\n"));
  EXPECT_THAT(text, HasSubstr("Check now, when it is done: `danelaw recheck a.test`"));
}

// Nobody shall paste into their own name server what only a partner can change.
TEST(MailText, OfAPartnerSaysWhoCanChangeItAndWhatWeCanDo) {
  auto alert = firing();
  alert.direction = config::Role::outbound;
  alert.finding.remedy = probes::Remedy{.owner = "_25._tcp.mx.a.test",
                                        .zone = "a.test",
                                        .ttl = config::Seconds{300},
                                        .publish = {"3 1 1 ab"},
                                        .recovers_after = config::Seconds{300}};
  alert.hits[0].holds_mail = true;
  const auto json = letter_json(alert);
  const auto text = mail_of({.from = "a@b.test", .to = {"c@d.test"}}, json, kPage).text;
  EXPECT_THAT(text, HasSubstr("a.test and b.test are partners' domains: only their operators can "
                              "change this. Send them this.\r\n\r\nWhat we can do:\r\n- Write to "
                              "postmaster@a.test"));
  EXPECT_THAT(text, HasSubstr(std::string("The page of the domain: ") + kPage + "/domains/a.test"));
  EXPECT_THAT(text, HasSubstr("What their operators have to do:\r\n1. "));
  EXPECT_THAT(text, HasSubstr("For them to publish: _25._tcp.mx.a.test. 300 IN TLSA 3 1 1 ab\r\n"));
  EXPECT_THAT(text, HasSubstr("If they do that now, the last cache"));
  EXPECT_THAT(text, Not(HasSubstr("nsupdate")));
  EXPECT_THAT(text, Not(HasSubstr("knotc zone-begin")));
  EXPECT_THAT(fields_of(json, kPage).at("partner"), HasSubstr("partners' domains"));
}

TEST(MailText, HasASubjectOfWordsThatFitTheirLines) {
  auto notification = letter_json(firing());
  std::string title;
  for (int i = 0; i < 60; ++i) title += "aü例😀";
  notification["alert"]["title"] = title.substr(0, 290);
  const auto mail = mail_of({.from = "a@b.test", .to = {"c@d.test"}}, notification, kPage);
  const auto subject = header(mail, "Subject");
  std::string whole;
  for (std::size_t at = 0; at < subject.size();) {
    const auto end = std::min(subject.find("\r\n", at), subject.size());
    const auto line = subject.substr(at, end - at);
    EXPECT_LE(line.size(), 76U) << "RFC 2047 §2: " << line;
    constexpr std::string_view kWord = "=?utf-8?B?";
    const auto word = line.substr(line.find(kWord) + kWord.size());
    ASSERT_TRUE(word.ends_with("?=")) << line;
    const auto text = probes::tls::from_base64(word.substr(0, word.size() - 2)).value();
    EXPECT_EQ(probes::printable(text), text) << "cut between characters";
    whole += text;
    at = end + 2;
  }
  EXPECT_THAT(whole, testing::StartsWith("[danelaw opened] aü例😀a"));
}

TEST(MailText, HasNoLineTooLongWhateverTheLettersIdIs) {
  auto notification = letter_json(firing());
  const std::string end = "/opened/1800000000/chat";
  notification["id"] = std::string(2000, 'a') + end;
  const auto mail = mail_of({.from = "a@b.test", .to = {"c@d.test"}}, notification, kPage);
  EXPECT_LE(header(mail, "Message-ID").size(), 998U) << "RFC 5322 §2.1.1";
  EXPECT_THAT(header(mail, "Message-ID"), testing::EndsWith("aa.opened.1800000000.chat@b.test>"))
      << "what tells it from others is there";
}

TEST(Notification, OfWhichPartsAreMissingIsStillTold) {
  for (const auto* text : {"{}", "[]", R"({"alert":[],"at":1})", R"({"alert":{"subject":"a"}})"}) {
    const auto fields = fields_of(Json::parse(text), kPage);
    EXPECT_EQ(fields.at("subject"), "") << text;
    EXPECT_EQ(fields.at("url"), "http://page.test/alerts#") << text;
  }
}

// ---- Alertmanager 0.25, as it was measured: labels are identity only, startsAt
// always, endsAt four sendings ahead, empty labels never.

Json for_alertmanager(const SharedList<Alert>& open, const SharedList<Alert>& ended,
                      config::Seconds later = config::Seconds{120}) {
  return alertmanager_json(open, ended, {{"site", "berlin"}}, kPage, config::Seconds{60},
                           kNow + later);
}

TEST(Alertmanager, GetsWhatFiresAndWasTold) {
  auto pending = firing();
  pending.state = AlertState::pending;
  auto silent = firing();
  silent.told_at.reset();
  const auto json = for_alertmanager({pending, silent, firing()}, {});
  ASSERT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0]["labels"], Json({{"site", "berlin"},
                                     {"alertname", "DanelawTlsaMismatch"},
                                     {"code", "tlsa-mismatch"},
                                     {"severity", "critical"},
                                     {"direction", "inbound"},
                                     {"mx", "mx.a.test"}}));
  EXPECT_EQ(json[0]["startsAt"], "2027-01-15T08:01:00Z");
  EXPECT_EQ(json[0]["endsAt"], "2027-01-15T08:06:00Z");
  EXPECT_EQ(json[0]["annotations"]["domains"], "a.test b.test");
  EXPECT_EQ(json[0]["generatorURL"], "http://page.test/alerts#tlsa-mismatch.mx.1");
}

TEST(Alertmanager, HearsOfTheEndForAQuarterOfAnHour) {
  auto over = firing();
  over.state = AlertState::resolved;
  over.resolved_at = kNow + config::Seconds{100};
  EXPECT_EQ(for_alertmanager({}, {over})[0]["endsAt"], "2027-01-15T08:01:40Z");
  EXPECT_EQ(for_alertmanager({}, {over}, std::chrono::minutes{30}).size(), 0U);
  over.told_at.reset();
  EXPECT_EQ(for_alertmanager({}, {over}).size(), 0U) << "nobody heard of it";
}

TEST(Alertmanager, HearsThatTheCalmerOneIsOverWhenAnAlertGotWorse) {
  auto worse = firing();
  worse.told_severity = probes::Severity::high;
  worse = told(std::move(worse), kNow + config::Seconds{90});
  const auto json = for_alertmanager({worse}, {});
  ASSERT_EQ(json.size(), 2U);
  EXPECT_EQ(json[0]["labels"]["severity"], "critical");
  EXPECT_EQ(json[1]["labels"]["severity"], "high");
  EXPECT_EQ(json[1]["endsAt"], "2027-01-15T08:01:30Z");
  EXPECT_EQ(for_alertmanager({worse}, {}, std::chrono::minutes{30}).size(), 1U);
}

}  // namespace

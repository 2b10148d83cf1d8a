#include "agent/notifiers/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/alert_json.h"
#include "agent/notice.h"
#include "agent/notifiers/wire.h"
#include "tests/support/scene.h"

namespace {

using namespace agent;
using support::kNow;
using testing::HasSubstr;
using testing::Not;
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
  return to_json(letter(alert, {Notice::opened, "seen twice"}, "chat", kNow));
}

TEST(Letter, IsTheNotificationOfTheContract) {
  const auto json = letter_json(firing());
  EXPECT_EQ(json["schema"], "danelaw.notification/1");
  EXPECT_EQ(json["event"], "opened");
  EXPECT_EQ(json["at"], "2027-01-15T08:00:00Z");
  EXPECT_EQ(json["alert"]["code"], "tlsa-mismatch");
  EXPECT_EQ(json["alert"]["subject"]["name"], "mx.a.test");
  EXPECT_EQ(json["alert"]["domains"], Json({"a.test", "b.test"}));
  EXPECT_FALSE(json["alert"]["title"].get<std::string>().empty());
}

TEST(Template, FillsFieldsSoThatTheyStayInsideAJsonString) {
  const auto fields = fields_of(letter_json(firing("mx\".a\n.test")), kPage);
  const auto filled = fill(R"({"text":"{{event}} {{ severity }}: {{title}} {{url}}"})", fields);
  ASSERT_TRUE(filled) << filled.error();
  const auto json = Json::parse(*filled);
  EXPECT_THAT(json["text"].get<std::string>(), HasSubstr("opened critical: mx\".a"));
  EXPECT_THAT(json["text"].get<std::string>(),
              HasSubstr("http://page.test/alerts#tlsa-mismatch.mx.1"));
}

TEST(Template, NamesAFieldThatIsNotThere) {
  const auto fields = fields_of(letter_json(firing()), kPage);
  EXPECT_THAT(fill("{{sevrity}}", fields).error(), HasSubstr("sevrity"));
  EXPECT_THAT(fill("{{severity", fields).error(), HasSubstr("}}"));
}

TEST(MailText, IsAMessageWhoseHeadersNobodyCanExtend) {
  const auto mail =
      mail_of({.from = "danelaw@page.test", .to = {"a@b.test", "c@d.test"}},
              letter_json(firing("mx.test\r\nBcc: everybody@example.org\r\n\r\nx")), kPage);
  const auto head = mail.substr(0, mail.find("\r\n\r\n"));
  EXPECT_THAT(head, HasSubstr("From: danelaw <danelaw@page.test>\r\n"));
  EXPECT_THAT(head, HasSubstr("To: <a@b.test>,\r\n <c@d.test>\r\n"));
  EXPECT_THAT(head, HasSubstr("Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n"));
  EXPECT_THAT(head, HasSubstr("Auto-Submitted: auto-generated"));
  EXPECT_THAT(head, Not(HasSubstr("Bcc")));
  std::size_t begin = 0;
  while (begin < mail.size()) {
    const auto end = mail.find("\r\n", begin);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end - begin, 998U);
    begin = end + 2;
  }
}

TEST(MailText, HasTheSameMessageIdAtEveryTry) {
  const auto once = mail_of({.from = "a@b.test", .to = {"c@d.test"}}, letter_json(firing()), kPage);
  EXPECT_EQ(once, mail_of({.from = "a@b.test", .to = {"c@d.test"}}, letter_json(firing()), kPage));
  EXPECT_THAT(once, HasSubstr("Message-ID: <tlsa-mismatch.mx.1.opened.1800000000.chat@b.test>"));
}

// ---- Alertmanager 0.25, as it was measured: labels are identity only, startsAt
// always, endsAt four sendings ahead, empty labels never.

Json for_alertmanager(const std::vector<Alert>& open, const std::vector<Alert>& ended,
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

TEST(Hmac, IsThatOfRfc4231) {
  EXPECT_EQ(wire::hmac_sha256("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(wire::hmac_sha256(std::string(131, '\xaa'),
                              "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

}  // namespace

#include "web/routes/feeds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/storage/store.h"

namespace {

using support::kNow;
using testing::HasSubstr;
using testing::Not;

TEST(Calendar, HasAnEventForEachDeadline) {
  const auto text = web::calendar_of(
      nlohmann::ordered_json::parse(R"([{"at":"2027-02-01T10:00:00Z","kind":"certificate-end",
          "subject":{"kind":"host","name":"mx,1.example.test"},"source":"not-after"}])"),
      kNow);
  EXPECT_THAT(text,
              HasSubstr("BEGIN:VEVENT\r\nUID:certificate-end-20270201T100000Z-mx\\,1.example"
                        ".test@danelaw\r\nDTSTAMP:20270115T080000Z\r\n"
                        "DTSTART:20270201T100000Z\r\n"
                        "SUMMARY:mx\\,1.example.test: a certificate expires\r\n"
                        "DESCRIPTION:Known as the certificate says (notAfter)\r\nEND:VEVENT"));
}

TEST(Calendar, FoldsLongLines) {
  nlohmann::ordered_json one{
      {"at", "2027-02-01T10:00:00Z"}, {"kind", "publish-by"}, {"source", nullptr}};
  one["subject"]["name"] = std::string(40, 'x') + "\u00e9\u00e9" + std::string(100, 'y');
  const auto text = web::calendar_of(nlohmann::ordered_json::array({one}), kNow);
  std::string line;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find("\r\n", at);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end - at, 75U);
    at = end + 2;
  }
}

TEST(Atom, TellsWhatOpenedAndEscapesIt) {
  storage::LogEvent event{.kind = storage::LogEvent::Kind::alert, .at = kNow, .what = "opened"};
  event.alert = support::alert("f-1", agent::AlertState::firing);
  event.alert->finding.subject.name = "<script>";
  const auto text = web::atom_of({.name = "alerts", .host_name = "mon1"}, {event}, kNow);
  EXPECT_THAT(text, HasSubstr("<id>urn:danelaw:mon1:alerts</id>"));
  EXPECT_THAT(text, HasSubstr("href=\"/feeds/alerts.atom\"/>"));
  EXPECT_THAT(text, HasSubstr("<id>urn:danelaw:mon1:alerts#alert:f-1:opened</id>"));
  EXPECT_THAT(text, HasSubstr("<link href=\"/alerts#f-1\"/>"));
  EXPECT_THAT(text, HasSubstr("<updated>2027-01-15T08:00:00Z</updated>"));
  EXPECT_THAT(text, Not(HasSubstr("<script>")));
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t out = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++out;
  return out;
}

TEST(Atom, TellsEachChangeOnceWithTheAddressOfThePage) {
  using Kind = storage::LogEvent::Kind;
  const storage::LogEvent verdict{
      .kind = Kind::verdict, .at = kNow, .subject = "a.test", .now = "deferred"};
  auto later = verdict;
  later.at += std::chrono::seconds{1};
  const storage::LogEvent key{
      .kind = Kind::key, .at = kNow, .subject = "mx.a.test:25", .before = "aa", .now = "bb"};
  auto records = key;
  records.kind = Kind::records;
  records.now = "{}";
  storage::LogEvent act{.kind = Kind::act, .at = kNow};
  act.act = {.id = 7, .at = kNow, .by = "bob", .what = "check", .subject = "a.test"};
  const storage::LogEvent ours{.kind = Kind::ours, .at = kNow, .subject = "gap", .now = "{}"};
  const auto text =
      web::atom_of({.name = "changes", .page = "https://mon.test/mail/", .host_name = "mon1"},
                   {later, verdict, verdict, key, records, act, ours}, kNow);
  EXPECT_THAT(text, HasSubstr("<id>https://mon.test/mail/feeds/changes.atom</id>"));
  EXPECT_THAT(text, HasSubstr("<link rel=\"self\" type=\"application/atom+xml\" "
                              "href=\"https://mon.test/mail/feeds/changes.atom\"/>"));
  EXPECT_THAT(text, HasSubstr("<updated>2027-01-15T08:00:01Z</updated>\n<entry>")) << "the newest";
  EXPECT_EQ(count(text, "<entry>"), 6U);
  for (const auto* path : {"domains/a.test", "mx/mx.a.test%3A25", "acts", "status"})
    EXPECT_THAT(text, HasSubstr(std::string("<link href=\"https://mon.test/mail/") + path + "\""));
  EXPECT_THAT(text, HasSubstr("<title>a.test: "));
  EXPECT_THAT(text, HasSubstr("<title>bob "));
  EXPECT_THAT(text, HasSubstr("changes.atom#act:7</id>"));
}

}  // namespace

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
  const auto text = web::atom_of({event}, kNow);
  EXPECT_THAT(text, HasSubstr("<link href=\"/alerts#f-1\"/>"));
  EXPECT_THAT(text, HasSubstr("<updated>2027-01-15T08:00:00Z</updated>"));
  EXPECT_THAT(text, Not(HasSubstr("<script>")));
}

}  // namespace

#include "agent/notify/notifiers/template.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace {

using namespace agent;
using testing::HasSubstr;
using testing::Pair;
using Json = nlohmann::ordered_json;

const std::string kPage = "http://page.test";

Json notification(const std::string& event = "opened", const std::string& title = "a \"title\"\n") {
  return Json{{"id", "1"},
              {"event", event},
              {"at", "2027-01-15T08:00:00Z"},
              {"alert",
               {{"id", "tlsa-mismatch.mx.1"},
                {"code", "tlsa-mismatch"},
                {"severity", "critical"},
                {"direction", "inbound"},
                {"title", title},
                {"domains", {"a.test", "b\".test", "c.test"}},
                {"fix", {"Do this.", "Do that.", "Rest."}}}}};
}

// Filled in; the fault when it cannot be.
std::string filled(std::string_view text, const Json& from = notification(),
                   const config::TemplateWords& words = {}) {
  const auto out = fill(text, template_values(from, kPage, words));
  return out ? *out : "fault: " + out.error();
}

TEST(Template, FillsFieldsSoThatTheyStayInsideAJsonString) {
  const auto json =
      Json::parse(filled(R"({"text":"{{event}} {{ severity }}: {{title}} {{url}}","a":{"b":{}}})"));
  EXPECT_EQ(json["text"],
            "opened critical: a \"title\"\n http://page.test/alerts#tlsa-mismatch.mx.1");
}

struct Row {
  std::string text, want;
};

// What templates could say before there were sections.
TEST(Template, OfBeforeGoesOnWorking) {
  for (const auto& [text, want] : {
           Row{"", ""},
           Row{"no field\r\n  at all }} \n", "no field\r\n  at all }} \n"},
           Row{"{\"a\":{\"b\":\"{{code}}\"}}\n", "{\"a\":{\"b\":\"tlsa-mismatch\"}}\n"},
           Row{"{{code}}}", "tlsa-mismatch}"},
           Row{"{{severity}}{{severity}}", "criticalcritical"},
           Row{"[{{ since }}]", "[]"},
           Row{"{{title}}", R"(a \"title\"\n)"},
           Row{"{{domains}}", R"(a.test, b\".test, c.test)"},
           Row{"{{fix}}", R"(1. Do this.\n2. Do that.\n3. Rest.)"},
       })
    EXPECT_EQ(filled(text), want) << text;
  EXPECT_EQ(filled("{{title}}", notification("opened", "<&>'")), "<&>'") << "no HTML";
  EXPECT_EQ(filled("{{title}}", notification("opened", "{{code}} {{#x}}")), "{{code}} {{#x}}");
}

// docs/alerts.md has it: PagerDuty's Events API v2.
constexpr auto kPager = R"({"event_action": "{{event}}", "dedup_key": "{{alert_id}}",
 {{^is_resolved}}
 "payload": {"summary": "{{title}}", "severity": "{{severity}}",
             "custom_details": {"fix": [{{#fix_list}}"{{item}}"{{^is_last}}, {{/is_last}}{{/fix_list}}]}},
 {{/is_resolved}}
 "client": "danelaw"})";
const config::TemplateWords kPagerWords{
    {"event", {{"resolved", "resolve"}, {"otherwise", "trigger"}}},
    {"severity", {{"high", "error"}, {"medium", "warning"}}}};

TEST(Template, SaysTriggerAndResolve) {
  const auto begin = Json::parse(filled(kPager, notification("reminded"), kPagerWords));
  EXPECT_EQ(begin["event_action"], "trigger");
  EXPECT_EQ(begin["payload"]["summary"], "a \"title\"\n");
  EXPECT_EQ(begin["payload"]["severity"], "critical") << "has no word of the operator's";
  EXPECT_EQ(begin["payload"]["custom_details"]["fix"], Json({"Do this.", "Do that.", "Rest."}));
  EXPECT_EQ(begin["client"], "danelaw");
  const auto end = Json::parse(filled(kPager, notification("resolved"), kPagerWords));
  EXPECT_EQ(end["event_action"], "resolve");
  EXPECT_EQ(end["dedup_key"], begin["dedup_key"]);
  EXPECT_FALSE(end.contains("payload"));
}

TEST(Template, KnowsEveryEventSeverityAndDirectionByOurWords) {
  const auto flags = template_values(notification(), kPage, kPagerWords).flags;
  for (const auto* name : {"is_opened", "is_critical", "is_inbound"})
    EXPECT_THAT(flags, testing::Contains(Pair(name, true)));
  for (const auto* name : {"is_escalated", "is_reminded", "is_resolved", "is_info", "is_low",
                           "is_medium", "is_high", "is_outbound"})
    EXPECT_THAT(flags, testing::Contains(Pair(name, false)));
}

TEST(Template, ShowsTheSectionOfATextThatIsThere) {
  EXPECT_EQ(filled("{{#reason}}because {{reason}}{{/reason}}{{^reason}}-{{/reason}}"), "-");
  EXPECT_EQ(filled("{{#code}}<{{code}}>{{/code}}{{^code}}-{{/code}}"), "<tlsa-mismatch>");
}

TEST(Template, NamesWhatIsNotThere) {
  for (const auto& [text, want] : {
           Row{"{{sevrity}}", "no field {{sevrity}}"},
           Row{"{{}}", "no field {{}}"},
           Row{"{{severity", "a {{ without its }}"},
           Row{"{{is_opened}}", "no field {{is_opened}}"},
           Row{"{{item}}", "no field {{item}}"},
           Row{"{{#is_last}}{{/is_last}}", "no section {{#is_last}}"},
           Row{"{{#is_open}}{{/is_open}}", "no section {{#is_open}}"},
           Row{"{{#is_resolved}}{{titel}}{{/is_resolved}}", "no field {{titel}}"},
           Row{"{{#fix_list}}{{/fix_list}}{{item}}", "no field {{item}}"},
           Row{"{{#is_opened}}", "{{#is_opened}} is not closed"},
           Row{"{{#is_opened}}{{^is_high}}{{/is_opened}}{{/is_high}}",
               "{{/is_opened}} closes nothing"},
           Row{"{{/is_opened}}", "{{/is_opened}} closes nothing"},
           Row{"{{{title}}}", "no field {{{title}}"},
           Row{"{{&title}}", "no field {{&title}}"},
           Row{"{{>title}}", "no field {{>title}}"},
           Row{"{{=<% %>=}}", "no field {{=<% %>=}}"},
           Row{"{{#fix_list}}{{#domain_list}}{{/domain_list}}{{/fix_list}}",
               "{{#domain_list}}: a list within a list"},
       })
    EXPECT_EQ(filled(text), "fault: " + want) << text;
  EXPECT_EQ(filled("a{{! whoever }}b"), "ab");
}

TEST(Template, IsBoundedInDepthAndLength) {
  std::string deep;
  for (int i = 0; i < 17; ++i) deep = "{{#code}}" + deep + "{{/code}}";
  EXPECT_THAT(filled(deep), HasSubstr("too deep"));

  auto many = notification();
  for (int i = 0; i < 1000; ++i) many["alert"]["domains"].push_back("a.test");
  EXPECT_EQ(filled("{{#domain_list}}{{^is_last}}.{{/is_last}}{{/domain_list}}", many),
            std::string(kMostItems - 1, '.'));
  const auto loop = "{{#domain_list}}" + std::string(20'000, 'x') + "{{item}}{{/domain_list}}";
  EXPECT_THAT(filled(loop, many), HasSubstr("octets when filled in"));
  std::string titles;
  for (int i = 0; i < 3'000; ++i) titles += "{{title}}";
  EXPECT_THAT(filled(titles, notification("opened", std::string(10'000, 'x'))),
              HasSubstr("octets when filled in"));
}

TEST(Template, IsFilledFromALetterOfWhichPartsAreMissing) {
  for (const auto* text : {"{}", "[]", R"({"alert":[],"at":1})", R"({"alert":{"fix":"a"}})"})
    EXPECT_EQ(filled("{{title}}{{#fix_list}}{{item}}{{/fix_list}}.", Json::parse(text)), ".")
        << text;
}

}  // namespace

#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "agent/notify/notifiers/template.h"
#include "tests/support/source_dir.h"

// The texts of docs/notifiers, filled in for everything that is ever told, and held against what
// the services have documented: PagerDuty Events API v2, Opsgenie Alert API, ntfy's publishing as
// JSON, Matrix client-server API m.room.message, incoming webhooks of Slack and Mattermost, and the
// message with an Adaptive Card that Teams' workflows take.
namespace {

using namespace agent;
using Json = nlohmann::ordered_json;

const std::vector<std::string> kEvents{"opened", "escalated", "reminded", "resolved"};
const std::vector<std::string> kSeverities{"info", "low", "medium", "high", "critical"};

Json notification(const std::string& event, const std::string& severity) {
  // As bad as it gets: what ends a string, a line, a template.
  const std::string nasty = "a \"title\"\\ \n\t{{code}} </script> \xc3\xbc";
  return Json{{"id", "tlsa-mismatch.mx.1/opened/chat"},
              {"event", event},
              {"at", "2027-01-15T08:00:00Z"},
              {"reason", nasty},
              {"alert",
               {{"id", "tlsa-mismatch.mx.1"},
                {"code", "tlsa-mismatch"},
                {"severity", severity},
                {"direction", "inbound"},
                {"subject", {{"kind", "host"}, {"name", "mx.a.test"}}},
                {"title", nasty},
                {"senders_now", nasty},
                {"domains", {"a.test", "b.test"}},
                {"fix", {"Do this.", nasty}}}}};
}

std::string text_of(const std::string& name) {
  std::ifstream in(support::source_dir() / "docs/notifiers" / (name + ".json"));
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// As docs/alerts.md has them beside the texts.
config::TemplateWords words_for(const std::string& name) {
  if (name == "pagerduty")
    return {{"event", {{"resolved", "resolve"}, {"otherwise", "trigger"}}},
            {"severity", {{"high", "error"}, {"medium", "warning"}, {"low", "info"}}}};
  if (name == "opsgenie")
    return {
        {"severity",
         {{"critical", "P1"}, {"high", "P2"}, {"medium", "P3"}, {"low", "P4"}, {"info", "P5"}}}};
  return {};
}

// Every filling, by event and severity; each is JSON.
void for_all(
    const std::string& name,
    const std::function<void(const std::string&, const std::string&, const Json&)>& check) {
  for (const auto& event : kEvents) {
    for (const auto& severity : kSeverities) {
      SCOPED_TRACE(name + " " + event + " " + severity);
      const auto text = fill(text_of(name), template_values(notification(event, severity),
                                                            "http://page.test", words_for(name)));
      ASSERT_TRUE(text) << text.error();
      const auto body = Json::parse(*text, nullptr, false);
      ASSERT_TRUE(body.is_object()) << *text;
      check(event, severity, body);
    }
  }
}

// What no service takes when it is sent whole: a host of very many domains, names as long as names
// can be, texts as long as they come.
Json longest(const std::string& event) {
  auto out = notification(event, "critical");
  const auto name = [](char c) {
    std::string text;
    for (int i = 0; i < 4; ++i) text += (i == 0 ? "" : ".") + std::string(i == 3 ? 61 : 63, c);
    return text;
  };
  auto& alert = out["alert"];
  // As agent/alerts/lifecycle.cc makes it.
  alert["id"] = std::string(40, 'c') + "." + name('h').substr(0, 200) + ".1795628438";
  alert["subject"]["name"] = alert["host"] = name('h');
  alert["title"] = name('h') + ": the certificate matches no TLSA record";
  for (int i = 0; i < 100'000; ++i) alert["domains"].push_back(name('d'));
  for (const auto* field : {"senders_now", "explanation"}) alert[field] = std::string(5'000, '"');
  for (int i = 0; i < 20; ++i) alert["fix"].push_back("Give " + name('h') + " \xc3\xbc its key");
  return out;
}

struct Limit {
  std::string service, pointer;  // "": the whole body
  std::size_t most;
};

// As the services say, in characters or octets; octets are never fewer.
TEST(ServiceTemplates, StayBelowWhatTheServicesTake) {
  const auto told = longest("opened");
  for (const auto& [service, pointer, most] : {
           Limit{"opsgenie", "/message", 130},
           Limit{"opsgenie", "/alias", 512},
           Limit{"opsgenie", "/entity", 512},
           Limit{"opsgenie", "/description", 15'000},
           Limit{"opsgenie", "/details/domains", 7'900},
           Limit{"pagerduty", "/dedup_key", 255},
           Limit{"pagerduty", "/payload/summary", 1'024},
           Limit{"pagerduty", "", 512 * 1024},
           Limit{"ntfy", "/message", 4'096},
           Limit{"ntfy", "", 8'192},
           Limit{"matrix", "", 60'000},
           Limit{"slack", "/text", 40'000},
           Limit{"mattermost", "/text", 16'383},
           Limit{"teams", "", 28 * 1024},
       }) {
    SCOPED_TRACE(service + " " + pointer);
    const auto text =
        fill(text_of(service), template_values(told, "http://page.test", words_for(service)));
    ASSERT_TRUE(text) << text.error();
    const auto body = Json::parse(*text, nullptr, false);
    ASSERT_TRUE(body.is_object()) << *text;
    const auto& part = body.at(Json::json_pointer(pointer));
    EXPECT_LE(pointer.empty() ? text->size() : part.get<std::string>().size(), most);
  }
  const auto values = template_values(told, "http://page.test").texts;
  EXPECT_TRUE(values.at("domains").ends_with("d and 99997 more")) << values.at("domains");
  EXPECT_TRUE(values.at("short_title").starts_with("hhh"));
  EXPECT_TRUE(values.at("short_title").ends_with("matches no TLSA record"));
}

std::set<std::string> keys_of(const Json& object) {
  std::set<std::string> out;
  for (const auto& [key, value] : object.items()) out.insert(key);
  return out;
}

TEST(ServiceTemplates, PagerDutyTriggersAndResolvesUnderOneKey) {
  for_all("pagerduty", [](const auto& event, const auto&, const Json& body) {
    EXPECT_EQ(body["event_action"], event == "resolved" ? "resolve" : "trigger");
    EXPECT_EQ(body["dedup_key"], "tlsa-mismatch.mx.1");
    EXPECT_LE(body["dedup_key"].template get<std::string>().size(), 255U);
    EXPECT_TRUE(body["routing_key"].is_string());
    if (event == "resolved") return;
    const std::set<std::string> severities{"critical", "error", "warning", "info"};
    EXPECT_TRUE(severities.contains(body["payload"]["severity"].template get<std::string>()));
    EXPECT_TRUE(body["payload"]["summary"].is_string());
    EXPECT_TRUE(body["payload"]["source"].is_string());
    EXPECT_EQ(keys_of(body["links"][0]), (std::set<std::string>{"href", "text"}));
  });
}

TEST(ServiceTemplates, OpsgenieOpensUnderAnAliasByWhichItIsClosed) {
  for_all("opsgenie", [](const auto& event, const auto&, const Json& body) {
    if (event == "resolved") {  // of .../close
      EXPECT_EQ(keys_of(body), (std::set<std::string>{"source", "note"}));
      return;
    }
    EXPECT_EQ(body["alias"], "tlsa-mismatch.mx.1");
    EXPECT_TRUE(body["message"].is_string());
    const std::set<std::string> priorities{"P1", "P2", "P3", "P4", "P5"};
    EXPECT_TRUE(priorities.contains(body["priority"].template get<std::string>()));
    for (const auto& [key, value] : body["details"].items()) EXPECT_TRUE(value.is_string()) << key;
    for (const auto& tag : body["tags"]) EXPECT_TRUE(tag.is_string());
  });
}

TEST(ServiceTemplates, NtfyHasAPriorityOfItsOwn) {
  for_all("ntfy", [](const auto&, const auto& severity, const Json& body) {
    const auto rank = std::ranges::find(kSeverities, severity) - kSeverities.begin();
    EXPECT_EQ(body["priority"], rank + 1);
    EXPECT_TRUE(body["topic"].is_string());
    EXPECT_TRUE(body["tags"].is_array());
  });
}

TEST(ServiceTemplates, MatrixSendsTextOfAMessage) {
  for_all("matrix", [](const auto&, const auto&, const Json& body) {
    EXPECT_EQ(keys_of(body), (std::set<std::string>{"msgtype", "body"}));
    EXPECT_EQ(body["msgtype"], "m.text");
  });
}

TEST(ServiceTemplates, SlackAndMattermostGetText) {
  for (const auto* name : {"slack", "mattermost"}) {
    for_all(name, [](const auto&, const auto&, const Json& body) {
      EXPECT_TRUE(body["text"].is_string());
    });
  }
}

TEST(ServiceTemplates, TeamsGetsOneAdaptiveCard) {
  for_all("teams", [](const auto&, const auto&, const Json& body) {
    EXPECT_EQ(body["type"], "message");
    ASSERT_EQ(body["attachments"].size(), 1U);
    EXPECT_EQ(body["attachments"][0]["contentType"], "application/vnd.microsoft.card.adaptive");
    const auto& card = body["attachments"][0]["content"];
    EXPECT_EQ(card["type"], "AdaptiveCard");
    for (const auto& block : card["body"]) EXPECT_EQ(block["type"], "TextBlock");
    EXPECT_EQ(card["actions"][0]["type"], "Action.OpenUrl");
  });
}

// Each text that is there is one of those above.
TEST(ServiceTemplates, NoneIsUntried) {
  std::set<std::string> names;
  for (const auto& file :
       std::filesystem::directory_iterator(support::source_dir() / "docs/notifiers"))
    names.insert(file.path().stem().string());
  EXPECT_EQ(names, (std::set<std::string>{"pagerduty", "opsgenie", "ntfy", "matrix", "slack",
                                          "mattermost", "teams"}));
}

}  // namespace
